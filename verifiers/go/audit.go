package main

// A whole log, from its first entry to its last: every chain, what each entry means after those before,
// and what its postings come to.

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
)

// balance is what has been posted to an account in one currency.
type balance struct{ debits, credits *big.Rat }

type account struct{ name, currency string }

// audit is what an auditor remembers from entry to entry.
type audit struct {
	history
	time   int64
	size   int // of the key log, as cited last
	floor  int // of the key log: what is below counts for no transfer that may still be open
	prev   []byte
	chains map[string][][]byte
	sheets map[string]*sheet
	pairs  map[string][]*sheet // of a provider and pair, their numbers growing
	ended  map[string]bool
	books  map[account]balance
	// credited is the first number of a participant's chain that it has not signed as credited.
	credited map[string]int64
	comeBack
	windows
	slots  slots
	said   partial // of a bank
	leaves [][]byte
}

func (a *audit) step(e entry, seq int, hash []byte) {
	c, x := e.context, e.said
	size := int(c.obj("keys").num("size"))
	must(c.num("seq") == int64(seq) && bytes.Equal(b64(c.str("prev")), a.prev), "it is not in its place")
	must(e.time >= a.time && size >= a.size, "it goes back in time")
	a.time, a.size, a.prev = e.time, size, hash
	a.link(c, e, hash)
	a.said.follow(e)
	a.slots.follow(e, a.origin, a.states[a.size])
	if id := e.once(); id != "" {
		must(!a.ended[id], "%s ends twice", id)
		a.ended[id] = true
	}
	if e.terms != nil {
		must(ms(e.terms.str("expiresAt"))-300_000 <= e.time, "terms last longer than 300 s")
		held := a.sheets[e.terms.obj("sheet").str("hash")]
		must(held != nil, "a sheet that was not logged before")
		must(held.heldFor(e.terms, e.time), "its sheet did not hold")
		if e.outcome == "committed" {
			held.used.Add(held.used, exact(e.terms.str("converted")))
			must(held.used.Cmp(exact(held.body.str("totalPerLane"))) <= 0, "a sheet used beyond its total")
		}
	}
	if strings.HasPrefix(e.kind, "rate-") {
		a.sheet(e)
	}
	a.windows.follow(e, a.states[a.size])
	for _, one := range c.objs("postings") {
		amount, currency := exact(one.str("amount")), one.str("currency")
		debit, credit := a.at(one.str("debit"), currency), a.at(one.str("credit"), currency)
		debit.debits.Add(debit.debits, amount)
		credit.credits.Add(credit.credits, amount)
	}
	for a.floor < a.size && a.times[a.floor] < e.time-302_000 {
		a.floor++
	}
	a.returns(e, a.leaves)
	a.leaves = append(a.leaves, hash)
	if e.kind == "return" && x.obj("sheet") != nil {
		held := a.sheets[x.obj("sheet").str("hash")]
		held.used.Add(held.used, exact(x.obj("amount").str("amount")))
	}
	if e.kind == "liquidity-out" || e.kind == "adjustment" && x.str("side") == "debit" {
		a.cover(x.str("participant"), x.str("currency"))
	}
	if e.outcome == "committed" {
		provider := x.obj("sheet").str("provider")
		a.suspended(x.obj("payer").str("participant"), x.obj("payee").str("participant"), provider)
		a.cover(x.obj("payer").str("participant"), x.obj("send").str("currency"))
		a.cover(provider, x.obj("receive").str("currency"))
	}
}

// once names what may stand in a lane once: what ended, a break that was adjusted, cover that left or came.
func (e entry) once() string {
	id := e.said.str("id")
	switch {
	case e.kind == "liquidity-in":
		return "in " + e.said.str("from") + " " + e.gone.said.str("id")
	case e.kind == "adjustment" || e.kind == "liquidity-out":
		return e.kind + " " + id
	}
	return id
}

// link puts an entry into the chains of those that it concerns.
func (a *audit) link(c object, e entry, hash []byte) {
	for _, link := range c.objs("chains") {
		chain := a.chains[link.str("participant")]
		head := make([]byte, len(hash))
		if len(chain) > 0 {
			head = chain[len(chain)-1]
		}
		must(link.num("n") == int64(len(chain)) && bytes.Equal(b64(link.str("prev")), head), "a party's chain")
	}
	if e.kind == "credited" || e.kind == "statement" {
		who, upTo := e.said.str("participant"), e.said.num("upTo")+e.said.num("to")
		chain := a.chains[who]
		must(upTo < int64(len(chain)) && bytes.Equal(chain[upTo], b64(e.said.str("head"))), "head")
		if e.kind == "credited" {
			must(upTo >= a.credited[who], "credited: less than before")
			a.credited[who] = upTo + 1
		} else {
			must(e.said.num("from") <= upTo && e.said.num("size") <= c.num("seq"), "statement: of what is not there")
			must(upTo >= a.credited[who], "statement: of what was credited later")
		}
	}
	for _, link := range c.objs("chains") {
		a.chains[link.str("participant")] = append(a.chains[link.str("participant")], hash)
	}
}

