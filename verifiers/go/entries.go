package main

// One entry of a lane's log: who signed it by keys in force at its place, what it means, and whether
// postings, chains and price are what its statement gives. The rules are those of packages/rules.

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// entry is an entry that stands by itself.
type entry struct {
	context, said, terms object
	kind, inner, outcome string
	time                 int64
	// original is the transfer that a return, a recall or a refusal is about.
	original *original
	// id of the transfer, return or recall that it is about, and what another lane let go by
	id   string
	gone *entry
}

// sheet is a rate sheet, when it could be cited, and how much of it was used.
type sheet struct {
	body            object
	from            int64
	ends, withdrawn int64 // log times; never, unless something ended it
	used            *big.Rat
}

func newSheet(body object, from int64) *sheet {
	return &sheet{body, from, math.MaxInt64, math.MaxInt64, new(big.Rat)}
}

// heldFor: the sheet held at some instant at which the terms can have been reserved: at most 300 s before
// they expire. A withdrawal counts in log order: others of the same instant may stand before it.
func (held *sheet) heldFor(x object, time int64) bool {
	earliest := max(ms(held.body.str("from")), ms(x.str("expiresAt"))-300_000, held.from)
	return earliest <= time && earliest < ms(held.body.str("honourUntil")) &&
		earliest < held.ends && earliest <= held.withdrawn
}

func exact(text string) *big.Rat {
	value, ok := new(big.Rat).SetString(text)
	must(ok, "not a decimal: %q", text)
	return value
}

func power(n int) *big.Rat {
	value := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil)
	if n < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), value)
	}
	return new(big.Rat).SetInt(value)
}

func decimals(currency string) int {
	places, ok := tables.Decimals[currency]
	must(ok, "%s is no currency", currency)
	return places
}

// units is an amount in minor units of its currency.
func units(amount, currency string) *big.Rat {
	return new(big.Rat).Mul(exact(amount), power(decimals(currency)))
}

func floor(value *big.Rat) *big.Int { return new(big.Int).Div(value.Num(), value.Denom()) }

func ceil(value *big.Rat) *big.Int {
	down := floor(new(big.Rat).Neg(value))
	return down.Neg(down)
}

// price holds fee, conversion and residue of terms against sheet and fee schedule, to the minor unit.
func price(x, sheet, schedule object) {
	send, receive := x.obj("send"), x.obj("receive")
	source, target := send.str("currency"), receive.str("currency")
	pair := sheet.obj("pair")
	must(pair.str("from") == source && pair.str("to") == target, "price: another pair")
	must(schedule.str("from") == source && schedule.str("to") == target, "price: another schedule")
	must(len(x.objs("fees")) == 1, "price: one fee")
	fee := x.objs("fees")[0]
	rate := new(big.Rat).Mul(exact(sheet.str("rate")), power(decimals(target)-decimals(source)))
	least := units(schedule.str("minimum"), source)
	share := new(big.Rat).Mul(exact(schedule.str("basisPoints")), power(-4))
	left := func(sent *big.Rat) *big.Rat {
		due := new(big.Rat).SetInt(ceil(new(big.Rat).Mul(sent, share)))
		if due.Cmp(least) < 0 {
			due = least
		}
		return new(big.Rat).Sub(sent, due)
	}
	sent, paid := units(send.str("amount"), source), units(receive.str("amount"), target)
	converted := left(sent)
	worth := new(big.Rat).Mul(converted, rate)
	most := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 63))
	must(sent.Cmp(most) < 0 && paid.Cmp(most) < 0, "price: an amount")
	must(converted.Sign() > 0 && paid.Sign() > 0, "price: nothing is paid out")
	if x.str("fixed") == "send" {
		must(paid.IsInt() && floor(worth).Cmp(paid.Num()) == 0, "price: what is paid out")
	} else {
		less := new(big.Rat).Mul(left(new(big.Rat).Sub(sent, big.NewRat(1, 1))), rate)
		fewer := new(big.Rat).SetInt(floor(less))
		must(worth.Cmp(paid) >= 0 && paid.Cmp(fewer) > 0, "price: what is sent")
	}
	residue := new(big.Rat).Mul(new(big.Rat).Sub(worth, paid), power(-decimals(target)))
	plain := residue.FloatString(64)
	plain = strings.TrimSuffix(strings.TrimRight(plain, "0"), ".")
	must(x.str("residue") == plain, "price: the residue")
	must(x.str("rate") == sheet.str("rate"), "price: the rate")
	must(fee.str("to") == schedule.str("payee") && fee.str("currency") == source, "price: whose fee")
	written := func(text string, value *big.Rat, currency string) {
		must(value.IsInt() && text == new(big.Rat).Mul(value, power(-decimals(currency))).FloatString(
			decimals(currency)), "price: %s", text)
	}
	written(send.str("amount"), sent, source)
	written(fee.str("amount"), new(big.Rat).Sub(sent, converted), source)
	written(x.str("converted"), converted, source)
	written(receive.str("amount"), paid, target)
}

