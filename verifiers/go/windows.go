package main

// Settlement windows: which transfers a cut ends, and each participant's net of them, which must follow in
// the log. Membership is a place in the log and the corridor of the pair; no clock decides it.

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"
)

type flow struct{ debit, credit, currency string }

// obligation is what one owes another; below zero it is the other way round.
type obligation struct{ debtor, creditor, currency string }

type openWindow struct {
	number, from, since int64
	flows               map[flow]*big.Int
}

// windows has each corridor's open window, what was cut and is not settled, and the nets that must follow.
type windows struct {
	origin    string
	open      map[string]*openWindow
	unsettled map[string]*cutWindow // by `corridor/number`
	due       []object
}

// cutWindow is one that is to be settled: whose nets are open still, of how many, and until when.
type cutWindow struct {
	payBy, attempt int64
	nets           map[string]object
	all            int
}

func add[K comparable](sums map[K]*big.Int, at K, amount *big.Int) {
	if sums[at] == nil {
		sums[at] = new(big.Int)
	}
	sums[at].Add(sums[at], amount)
}

func ownerOf(account string) string { return account[:strings.LastIndex(account, ":")] }

func inDecimals(minor *big.Int, currency string) string {
	places := decimals(currency)
	return new(big.Rat).Quo(new(big.Rat).SetInt(minor), power(places)).FloatString(places)
}

// sums are debits, credits and fees by participant and currency.
type sums map[string]map[string]*[3]big.Int

func sumsOf(flows map[flow]*big.Int) sums {
	all := sums{}
	count := func(account, currency string, column int, minor *big.Int) {
		own := all[ownerOf(account)]
		if own == nil {
			own = map[string]*[3]big.Int{}
			all[ownerOf(account)] = own
		}
		if own[currency] == nil {
			own[currency] = new([3]big.Int)
		}
		own[currency][column].Add(&own[currency][column], minor)
	}
	for at, minor := range flows {
		count(at.debit, at.currency, 0, minor)
		column := 1
		if strings.HasSuffix(at.credit, ":fees") {
			column = 2
		}
		count(at.credit, at.currency, column, minor)
	}
	return all
}

func obligations(netting string, flows map[flow]*big.Int, all sums, clearing string) map[obligation]*big.Int {
	owed := map[obligation]*big.Int{}
	if netting == "multilateral" {
		for who, own := range all {
			for currency, three := range own {
				net := new(big.Int).Sub(&three[0], &three[1])
				owed[obligation{who, clearing, currency}] = net.Sub(net, &three[2])
			}
		}
		return owed
	}
	for at, minor := range flows {
		one, other := ownerOf(at.debit), ownerOf(at.credit)
		switch {
		case one == other:
		case netting == "bilateral" && one > other:
			add(owed, obligation{other, one, at.currency}, new(big.Int).Neg(minor))
		default:
			add(owed, obligation{one, other, at.currency}, minor)
		}
	}
	return owed
}

