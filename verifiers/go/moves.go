package main

// What moves from one lane to another: cover leaves by an entry that two operators have signed, and comes in
// by an entry of the ledger's own, which holds the first whole and a proof that it is in its log.

import (
	"slices"
	"strings"

	f_log "github.com/transparency-dev/formats/log"
	f_proof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// carriedKinds take in what another lane has let go.
var carriedKinds = []string{"liquidity-in", "slots-in"}

// carriedProof reads the proof that stands in a statement; the entry itself stands below it.
func carriedProof(x object) (f_proof.TLogProof, string) {
	var r f_proof.TLogProof
	text := []byte(x.str("proof"))
	err := r.Unmarshal(text)
	must(err == nil && string(r.Marshal()) == string(text), "in: its proof is malformed")
	must(len(r.ExtraData) == 0 && len(r.Hashes) <= 63, "in: its proof holds more than a proof")
	return r, string(r.Checkpoint)
}

// carried judges what another lane let go: the entry, and that a key of that lane has signed its log.
func (h history) carried(e entry, below, origin string, s keyState) *entry {
	x, from := e.said, e.said.str("from")
	isFrom := func(lane object) bool { return lane.str("origin") == from }
	must(from != origin && slices.ContainsFunc(s.given, isFrom), "in: from no other lane")
	gone := h.judge(below, from, nil)
	must(gone.kind == strings.TrimSuffix(e.kind, "in")+"out" && gone.said.str("to") == origin, "in: it was not let go for this lane")
	size := int(gone.context.obj("keys").num("size"))
	must(size <= int(e.context.obj("keys").num("size")), "in: it cites less of the key log than what it carries")
	r, raw := carriedProof(x)
	must(gone.context.num("seq") == int64(r.Index), "in: the proof is of another entry")
	note := parseNote(raw)
	var c f_log.Checkpoint
	rest, err := c.Unmarshal([]byte(note.text))
	must(err == nil && string(c.Marshal())+string(rest) == note.text, "in: its checkpoint is malformed")
	must(c.Origin == from, "in: a checkpoint of another log")
	path := [][]byte{}
	for _, hash := range r.Hashes {
		path = append(path, hash[:])
	}
	err = proof.VerifyInclusion(rfc6962.DefaultHasher, r.Index, c.Size, leafHash(below), path, c.Hash)
	must(err == nil, "in: %v", err)
	signed := false
	for _, state := range h.states[size : e.context.obj("keys").num("size")+1] {
		if at := state.lane(from); at >= 0 && !signed {
			signed = len(note.signed(parseKey(state.lanes[at].str("vkey"), ed25519Key))) > 0
		}
	}
	must(signed, "in: no key of %s has signed the checkpoint", from)
	return &gone
}

// judgeCarriedSeal: what is taken in was sealed in the other lane, by the policy's quorum.
func (p policy) judgeCarriedSeal(e entry) {
	if !slices.Contains(carriedKinds, e.kind) {
		return
	}
	_, raw := carriedProof(e.said)
	c := p.open(raw, false)
	must(c.Origin == e.said.str("from") && !strings.HasSuffix(c.Origin, "/keys"), "in: another log's seal")
}

// slots are what a lane decides, as far as it is not what the key log gave it first; and the ids that were
// open in it when their slot left.
type slots struct {
	moved map[int64]bool
	open  map[string]bool
}

func spans(x object) []int64 {
	all := []int64{}
	for _, span := range x.objs("slots") {
		for slot := span.num("from"); slot < span.num("to"); slot++ {
			all = append(all, slot)
		}
	}
	return all
}

func (o slots) decides(slot int64, origin string, s keyState) bool {
	if here, known := o.moved[slot]; known {
		return here
	}
	first := slices.IndexFunc(s.given, func(lane object) bool { return hasSlot(lane, slot) })
	return first >= 0 && s.given[first].str("origin") == origin
}

// follow takes slots that leave and come, and refuses an entry about an id of a slot that is not here.
func (o slots) follow(e entry, origin string, s keyState) {
	beside := e.original != nil && e.id != "" && slotOf(e.original.terms.str("id")) == slotOf(e.id)
	must(e.id == "" || beside || o.open[e.id] || o.decides(slotOf(e.id), origin, s), "lane: %s is another lane's by now", e.id)
	switch e.kind {
	case "slots-out":
		to := e.said.str("to")
		at := s.lane(to)
		must(to != origin && at >= 0, "slots: to no other lane")
		for _, slot := range spans(e.said) {
			must(o.decides(slot, origin, s) && hasSlot(s.lanes[at], slot), "slots: %d does not go there from here", slot)
			o.moved[slot] = false
		}
		for _, id := range e.said.list("open") {
			o.open[id.(string)] = true
		}
	case "slots-in":
		for _, slot := range spans(e.gone.said) {
			must(!o.decides(slot, origin, s), "slots: %d is here already", slot)
			o.moved[slot] = true
		}
	}
}
