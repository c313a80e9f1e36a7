package main

// Receipts: a tlog-proof with the entry in it. Alone it proves logged, sealed, these bytes; with a copy of
// the key log also who signed, by which keys, and at which price.

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	f_proof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

type keysCopy struct {
	history
	sheets map[string]string
}

// readKeys checks a copy of the key log, and finds its sheets' notes by their hash.
func readKeys(p policy, pinned map[string]string, text string) keysCopy {
	copied, ok := parseJSON(text).(object)
	must(ok, "keys: no copy of a key log")
	entries, sheets := []string{}, map[string]string{}
	for _, entry := range copied.list("entries") {
		entries = append(entries, entry.(string))
	}
	for _, note := range copied.list("sheets") {
		sheets[hash64(note.(string))] = note.(string)
	}
	history := foldKeyLog(p, copied.str("checkpoint"), entries, false)
	history.hold(pinned)
	return keysCopy{history, sheets}
}

// hold refuses a participant that began with another root key than the pinned one, or that was never pinned.
func (h history) hold(pinned map[string]string) {
	begun := h.states[len(h.states)-1].begun
	for _, who := range slices.Sorted(maps.Keys(begun)) {
		must(pinned == nil || pinned[who] == begun[who], "roots: %s began with a root key that is not the pinned one", who)
	}
}

// parseRoots reads lines `participant verifier-key`.
func parseRoots(text string) map[string]string {
	pinned := map[string]string{}
	for at, row := range strings.Split(text, "\n") {
		f := strings.Fields(row)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		must(len(f) == 2 && pinned[f[0]] == "", "roots: line %d", at+1)
		parseKey(f[1], ed25519Key)
		pinned[f[0]] = f[1]
	}
	return pinned
}

// readSheet: signed by a key of its provider that was in force when the sheet began to hold.
func (k keysCopy) readSheet(raw, origin string, s keyState) *sheet {
	note := parseNote(raw)
	x, _ := statement(note.text, origin, "rate-sheet", "rate-sheet")
	from, keys := ms(x.str("from")), []key{}
	for _, one := range s.keys {
		inForce := one.revoked < 0 || k.times[one.revoked] > from
		if one.who == x.str("provider") && one.purpose == "rate-sheet" && inForce {
			keys = append(keys, one.key)
		}
	}
	must(len(note.signed(keys...)) > 0, "sheet: not signed by its provider")
	return newSheet(x, from)
}

// sealed is an entry that a quorum has cosigned; nothing is known yet of who signed it.
type sealed struct {
	raw     string
	origin  string
	context object
	seal    checkpoint
}

func openReceipt(p policy, data []byte) sealed {
	var r f_proof.TLogProof
	err := r.Unmarshal(data)
	must(err == nil && bytes.Equal(r.Marshal(), data), "receipt: malformed")
	must(len(r.ExtraData) > 0 && len(r.Hashes) <= 63, "receipt: without its entry")
	c := p.open(string(r.Checkpoint), true)
	must(!strings.HasSuffix(c.Origin, "/keys"), "receipt: of the key log")
	path := [][]byte{}
	for _, hash := range r.Hashes {
		path = append(path, hash[:])
	}
	raw := string(r.ExtraData)
	err = proof.VerifyInclusion(rfc6962.DefaultHasher, r.Index, c.Size, leafHash(raw), path, c.Hash)
	must(err == nil, "receipt: %v", err)
	context, inner := statement(parseNote(raw).text, c.Origin, "entry", "entry")
	parseNote(inner)
	must(context.num("seq") == int64(r.Index), "receipt: the entry is of another place")
	must(ms(context.str("time")) <= c.sealedMs+2000, "receipt: the entry is newer than its seal")
	return sealed{raw, c.Origin, context, c}
}

// judgeSealed gives what an entry says, and whether its sheet was at hand.
func (k keysCopy) judgeSealed(r sealed) (entry, bool) {
	size := int(r.context.obj("keys").num("size"))
	must(size < len(k.states), "receipt: the copy of the key log is too old")
	k.judgeLog(r.seal, size)
	e := k.judge(r.raw, r.origin, nil)
	hash := e.said.obj("sheet").str("hash")
	note, atHand := k.sheets[hash]
	if e.outcome != "committed" || !atHand {
		return e, false
	}
	k.judge(r.raw, r.origin, map[string]*sheet{hash: k.readSheet(note, r.origin, k.states[size])})
	return e, true
}

func checkReceipt(p policy, keys *keysCopy, data []byte) string {
	r := openReceipt(p, data)
	if keys == nil {
		return "sealed; not checked: keys, parties, policy, conversion"
	}
	if _, priced := keys.judgeSealed(r); !priced {
		return "sealed, keys, parties, policy; not checked: conversion"
	}
	return "sealed, keys, parties, policy, conversion"
}
