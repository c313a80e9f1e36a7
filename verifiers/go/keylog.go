package main

// The key log: who takes part, and whose key counted when. The rules are those of packages/rules.

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

type registered struct {
	key
	who, purpose string
	revoked      int // place in the key log from which it counts no more, or −1
}

type keyState struct {
	ledger    object
	operators []key
	roots     map[string]key
	keys      map[string]registered
	named     map[string]object // fee schedules and policies, by kind and name
	lanes     []object
	stopped   map[string]bool
	records   map[string]object
	bound     map[string]string // the policy that everything a participant pays must cite
	corridors map[string]object
}

// history has the state and the root at each size of the key log, and its entries' times.
type history struct {
	states []keyState
	roots  []string
	times  []int64
}

func (s keyState) apply(origin, inner string, place int) keyState {
	note := parseNote(inner)
	kind := kindOf(note.text)
	x, _ := statement(note.text, origin, kind, kind)
	by := func(keys ...key) int { return len(note.signed(keys...)) }
	who := x.str("participant")
	root, isKnown := s.roots[who]
	needed := map[string]int{"ledger": 2, "participant": 1, "key": 0, "revocation": 0,
		"suspension": 2, "fee-schedule": 2, "policy": 2, "binding": 2, "lanes": 2, "corridor": 2}
	if x["suspended"] == true {
		needed["suspension"] = 1
	}
	least, isRecord := needed[kind]
	must(isRecord, "key log: a %s", kind)
	must(by(s.operators...) >= least || kind == "ledger" && s.ledger == nil, "%s: too few operators signed", kind)
	if kind == "ledger" {
		must(s.ledger == nil || s.ledger.str("operator") == x.str("operator"), "ledger: another operator")
		parseKey(x.str("entryKey"), ed25519Key)
		known, all := s.operators, []key{}
		for _, vkey := range x.list("operators") {
			own := parseKey(vkey.(string), ed25519Key)
			same := func(other key) bool { return other.public == own.public }
			must(!slices.ContainsFunc(all, same), "ledger: an operator twice")
			must(slices.ContainsFunc(known, same) || by(own) == 1, "ledger: a new operator has not signed")
			all = append(all, own)
		}
		s.ledger, s.operators = x, all
	}
	if kind == "participant" {
		own := parseKey(x.str("rootKey"), ed25519Key)
		must(!isKnown || by(root) == 1, "%s has another root key", who)
		root, isKnown = own, true
		s.roots = maps.Clone(s.roots)
		s.roots[who] = own
		s.records = maps.Clone(s.records)
		s.records[who] = x
	}
	if who != "" && kind != "suspension" {
		must(isKnown && by(root) == 1, "%s: the root key of %s has not signed", kind, who)
	}
	name := kind + " " + x.str("schedule") + x.str("policy")
	vkey := x.str("vkey")
	switch {
	case kind == "key" && x.str("purpose") == "envelope":
		must(vkey == "" && len(b64(x.str("x25519"))) == 32, "key: fields")
	case kind == "key":
		own := parseKey(vkey, ed25519Key)
		must(x["x25519"] == nil && strings.HasPrefix(vkey, who+"/") && by(own) == 1, "key: not its owner's")
		for ident, other := range s.keys {
			must(ident != own.ident && other.public != own.public, "key: registered already")
		}
		s.keys = maps.Clone(s.keys)
		s.keys[own.ident] = registered{own, who, x.str("purpose"), -1}
	case kind == "revocation":
		found, ok := s.keys[parseKey(vkey, ed25519Key).ident]
		must(ok && found.who == who && found.revoked < 0, "revocation: of no key of %s", who)
		found.revoked = place
		s.keys = maps.Clone(s.keys)
		s.keys[found.ident] = found
	case kind == "suspension":
		must(isKnown, "suspension: of nobody")
		s.stopped = maps.Clone(s.stopped)
		s.stopped[who] = x["suspended"] == true
	case kind == "binding":
		must(s.named["policy "+x.str("policy")] != nil, "binding: to no policy")
		s.bound = maps.Clone(s.bound)
		s.bound[who] = x.str("policy")
	case kind == "corridor":
		must(slices.Contains(s.records[x.str("bank")].list("roles"), any("settlement-bank")), "corridor: of no bank")
		for name, other := range s.corridors {
			for _, pair := range other.objs("pairs") {
				same := func(one object) bool { return maps.Equal(one, pair) }
				must(name == x.str("corridor") || !slices.ContainsFunc(x.objs("pairs"), same), "corridor: a pair twice")
			}
		}
		s.corridors = maps.Clone(s.corridors)
		s.corridors[x.str("corridor")] = x
	case kind == "lanes":
		s.lanes = x.objs("lanes")
	case kind == "fee-schedule" || kind == "policy":
		must(s.named[name] == nil, "%s: twice", name)
		s.named = maps.Clone(s.named)
		s.named[name] = x
	}
	return s
}

var ranges = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

func rootOf(tree *compact.Range) string {
	if tree.End() == 0 {
		return string(rfc6962.DefaultHasher.EmptyRoot())
	}
	root, err := tree.GetRootHash(nil)
	must(err == nil, "%v", err)
	return string(root)
}

func leafHash(entry string) []byte { return rfc6962.DefaultHasher.HashLeaf([]byte(entry)) }

// hash64 is how one note cites another.
func hash64(note string) string {
	hash := sha256.Sum256([]byte(note))
	return base64.StdEncoding.EncodeToString(hash[:])
}

// foldKeyLog replays a key log; exact refuses a line of its checkpoint that is neither the log's nor a quorum's.
func foldKeyLog(p policy, raw string, entries []string, exact bool) history {
	c := p.open(raw, exact)
	must(strings.HasSuffix(c.Origin, "/keys"), "key log: %s is none", c.Origin)
	must(c.Size == uint64(len(entries)), "key log: its checkpoint is of another state")
	tree := ranges.NewEmptyRange(0)
	nobody := keyState{roots: map[string]key{}, keys: map[string]registered{}, named: map[string]object{}, stopped: map[string]bool{},
		records: map[string]object{}, bound: map[string]string{}, corridors: map[string]object{}}
	said := map[string]bool{}
	h := history{states: []keyState{nobody}, roots: []string{rootOf(tree)}}
	prev, last := make([]byte, sha256.Size), int64(0)
	for seq, entry := range entries {
		note := parseNote(entry)
		x, inner := statement(note.text, c.Origin, "entry", "key-entry")
		must(len(note.signed(p.logs[c.Origin])) == 1, "key log %d: not signed", seq)
		must(x.num("seq") == int64(seq) && string(b64(x.str("prev"))) == string(prev), "key log %d: not in its place", seq)
		must(ms(x.str("time")) >= last, "key log %d: time runs backwards", seq)
		prev, last = leafHash(entry), ms(x.str("time"))
		must(tree.Append(prev, nil) == nil, "key log")
		text := parseNote(inner).text
		must(!said[text], "key log %d: said before", seq)
		said[text] = true
		h.states = append(h.states, h.states[seq].apply(c.Origin, inner, seq))
		h.roots = append(h.roots, rootOf(tree))
		h.times = append(h.times, last)
	}
	must(rootOf(tree) == string(c.Hash), "key log: not the entries that were cosigned")
	return h
}
