package main

// The key log: who takes part, and whose key counted when. The rules are those of packages/rules.

import (
	"cmp"
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
	given     []object // lanes of every record so far, in order
	stopped   map[string]bool
	records   map[string]object
	bound     map[string]string // the policy that everything a participant pays must cite
	corridors map[string]object
	logKey    key   // of the key log itself
	retired   []key // that signed a log's checkpoints, and roots that were replaced: they do no more
	nextRoots map[string]nextRoot
	begun     map[string]string // root keys that no older one signed for: at entry, or in place of a lost one
}

// nextRoot is a root key that is to replace a lost one, and since when that is public.
type nextRoot struct {
	vkey  string
	since int64
}

// history has the state and the root at each size of the key log, and its entries' times.
type history struct {
	states []keyState
	roots  []string
	times  []int64
}

func (s keyState) apply(origin, inner string, place int, time int64) keyState {
	note := parseNote(inner)
	kind := kindOf(note.text)
	x, _ := statement(note.text, origin, kind, kind)
	by := func(keys ...key) int { return len(note.signed(keys...)) }
	who := x.str("participant")
	root, isKnown := s.roots[who]
	needed := map[string]int{"ledger": 2, "participant": 1, "key": 0, "revocation": 0,
		"suspension": 2, "fee-schedule": 2, "policy": 2, "binding": 2, "lanes": 2, "corridor": 2,
		"log-key": 2, "root-recovery": 2}
	if kind == "root-recovery" && x["withdrawn"] == true && isKnown && by(root) == 1 {
		needed[kind] = 0
	}
	if x["suspended"] == true {
		needed["suspension"] = 1
	}
	note.signed(s.known()...) // a bad line of any of them refuses the statement
	least, isRecord := needed[kind]
	must(isRecord, "key log: a %s", kind)
	must(by(s.operators...) >= least || kind == "ledger" && s.ledger == nil, "%s: too few operators signed", kind)
	if kind == "ledger" {
		must(s.ledger == nil || s.ledger.str("operator") == x.str("operator"), "ledger: another operator")
		entry := parseKey(x.str("entryKey"), ed25519Key)
		known, all := s.operators, []key{}
		for _, vkey := range x.list("operators") {
			own := parseKey(vkey.(string), ed25519Key)
			same := func(other key) bool { return other.public == own.public }
			must(!slices.ContainsFunc(all, same), "ledger: an operator twice")
			must(slices.ContainsFunc(known, same) || by(own) == 1, "ledger: a new operator has not signed")
			all = append(all, own)
		}
		for _, one := range append([]key{entry}, all...) {
			must(!one.among(append(s.logKeys(), s.participantKeys()...)), "ledger: a key that signs for a log or a participant, or did")
		}
		must(!entry.among(all), "ledger: the entry key is an operator's")
		s.ledger, s.operators = x, all
	}
	if kind == "participant" {
		own := parseKey(x.str("rootKey"), ed25519Key)
		lost := isKnown && by(root) != 1 && s.records[who].str("rootKey") != x.str("rootKey")
		if lost {
			next, wait := s.nextRoots[who], s.records[who].obj("recovery")
			must(wait != nil && next.vkey == x.str("rootKey"), "%s has another root key", who)
			must(time >= next.since+1000*wait.num("waitSeconds") && by(s.operators...) >= 2, "%s: too early, or by too few", who)
		}
		if s.records[who].str("rootKey") != x.str("rootKey") {
			must(!s.signsElsewhere(own), "participant: a root key that signs something already")
			if isKnown {
				s.retired = append(slices.Clone(s.retired), root)
			}
		}
		if !isKnown || lost {
			s.begun = maps.Clone(s.begun)
			s.begun[who] = x.str("rootKey")
		}
		s.nextRoots = maps.Clone(s.nextRoots)
		delete(s.nextRoots, who)
		root, isKnown = own, true
		s.roots = maps.Clone(s.roots)
		s.roots[who] = own
		s.records = maps.Clone(s.records)
		s.records[who] = x
	}
	if who != "" && kind != "suspension" && kind != "root-recovery" {
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
		_, taken := s.keys[own.ident]
		must(!taken && !s.signsElsewhere(own), "key: it signs something already")
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
		if x["scheduler"] != nil {
			parseKey(x.str("scheduler"), ed25519Key)
		}
		for name, other := range s.corridors {
			for _, pair := range other.objs("pairs") {
				same := func(one object) bool { return maps.Equal(one, pair) }
				must(name == x.str("corridor") || !slices.ContainsFunc(x.objs("pairs"), same), "corridor: a pair twice")
			}
		}
		s.corridors = maps.Clone(s.corridors)
		s.corridors[x.str("corridor")] = x
	case kind == "lanes":
		for _, lane := range x.objs("lanes") {
			at := s.lane(lane.str("origin"))
			must(at < 0 || s.lanes[at].str("vkey") == lane.str("vkey"), "lanes: another log key")
			own, others := parseKey(lane.str("vkey"), ed25519Key), s
			others.lanes = nil
			must(at >= 0 || !others.signsElsewhere(own), "lanes: a key that signs something else")
		}
		mustDivide(x.objs("lanes"))
		mustKeep(s.lanes, x.objs("lanes"))
		s.lanes = x.objs("lanes")
		s.given = append(slices.Clip(s.given), s.lanes...)
	case kind == "log-key":
		s = s.renew(origin, x, by)
	case kind == "root-recovery":
		next := x.str("rootKey")
		s.nextRoots = maps.Clone(s.nextRoots)
		if x["withdrawn"] == true {
			must(s.nextRoots[who].vkey == next, "recovery: nothing to withdraw")
			delete(s.nextRoots, who)
			break
		}
		must(isKnown && s.records[who].obj("recovery") != nil, "recovery: %s has not agreed to it", who)
		own := parseKey(next, ed25519Key)
		must(!s.signsElsewhere(own) && by(own) == 1, "recovery: the new root")
		s.nextRoots[who] = nextRoot{next, time}
	case kind == "fee-schedule" || kind == "policy":
		must(s.named[name] == nil, "%s: twice", name)
		s.named = maps.Clone(s.named)
		s.named[name] = x
	}
	return s
}

