package main

// Money that comes back: a return gives all or part of a committed transfer back, a recall asks for it, a
// refusal says no. What a return posts follows from it and from the original's entry, which stands whole
// below it. The rules are those of packages/rules/src/returns.

import (
	"encoding/base64"
	"math/big"
	"slices"
)

const (
	returnPeriod = 30 * 24 * 3_600_000
	cancelPeriod = 30 * 60_000
)

var returnKinds = []string{"return", "recall", "recall-refusal"}

// original is the committed transfer that a statement is about.
type original struct {
	entry
	hash string
	// n is its number in the payee's own chain.
	n int64
}

func (h history) original(raw string, origin string, before int64) *original {
	must(kindOf(raw) == "entry", "return: no entry stands below it")
	e := h.judge(raw, origin, nil)
	must(e.kind == "transfer" && e.outcome == "committed", "return: of what was not committed")
	must(e.context.num("seq") < before, "return: of what comes later")
	o := &original{entry: e, hash: base64.StdEncoding.EncodeToString(leafHash(raw)), n: -1}
	for _, link := range e.context.objs("chains") {
		if link.str("participant") == e.terms.obj("payee").str("participant") {
			o.n = link.num("n")
		}
	}
	return o
}

// originalBelow finds it below a return or a recall, or below the recall that a refusal answers.
func (h history) originalBelow(e entry, below string, origin string) *original {
	if e.kind == "recall-refusal" {
		recall, under := statement(parseNote(below).text, origin, "recall", "recall")
		must(recall.str("id") == e.said.str("recall"), "refusal: of another recall")
		below = under
	}
	return h.original(below, origin, e.context.num("seq"))
}

// written: an amount has one way to be written.
func written(text string, value *big.Rat, currency string) {
	places := decimals(currency)
	must(value.IsInt() && text == new(big.Rat).Mul(value, power(-places)).FloatString(places), "an amount: %s", text)
}

// part gives what of the original comes back: from the first minor unit to the one after the last.
func (o *original) part(x object) (*big.Rat, *big.Rat) {
	received := o.terms.obj("receive")
	currency := received.str("currency")
	must(x.obj("amount").str("currency") == currency, "return: another currency")
	before, amount := units(x.str("before"), currency), units(x.obj("amount").str("amount"), currency)
	written(x.str("before"), before, currency)
	written(x.obj("amount").str("amount"), amount, currency)
	after := new(big.Rat).Add(before, amount)
	must(amount.Sign() > 0 && after.Cmp(units(received.str("amount"), currency)) <= 0, "return: of more than there was")
	return before, after
}

// worth is what the payer gets up to some part, rounded down, and what the payee pays for the fee, rounded up.
func (o *original) worth(part *big.Rat) (converted, fee, surcharge *big.Int) {
	currency, received := o.terms.obj("send").str("currency"), o.terms.obj("receive")
	whole := units(received.str("amount"), received.str("currency"))
	all, fees := units(o.terms.str("converted"), currency), new(big.Rat)
	for _, one := range o.terms.objs("fees") {
		fees.Add(fees, units(one.str("amount"), currency))
	}
	share := func(of *big.Rat) *big.Rat { return new(big.Rat).Quo(new(big.Rat).Mul(part, of), whole) }
	converted, fee = floor(share(all)), floor(share(fees))
	paid := new(big.Rat).Quo(new(big.Rat).Mul(new(big.Rat).SetInt(fee), whole), all)
	return converted, fee, ceil(paid)
}