func judgePrice(x object, time int64, s keyState, sheets map[string]*sheet) {
	cited := x.obj("sheet")
	held, ok := sheets[cited.str("hash")]
	must(ok, "sheet: it was not logged before")
	must(held.body.str("provider") == cited.str("provider") && held.body.num("number") == cited.num("number"),
		"sheet: another than the one that is cited")
	must(held.heldFor(x, time), "sheet: it did not hold")
	must(exact(x.obj("send").str("amount")).Cmp(exact(held.body.str("maxTransfer"))) <= 0, "sheet: its limit")
	must(len(x.objs("fees")) == 1, "price: one fee")
	schedule := s.named["fee-schedule "+x.objs("fees")[0].str("schedule")]
	must(schedule != nil, "price: no such fee schedule")
	price(x, held.body, schedule)
}

// operatorsNeeded is the largest of the thresholds reached; one that is no amount counts always.
func operatorsNeeded(send, policy object) int {
	needed := int64(0)
	for _, least := range policy.objs("operatorsFrom") {
		if least.str("currency") != send.str("currency") {
			continue
		}
		amount := units(least.str("amount"), least.str("currency"))
		if !amount.IsInt() || units(send.str("amount"), send.str("currency")).Cmp(amount) >= 0 {
			needed = max(needed, least.num("count"))
		}
	}
	return int(needed)
}

type posting struct{ debit, credit, currency, amount string }

func transferPostings(x object) []posting {
	payer, desk := x.obj("payer").str("participant"), x.obj("sheet").str("provider")
	all := []posting{}
	for _, fee := range x.objs("fees") {
		if exact(fee.str("amount")).Sign() != 0 {
			all = append(all, posting{payer + ":position", fee.str("to") + ":fees", fee.str("currency"), fee.str("amount")})
		}
	}
	send, receive, payee := x.obj("send"), x.obj("receive"), x.obj("payee").str("participant")
	return append(all,
		posting{payer + ":position", desk + ":position", send.str("currency"), x.str("converted")},
		posting{desk + ":position", payee + ":position", receive.str("currency"), receive.str("amount")})
}

// settlementKinds say what is cut, paid and settled; what their windows come to is `sealane audit`'s.
var settlementKinds = []string{"window-cut", "window-net", "bank-statement", "settlement", "liquidity",
	"window-default", "settlement-abort", "adjustment", "liquidity-out", "liquidity-in",
	"slots-out", "slots-in"}

// settlementPostings are what a statement about settlement posts, from its own text.
func settlementPostings(operator, kind string, x object) []posting {
	who, clearing, cash := x.str("participant"), operator+":settlement", operator+":cash"
	found := []posting{}
	add := func(debit, credit, currency, amount string) {
		if exact(amount).Sign() != 0 {
			found = append(found, posting{debit, credit, currency, amount})
		}
	}
	final := kind == "window-default" || x.str("result") == "settled"
	if final || kind == "window-net" && len(x.list("legs")) == 0 {
		for _, total := range x.objs("totals") {
			currency := total.str("currency")
			add(clearing, who+":settled", currency, total.str("debits"))
			add(who+":settled", clearing, currency, total.str("credits"))
			add(who+":fees", clearing, currency, total.str("fees"))
		}
	}
	for _, one := range x.objs("payments") {
		add(who+":liquidity", cash, one.str("currency"), one.str("cover"))
		add(who+":shortfall", operator+":guarantee", one.str("currency"), one.str("shortfall"))
	}
	if kind == "adjustment" {
		own := operator + ":adjustments"
		if x.str("break") == "fx-residue" {
			own = operator + ":rounding"
		}
		debit, credit := own, who+":liquidity"
		if x.str("side") == "debit" {
			debit, credit = credit, debit
		}
		add(debit, credit, x.str("currency"), x.str("amount"))
	}
	if kind == "liquidity-out" {
		add(who+":liquidity", who+":in-transit", x.str("currency"), x.str("amount"))
	}
	if kind == "liquidity-in" { // `x` is what the other lane said
		add(who+":in-transit", who+":liquidity", x.str("currency"), x.str("amount"))
	}
	if kind != "liquidity" {
		return found
	}
	for _, line := range x.objs("lines") {
		currency, amount := line.str("currency"), line.str("amount")
		switch {
		case line.str("side") == "debit":
			add(who+":liquidity", cash, currency, amount)
		case line.str("advance") != "":
			add(cash, operator+":advances", currency, amount)
		default:
			if back := line.str("repaid"); back != "" {
				add(operator+":guarantee", who+":shortfall", currency, back)
				amount = new(big.Rat).Sub(exact(amount), exact(back)).FloatString(decimals(currency))
			}
			add(cash, who+":liquidity", currency, amount)
		}
	}
	return found
}