// mustDivide refuses lanes of which two would decide the same slot: a transfer could end in both.
func mustDivide(lanes []object) {
	spans := []object{}
	for _, lane := range lanes {
		for _, span := range lane.objs("slots") {
			if span.num("from") < span.num("to") {
				spans = append(spans, span)
			}
		}
	}
	slices.SortFunc(spans, func(a, b object) int { return cmp.Compare(a.num("from"), b.num("from")) })
	for i := 1; i < len(spans); i++ {
		must(spans[i-1].num("to") <= spans[i].num("from"), "lanes: a slot twice")
	}
}

// hasSlot says whether a lane was given a slot by its record.
func hasSlot(lane object, slot int64) bool {
	return slices.ContainsFunc(lane.objs("slots"), func(span object) bool {
		return span.num("from") <= slot && slot < span.num("to")
	})
}

// mustKeep refuses a record by which a slot would have no lane that had one.
func mustKeep(before, now []object) {
	for slot := range int64(1024) {
		has := func(lane object) bool { return hasSlot(lane, slot) }
		must(!slices.ContainsFunc(before, has) || slices.ContainsFunc(now, has), "lanes: slot %d is left alone", slot)
	}
}

// lane is the place of a log among the lanes, or −1.
func (s keyState) lane(origin string) int {
	return slices.IndexFunc(s.lanes, func(lane object) bool { return lane.str("origin") == origin })
}

func (k key) among(others []key) bool {
	return slices.ContainsFunc(others, func(other key) bool { return other.public == k.public })
}