// judgeReturn gives what a return posts and whose chains it joins.
func (o *original) judgeReturn(x object, time int64, s keyState, sheets map[string]*sheet) ([]posting, []string) {
	terms, today := o.terms, x.str("rate") == "today"
	payer, payee := terms.obj("payer").str("participant"), terms.obj("payee").str("participant")
	must(x.str("participant") == payee, "return: only its payee returns a transfer")
	must(time-o.time <= returnPeriod, "return: too late")
	must(!s.stopped[payer] && !s.stopped[payee], "return: a party is suspended")
	rates, bearers := []any{"original", "today"}, []any{"payer", "payee"}
	if allowed := s.named["policy "+terms.str("policy")].obj("returns"); allowed != nil {
		rates, bearers = allowed.list("rates"), allowed.list("bearers")
	}
	bearer := x.str("bearer")
	must(slices.Contains(rates, x["rate"]), "return: the policy has no such rate")
	must(slices.Contains(bearers, x["bearer"]) || bearer == "earner" && x.str("recall") != "", "return: who bears the fee")
	must(today == (x.obj("sheet") != nil) && !(today && bearer == "payee"), "return: today's rate")

	from, to := o.part(x)
	currency, received := terms.obj("send").str("currency"), terms.obj("receive").str("currency")
	must(x.obj("back").str("currency") == currency, "return: another currency")
	back := units(x.obj("back").str("amount"), currency)
	written(x.obj("back").str("amount"), back, currency)
	gone, goneFee, gonePaid := o.worth(from)
	converted, fee, surcharge := o.worth(to)
	converted.Sub(converted, gone)
	fee.Sub(fee, goneFee)
	surcharge.Sub(surcharge, gonePaid)
	if bearer == "payer" {
		fee.SetInt64(0)
	}
	if bearer != "payee" {
		surcharge.SetInt64(0)
	}
	desk := terms.obj("sheet").str("provider")
	if today {
		desk = x.obj("sheet").str("provider")
		converted.Sub(back.Num(), fee)
	}
	must(converted.Sign() > 0 && back.Num().Cmp(new(big.Int).Add(converted, fee)) == 0, "return: what comes back")
	if today && sheets != nil {
		judgeToday(x, converted, currency, time, sheets)
	}
	postings := []posting{}
	add := func(debit, credit, currency string, minor *big.Int) {
		if minor.Sign() != 0 {
			amount := new(big.Rat).Mul(new(big.Rat).SetInt(minor), power(-decimals(currency)))
			text := amount.FloatString(decimals(currency))
			postings = append(postings, posting{debit + ":position", credit + ":position", currency, text})
		}
	}
	giver := desk
	if bearer == "earner" {
		giver = terms.objs("fees")[0].str("to")
	}
	add(payee, desk, received, units(x.obj("amount").str("amount"), received).Num())
	add(payee, desk, received, surcharge)
	add(desk, payer, currency, converted)
	add(giver, payer, currency, fee)
	chains := []string{payee, payer}
	if !slices.Contains(chains, desk) {
		chains = append(chains, desk)
	}
	return postings, chains
}

// judgeToday holds a return at today's rate against the sheet that it cites.
func judgeToday(x object, converted *big.Int, currency string, time int64, sheets map[string]*sheet) {
	cited, amount := x.obj("sheet"), x.obj("amount")
	held, ok := sheets[cited.str("hash")]
	must(ok, "sheet: it was not logged before")
	must(held.body.str("provider") == cited.str("provider") && held.body.num("number") == cited.num("number"),
		"sheet: another than the one that is cited")
	pair := held.body.obj("pair")
	must(pair.str("from") == amount.str("currency") && pair.str("to") == currency, "sheet: another pair")
	must(max(ms(held.body.str("from")), held.from) <= time && time < ms(held.body.str("honourUntil")), "sheet: it did not hold")
	must(time < held.ends && time <= held.withdrawn, "sheet: it had ended")
	used := new(big.Rat).Add(held.used, exact(amount.str("amount")))
	must(used.Cmp(exact(held.body.str("totalPerLane"))) <= 0, "sheet: used beyond its total")
	must(exact(amount.str("amount")).Cmp(exact(held.body.str("maxTransfer"))) <= 0, "sheet: its limit")
	worth := new(big.Rat).Mul(exact(amount.str("amount")), exact(held.body.str("rate")))
	must(floor(worth.Mul(worth, power(decimals(currency)))).Cmp(converted) == 0, "sheet: another price")
}