// judge gives an entry that stands by itself; without sheets the conversion is not checked.
func (h history) judge(raw string, origin string, sheets map[string]*sheet) entry {
	must(len(raw) <= 32<<10, "entry: too large")
	outer := parseNote(raw)
	c, inner := statement(outer.text, origin, "entry", "entry")
	e := entry{context: c, inner: inner, outcome: c.str("outcome"), time: ms(c.str("time"))}
	size := int(c.obj("keys").num("size"))
	must(size < len(h.states) && h.roots[size] == string(b64(c.obj("keys").str("root"))), "entry: no such key log")
	must(size >= len(h.times) || h.times[size] >= e.time-2000, "entry: leaves out a key-log entry")
	must(c.num("rules") == 1, "entry: rules that this verifier does not know")
	s := h.states[size]
	must(s.ledger != nil, "entry: no ledger is registered")
	must(len(outer.signed(parseKey(s.ledger.str("entryKey"), ed25519Key))) == 1, "entry: not signed")

	note := parseNote(inner)
	e.kind = kindOf(note.text)
	must(slices.Contains(tables.Kinds, e.kind), "entry: a %s", e.kind)
	x, below := statement(note.text, origin, e.kind, e.kind)
	e.said = x
	all := s.signers()
	good := note.signed(all...)
	operators := len(note.signed(s.operators...))
	party := func(who, purpose string, revoked bool) {
		for ident := range good {
			one := s.keys[ident]
			if one.who == who && strings.Contains(purpose, one.purpose) && (revoked || one.revoked < 0) {
				return
			}
		}
		must(false, "%s has not signed with a key in force", who)
	}

	answers := e.kind == "rejection" || e.kind == "cancellation"
	linked := slices.Contains(returnKinds, e.kind)
	taken := slices.Contains(carriedKinds, e.kind)
	must(answers || linked || taken || below == "", "%s: it answers no statement", e.kind)
	if linked {
		e.original = h.originalBelow(e, below, origin)
	} else if e.kind == "transfer" {
		e.terms = x
	} else if !taken && below != "" {
		terms := parseNote(below)
		e.terms, _ = statement(terms.text, origin, "transfer", "transfer")
		if e.kind == "rejection" {
			payer := false
			for ident := range terms.signed(all...) {
				one := s.keys[ident]
				payer = payer || one.who == e.terms.obj("payer").str("participant") && one.purpose == "transfer"
			}
			must(payer, "rejection: of terms that the payer has not signed")
		}
	}
	payer, payee := e.terms.obj("payer").str("participant"), e.terms.obj("payee").str("participant")
	chains, postings, reason := []string{}, []posting{}, ""
	if e.terms != nil {
		for _, who := range []string{payer, payee, e.terms.obj("sheet").str("provider")} {
			if !slices.Contains(chains, who) {
				chains = append(chains, who)
			}
		}
	}
	switch {
	case e.kind == "transfer" && e.outcome == "expired":
		must(e.time >= ms(x.str("expiresAt")), "expired before its time")
		party(payer, "transfer", true)
		reason = "AB05"
	case e.kind == "transfer":
		must(e.outcome == "committed" && e.time < ms(x.str("expiresAt")), "committed after its time")
		must(payer != payee, "transfer: to oneself")
		party(payer, "transfer", false)
		party(payee, "transfer", false)
		must(!s.stopped[payee], "transfer: its payee is suspended")
		bound, isBound := s.bound[payer]
		must(!isBound || bound == x.str("policy"), "policy: another one binds the payer")
		policy := s.named["policy "+x.str("policy")]
		must(policy != nil, "policy: unknown")
		must(operators >= operatorsNeeded(x.obj("send"), policy), "policy: too few operators signed")
		if sheets != nil {
			judgePrice(x, e.time, s, sheets)
		}
		postings = transferPostings(x)
	case answers:
		side, ends, cancels := "payee", "rejected", e.kind == "cancellation"
		if cancels {
			side, ends = "payer", "cancelled"
		}
		must(e.terms != nil || cancels, "%s: it answers no terms", e.kind)
		must(e.outcome == ends, "%s: %s", e.kind, e.outcome)
		who := x.str("participant")
		must(e.terms == nil || e.terms.str("id") == x.str("id") && e.terms.obj(side).str("participant") == who,
			"%s: of others' terms", e.kind)
		party(who, "transfer", cancels)
		reason = x.str("reason")
	case slices.Contains(settlementKinds, e.kind):
		must(e.outcome == "recorded", "%s: %s", e.kind, e.outcome)
		by := func(vkey string) bool {
			return vkey != "" && len(note.signed(parseKey(vkey, ed25519Key))) == 1
		}
		switch e.kind {
		case "window-cut":
			must(operators > 0 || by(s.corridors[x.str("corridor")].str("scheduler")), "cut: not signed")
		case "bank-statement":
			party(x.str("bank"), "bank-statement", false)
		case "window-default", "settlement-abort", "adjustment", "liquidity-out":
			must(operators >= 2, "%s: two operators sign", e.kind)
		default:
			must(by(s.ledger.str("entryKey")), "%s: not signed", e.kind)
		}
		if taken {
			e.gone = h.carried(e, below, origin, s)
			x = e.gone.said
		}
		who := x.str("participant")
		for _, role := range s.records[who].list("roles") {
			if role != "settlement-bank" {
				chains = []string{who}
			}
		}
		postings = settlementPostings(s.ledger.str("operator"), e.kind, x)
	case linked:
		must(e.outcome == "recorded", "%s: %s", e.kind, e.outcome)
		sides := e.original.terms
		payer, payee := sides.obj("payer").str("participant"), sides.obj("payee").str("participant")
		party(x.str("participant"), "transfer", false)
		chains = []string{payer, payee}
		switch e.kind {
		case "return":
			postings, chains = e.original.judgeReturn(x, e.time, s, sheets)
		case "recall":
			must(x.str("participant") == payer && !s.stopped[payer], "recall: only its payer recalls a transfer")
			must(e.time-e.original.time <= returnPeriod, "recall: too late")
			amount, currency := x.obj("amount"), sides.obj("receive").str("currency")
			must(amount.str("currency") == currency, "recall: another currency")
			written(amount.str("amount"), units(amount.str("amount"), currency), currency)
		default:
			must(x.str("participant") == payee, "refusal: only its payee refuses a recall")
		}
	default:
		must(e.outcome == "recorded", "%s: %s", e.kind, e.outcome)
		who := x.str("provider") + x.str("participant")
		chains = []string{who}
		switch e.kind {
		case "advance":
			must(operators >= 2, "advance: two operators sign")
			postings = []posting{{s.ledger.str("operator") + ":advances", who + ":liquidity", x.str("currency"), x.str("amount")}}
		case "credited":
			party(who, "transfer", false)
		case "statement":
			party(who, "transfer or rate-sheet", false)
		default:
			party(who, "rate-sheet", false)
		}
	}
	if e.terms != nil || e.kind == "cancellation" || linked && e.kind != "recall-refusal" {
		e.id = x.str("id")
		s.judgeLane(origin, e.id)
	}
	found := []posting{}
	for _, one := range c.objs("postings") {
		found = append(found, posting{one.str("debit"), one.str("credit"), one.str("currency"), one.str("amount")})
	}
	must(slices.Equal(found, postings), "entry: postings that its statement does not give")
	named := []string{}
	for _, link := range c.objs("chains") {
		named = append(named, link.str("participant"))
	}
	unknown := e.kind == "cancellation" && e.terms == nil && len(named) > 0 && named[0] == x.str("participant")
	must(slices.Equal(named, chains) || unknown, "entry: chains")
	must(c.str("reason") == reason, "entry: another reason than its statement gives")
	return e
}

// signers are the keys that sign inner notes: a bad line of any of them refuses the note.
func (s keyState) signers() []key {
	found := append([]key{parseKey(s.ledger.str("entryKey"), ed25519Key)}, s.operators...)
	for _, one := range s.keys {
		found = append(found, one.key)
	}
	for _, one := range s.corridors {
		if scheduler := one.str("scheduler"); scheduler != "" {
			found = append(found, parseKey(scheduler, ed25519Key))
		}
	}
	return found
}

// slotOf is the slot of a transfer's id.
func slotOf(id string) int64 {
	first, err := strconv.ParseInt(id[:4], 16, 32)
	must(err == nil, "transfer: %s", id)
	return first >> 6
}

// judgeLane: a transfer's id belongs to one lane; that it was this one's at its time is the log's to show.
func (s keyState) judgeLane(origin, id string) {
	slot := slotOf(id)
	given := slices.ContainsFunc(s.given, func(lane object) bool {
		return lane.str("origin") == origin && hasSlot(lane, slot)
	})
	must(given, "lane: transfer %s is another's", id)
}