// logKeys are what signs checkpoints, or did.
func (s keyState) logKeys() []key {
	found := append([]key{s.logKey}, s.retired...)
	for _, lane := range s.lanes {
		found = append(found, parseKey(lane.str("vkey"), ed25519Key))
	}
	return found
}

// participantKeys are what signs for a participant, or did; a root that was replaced is among the retired.
func (s keyState) participantKeys() []key {
	found := slices.Collect(maps.Values(s.roots))
	for _, one := range s.keys {
		found = append(found, one.key)
	}
	return found
}

// known are what signs anything, or did.
func (s keyState) known() []key {
	found := append(s.logKeys(), s.operators...)
	if s.ledger != nil {
		found = append(found, parseKey(s.ledger.str("entryKey"), ed25519Key))
	}
	return append(found, s.participantKeys()...)
}

// signsElsewhere: a key has one purpose, and none comes back.
func (s keyState) signsElsewhere(own key) bool { return own.among(s.known()) }

// renew replaces the key of a log, by two operators and the new key; a line of the old one has to be good.
func (s keyState) renew(origin string, x object, by func(...key) int) keyState {
	log, own := x.str("log"), parseKey(x.str("vkey"), ed25519Key)
	must(strings.HasPrefix(own.ident, log+"+") && by(own) == 1, "log-key: not its own")
	must(!s.signsElsewhere(own), "log-key: it signs something already")
	old, at := s.logKey, s.lane(log)
	if log == origin {
		s.logKey = own
	} else {
		must(at >= 0, "log-key: of no log")
		old = parseKey(s.lanes[at].str("vkey"), ed25519Key)
		s.lanes = slices.Clone(s.lanes)
		s.lanes[at] = maps.Clone(s.lanes[at])
		s.lanes[at]["vkey"] = x.str("vkey")
	}
	by(old)
	s.retired = append(slices.Clone(s.retired), old)
	return s
}

// judgeLog: a checkpoint counts by a key that the key log names for its log where the entry stands, or later.
func (h history) judgeLog(c checkpoint, cited int) {
	for _, s := range h.states[cited:] {
		at := s.lane(c.Origin)
		if at >= 0 && parseKey(s.lanes[at].str("vkey"), ed25519Key).public == c.log.public {
			return
		}
	}
	must(false, "lane: it has another key")
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
		records: map[string]object{}, bound: map[string]string{}, corridors: map[string]object{},
		nextRoots: map[string]nextRoot{}, begun: map[string]string{}, logKey: c.log}
	pinned := p.logs[c.Origin]
	said := map[string]bool{}
	h := history{states: []keyState{nobody}, roots: []string{rootOf(tree)}}
	prev, last := make([]byte, sha256.Size), int64(0)
	for seq, entry := range entries {
		note := parseNote(entry)
		x, inner := statement(note.text, c.Origin, "entry", "key-entry")
		signers := note.signed(pinned...)
		if seq == 0 {
			for _, one := range pinned {
				if signers[one.ident] != nil {
					nobody.logKey = one
				}
			}
			h.states[0] = nobody
		}
		must(x.num("seq") == int64(seq) && string(b64(x.str("prev"))) == string(prev), "key log %d: not in its place", seq)
		must(ms(x.str("time")) >= last, "key log %d: time runs backwards", seq)
		prev, last = leafHash(entry), ms(x.str("time"))
		must(tree.Append(prev, nil) == nil, "key log")
		text := parseNote(inner).text
		must(!said[text], "key log %d: said before", seq)
		said[text] = true
		s := h.states[seq].apply(c.Origin, inner, seq, last)
		must(signers[s.logKey.ident] != nil, "key log %d: not signed by the key in force; if it names another, add its line", seq)
		h.states = append(h.states, s)
		h.roots = append(h.roots, rootOf(tree))
		h.times = append(h.times, last)
	}
	must(h.states[len(entries)].logKey.public == c.log.public, "key log: its checkpoint's key was replaced")
	must(rootOf(tree) == string(c.Hash), "key log: not the entries that were cosigned")
	return h
}
