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
var carriedKinds = []string{"liquidity-in"}

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
func (h history) carried(x object, below, origin string, s keyState) entry {
	from := x.str("from")
	must(from != origin && s.lane(from) >= 0, "in: from no other lane")
	gone := h.judge(below, from, nil)
	must(gone.kind == "liquidity-out" && gone.said.str("to") == origin, "in: it was not let go for this lane")
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
	for _, state := range h.states[gone.context.obj("keys").num("size"):] {
		if at := state.lane(from); at >= 0 && !signed {
			signed = len(note.signed(parseKey(state.lanes[at].str("vkey"), ed25519Key))) > 0
		}
	}
	must(signed, "in: no key of %s has signed the checkpoint", from)
	return gone
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