// sheet takes a rate sheet or its withdrawal.
func (a *audit) sheet(e entry) {
	x := e.said
	pair := strings.Join([]string{x.str("provider"), x.obj("pair").str("from"), x.obj("pair").str("to")}, " ")
	sheets, number := a.pairs[pair], x.num("number")
	if e.kind == "rate-withdrawal" {
		at := slices.IndexFunc(sheets, func(one *sheet) bool { return one.body.num("number") == number })
		must(at >= 0 && at >= len(sheets)-2 && sheets[at].withdrawn == math.MaxInt64, "there is no sheet %d to withdraw", number)
		sheets[at].withdrawn = e.time
		return
	}
	made := newSheet(x, e.time)
	if len(sheets) > 0 {
		newest := sheets[len(sheets)-1]
		must(number > newest.body.num("number"), "a sheet's number does not grow")
		newest.ends = e.time + 2_000
	}
	a.pairs[pair] = append(sheets, made)
	a.sheets[hash64(e.inner)] = made
}

// suspended: whoever was suspended all the time in which a transfer can have been reserved reserved none.
func (a *audit) suspended(parties ...string) {
	for _, who := range parties {
		active := slices.ContainsFunc(a.states[a.floor:a.size+1], func(s keyState) bool { return !s.stopped[who] })
		must(active, "%s was suspended when it was reserved", who)
	}
}

func (a *audit) at(name, currency string) balance {
	found, ok := a.books[account{name, currency}]
	if !ok {
		found = balance{new(big.Rat), new(big.Rat)}
		a.books[account{name, currency}] = found
	}
	return found
}

// cover: what is posted was allowed by a record that may have counted when it was reserved.
func (a *audit) cover(who, currency string) {
	position, liquidity := a.at(who+":position", currency), a.at(who+":liquidity", currency)
	for _, state := range a.states[a.floor : a.size+1] {
		record := state.records[who]
		if record == nil {
			continue
		}
		exposure := new(big.Rat).Sub(position.debits, a.at(who+":settled", currency).credits)
		if record.str("exposure") == "net" {
			exposure.Sub(exposure, position.credits)
		}
		most := new(big.Rat).Sub(liquidity.credits, liquidity.debits)
		for _, limit := range record.objs("caps") {
			if amount := exact(limit.str("amount")); limit.str("currency") == currency && amount.Cmp(most) < 0 {
				most = amount
			}
		}
		if exposure.Cmp(most) <= 0 {
			return
		}
	}
	must(false, "%s is beyond its cover in %s", who, currency)
}

// balanced: debits and credits of all accounts are the same, in each currency.
func (a *audit) balanced() {
	totals := map[string]*big.Rat{}
	for at, sums := range a.books {
		if totals[at.currency] == nil {
			totals[at.currency] = new(big.Rat)
		}
		totals[at.currency].Add(totals[at.currency], sums.debits)
		totals[at.currency].Sub(totals[at.currency], sums.credits)
	}
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		must(totals[currency].Sign() == 0, "postings in %s do not balance", currency)
	}
}

func checkLog(o options, place string) string {
	p, read := o.policy, open(place, o.token)
	var seen, seenKeys reader
	if o.newerThan != "" {
		seen = open(o.newerThan, "")
		seenKeys = seen.below("keys/")
	}
	raw, entries := read.entries(p, seen)
	c := p.open(raw, false)
	must(!strings.HasSuffix(c.Origin, "/keys"), "the key log, not a lane's")
	rawKeys, keyEntries := read.below("keys/").entries(p, seenKeys)
	a := audit{history: foldKeyLog(p, rawKeys, keyEntries, false), prev: make([]byte, 32),
		chains: map[string][][]byte{}, sheets: map[string]*sheet{}, pairs: map[string][]*sheet{},
		ended: map[string]bool{}, books: map[account]balance{}, credited: map[string]int64{},
		comeBack: comeBack{returned: map[string]*big.Rat{}, open: map[string]recalled{}},
		slots:    slots{map[int64]bool{}, map[string]bool{}},
		windows:  windows{origin: c.Origin, open: map[string]*openWindow{}, unsettled: map[string]*cutWindow{}}}
	a.hold(o.pinned)
	for seq, entry := range entries {
		func() {
			defer func() {
				if why := recover(); why != nil {
					panic(refusal(fmt.Sprintf("entry %d: %v", seq, why)))
				}
			}()
			e := a.judge(entry, c.Origin, a.sheets)
			p.judgeCarriedSeal(e)
			a.step(e, seq, leafHash(entry))
		}()
	}
	a.balanced()
	if len(a.states[len(a.states)-1].lanes) > 0 {
		a.judgeLog(c, a.size)
	}
	must(a.time <= c.sealedMs+2000, "the last entry is newer than its seal")
	return fmt.Sprintf("%d entries of %s, %d of the key log, root %s", len(entries), c.Origin,
		len(keyEntries), base64.StdEncoding.EncodeToString(c.Hash))
}