// recalled is a recall without an answer.
type recalled struct {
	id, payee string
	n         int64
	cancel    bool
	until     int64
}

// comeBack is what an auditor remembers of returns, by the original's id.
type comeBack struct {
	returned map[string]*big.Rat
	open     map[string]recalled
}

// returns judges an entry about a return by those before it.
func (a *audit) returns(e entry, leaves [][]byte) {
	o, x := e.original, e.said
	if o == nil {
		return
	}
	at, id, terms := o.context.num("seq"), o.terms.str("id"), o.terms
	must(at < int64(len(leaves)) && string(leaves[at]) == string(b64(o.hash)), "return: its original is another")
	if e.kind != "recall-refusal" {
		named := x.obj("original")
		must(named.str("id") == id && named.num("seq") == at && named.str("hash") == o.hash, "return: it names another original")
	}
	back, open := a.returned[id], a.comeBack.open[id]
	if back == nil {
		back = new(big.Rat)
	}
	received, paidOut := units(terms.obj("receive").str("amount"), terms.obj("receive").str("currency")), a.credited[terms.obj("payee").str("participant")]
	alive := open.id != "" && open.until >= e.time
	switch e.kind {
	case "return":
		from, to := o.part(x)
		must(back.Cmp(from) == 0, "return: something else was returned before")
		whole := to.Cmp(received) == 0
		if cited := x.str("recall"); cited != "" {
			must(alive && open.id == cited, "return: it answers no recall that is open")
			right := whole && x.str("bearer") == "earner" && x.str("rate") == "original"
			must(!open.cancel || right, "return: a cancellation gives all of it back")
			must(open.cancel || x.str("bearer") != "earner" || a.earns(e), "return: who bears the fee")
		}
		a.returned[id] = to
		if whole || x.str("recall") != "" {
			delete(a.comeBack.open, id)
		}
		a.cover(terms.obj("payee").str("participant"), terms.obj("receive").str("currency"))
		desk := terms.obj("sheet").str("provider")
		if x.obj("sheet") != nil {
			desk = x.obj("sheet").str("provider")
		}
		a.cover(desk, terms.obj("send").str("currency"))
		if earner := terms.objs("fees"); x.str("bearer") == "earner" && a.known(earner[0].str("to")) {
			a.cover(earner[0].str("to"), terms.obj("send").str("currency"))
		}
	case "recall":
		asked := units(x.obj("amount").str("amount"), terms.obj("receive").str("currency"))
		must(asked.Cmp(new(big.Rat).Sub(received, back)) <= 0, "recall: of more than is left")
		must(!alive || x["cancel"] == true && !open.cancel, "recall: another is open")
		if x["cancel"] == true {
			must(e.time-o.time <= cancelPeriod && o.n >= paidOut && asked.Cmp(received) == 0, "recall: it is too late to cancel")
		}
		a.comeBack.open[id] = recalled{x.str("id"), terms.obj("payee").str("participant"), o.n, x["cancel"] == true, e.time + returnPeriod}
	default:
		must(alive && open.id == x.str("recall") && open.payee == x.str("participant"), "refusal: of no recall that is open")
		must(!open.cancel || open.n < paidOut, "refusal: of a cancellation, before it was paid out")
		delete(a.comeBack.open, id)
	}
}

// earns: the policy lets whoever earned the fee bear it.
func (a *audit) earns(e entry) bool {
	policy := a.states[a.size].named["policy "+e.original.terms.str("policy")]
	return slices.Contains(policy.obj("returns").list("bearers"), any("earner"))
}

// known: some record of it may count. The operator, who gives fees back, has none, and no cover.
func (a *audit) known(who string) bool {
	return slices.ContainsFunc(a.states[a.floor:a.size+1], func(s keyState) bool { return s.records[who] != nil })
}