// uuid has the shape of version 4.
func uuid(name string) string {
	id := sha256.Sum256([]byte(name))
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// legsOf are by participant, sorted; seed begins the name that a leg's reference is made of.
func legsOf(owed map[obligation]*big.Int, seed string) map[string][]any {
	legs := map[string][]any{}
	for one, minor := range owed {
		if minor.Sign() == 0 {
			continue
		}
		if minor.Sign() < 0 {
			one.debtor, one.creditor, minor = one.creditor, one.debtor, new(big.Int).Neg(minor)
		}
		reference := uuid(fmt.Sprintf("%s %s %s %s", seed, one.debtor, one.creditor, one.currency))
		amount := inDecimals(minor, one.currency)
		leg := func(side, other string) object {
			return object{"reference": reference, "currency": one.currency, "side": side,
				"counterparty": other, "amount": amount}
		}
		legs[one.debtor] = append(legs[one.debtor], leg("pay", one.creditor))
		legs[one.creditor] = append(legs[one.creditor], leg("receive", one.debtor))
	}
	name := func(leg any) string {
		o := leg.(object)
		return o.str("currency") + " " + o.str("side") + " " + o.str("counterparty")
	}
	for _, own := range legs {
		slices.SortFunc(own, func(a, b any) int { return cmp.Compare(name(a), name(b)) })
	}
	return legs
}

const mostLegs = 100

// netParts are a net's entries: one, or, where it has more legs than an entry takes, parts in order, of which
// the first has the totals.
func netParts(net object, legs []any) []object {
	parts := slices.Collect(slices.Chunk(legs, mostLegs))
	if len(parts) <= 1 {
		return []object{net}
	}
	var all []object
	for at, some := range parts {
		one := maps.Clone(net)
		one["part"] = object{"number": int64(at + 1), "of": int64(len(parts))}
		one["legs"] = some
		if at > 0 {
			one["totals"] = []any{}
		}
		all = append(all, one)
	}
	return all
}

// follow judges an entry that stands by itself.
func (w *windows) follow(e entry, s keyState) {
	x := e.said
	switch {
	case len(w.due) > 0 || e.kind == "window-net":
		must(len(w.due) > 0 && e.kind == "window-net" && reflect.DeepEqual(x, w.due[0]), "window: not its net")
		w.due = w.due[1:]
	case e.kind == "window-cut":
		w.cut(e, s)
	case e.kind == "window-default" || x.str("result") == "settled":
		cut := w.unsettled[fmt.Sprintf("%s/%d", x.str("corridor"), x.num("number"))]
		must(cut != nil, "%s: of no window", e.kind)
		net, open := cut.nets[x.str("participant")]
		must(open && reflect.DeepEqual(x["totals"], net["totals"]), "%s: not its window's net", e.kind)
		if e.kind == "window-default" {
			cut.judgeDefault(e, net, s)
		}
		delete(cut.nets, x.str("participant"))
	case e.kind == "settlement-abort":
		cut := w.unsettled[fmt.Sprintf("%s/%d", x.str("corridor"), x.num("number"))]
		must(cut != nil && x.num("attempt") == cut.attempt, "abort: of no attempt that is open")
		must(cut.all > 0 && len(cut.nets) == cut.all, "abort: something of it is settled")
		cut.attempt++
	case e.kind == "return":
		w.join(e.original.terms, e.context, s)
	case e.outcome == "committed":
		w.join(e.terms, e.context, s)
	}
}

// judgeDefault: of a debtor that is suspended and late; its cover and a shortfall come to what it owes.
func (w *cutWindow) judgeDefault(e entry, net object, s keyState) {
	x := e.said
	must(e.time >= w.payBy && x.num("attempt") == w.attempt, "default: before it is due, or of another attempt")
	must(s.stopped[x.str("participant")], "default: of one that is not suspended")
	pays := func(leg object) bool { return leg.str("side") == "pay" }
	must(slices.ContainsFunc(net.objs("legs"), pays), "default: of one that owes nothing")
	left := x.objs("payments")
	for _, total := range net.objs("totals") {
		owed := new(big.Rat).Sub(exact(total.str("debits")), exact(total.str("credits")))
		if owed.Sub(owed, exact(total.str("fees"))).Sign() <= 0 {
			continue
		}
		must(len(left) > 0 && left[0].str("currency") == total.str("currency"), "default: its payments")
		paid := new(big.Rat).Add(exact(left[0].str("cover")), exact(left[0].str("shortfall")))
		must(paid.Cmp(owed) == 0, "default: it pays something else than is owed")
		left = left[1:]
	}
	must(len(left) == 0, "default: its payments")
}

// in gives a corridor's open window; the first one begins with the log.
func (w *windows) in(corridor string) *openWindow {
	if w.open[corridor] == nil {
		w.open[corridor] = &openWindow{flows: map[flow]*big.Int{}}
	}
	return w.open[corridor]
}

func (w *windows) join(terms, context object, s keyState) {
	pair := object{"from": terms.obj("send").str("currency"), "to": terms.obj("receive").str("currency")}
	corridor := "default"
	for name, record := range s.corridors {
		if slices.ContainsFunc(record.objs("pairs"), func(one object) bool { return reflect.DeepEqual(one, pair) }) {
			corridor = name
		}
	}
	for _, one := range context.objs("postings") {
		at := flow{one.str("debit"), one.str("credit"), one.str("currency")}
		add(w.in(corridor).flows, at, floor(units(one.str("amount"), at.currency)))
	}
}

func (w *windows) cut(e entry, s keyState) {
	x, corridor, seq := e.said, e.said.str("corridor"), e.context.num("seq")
	record := s.corridors[corridor]
	if record == nil && corridor == "default" {
		record = object{"netting": "multilateral", "payWithinMinutes": int64(24 * 60)}
	}
	must(record != nil, "cut: of no corridor")
	open := w.in(corridor)
	must(x.num("number") == open.number, "cut: of a window that is not open")
	if due := x.str("due"); due != "" {
		must(open.since < ms(due) && ms(due) <= e.time, "cut: before it is due, or after another")
	}
	payBy := time.UnixMilli(e.time + 60_000*record.num("payWithinMinutes")).UTC()
	all, operator, netting := sumsOf(open.flows), s.ledger.str("operator"), record.str("netting")
	seed := fmt.Sprintf("%s%s/%d/0", w.origin, corridor, open.number)
	legs := legsOf(obligations(netting, open.flows, all, operator+":settlement"), seed)
	left, count := map[string]object{}, 0
	for _, who := range slices.Sorted(maps.Keys(all)) {
		totals, own := []any{}, all[who]
		for _, currency := range slices.Sorted(maps.Keys(own)) {
			totals = append(totals, object{"currency": currency, "debits": inDecimals(&own[currency][0], currency),
				"credits": inDecimals(&own[currency][1], currency), "fees": inDecimals(&own[currency][2], currency)})
		}
		mine := append([]any{}, legs[who]...)
		w.due = append(w.due, netParts(object{"corridor": corridor, "number": open.number, "participant": who,
			"from": open.from, "to": seq, "netting": netting, "payBy": payBy.Format("2006-01-02T15:04:05.000Z"),
			"totals": totals, "legs": mine}, mine)...)
		count += len(mine)
		if len(mine) > 0 {
			left[who] = object{"totals": totals, "legs": mine}
		}
	}
	must(count <= mostParts*mostLegs, "cut: of more legs than a statement has lines")
	w.unsettled[fmt.Sprintf("%s/%d", corridor, open.number)] = &cutWindow{payBy.UnixMilli(), 0, left, len(left)}
	w.open[corridor] = &openWindow{open.number + 1, seq + 1, e.time, map[flow]*big.Int{}}
}
