package main

// Signed notes, policies and checkpoints, on top of golang.org/x/mod/sumdb/note and
// transparency-dev/formats. Those open a note when one known signature is good, and take base64 in
// several spellings: here every line is read strictly, and every line of a known key must be good.

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"filippo.io/edwards25519"
	f_log "github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// refusal is why something does not stand; must panics with it and verdict catches it.
type refusal string

func must(holds bool, format string, args ...any) {
	if !holds {
		panic(refusal(fmt.Sprintf(format, args...)))
	}
}

func b64(text string) []byte {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	must(err == nil && base64.StdEncoding.EncodeToString(data) == text, "base64: %.60q", text)
	return data
}

// key is a verifier key; ident is what a signature line says of it.
type key struct {
	ident  string
	kind   byte
	public string
	verify func(msg, sig []byte) bool
}

const (
	ed25519Key  = 1
	cosignature = 4
)

func identOf(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

var (
	parsed   = map[string]key{}
	one, _   = new(edwards25519.Scalar).SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	minusOne = new(edwards25519.Scalar).Negate(one)
)

// admit refuses a public key that is not canonical, or not of prime order.
func admit(public []byte) {
	point, err := new(edwards25519.Point).SetBytes(public)
	must(err == nil && bytes.Equal(point.Bytes(), public), "key: no canonical point")
	last := new(edwards25519.Point).ScalarMult(minusOne, point) // (order − 1) · point
	identity := edwards25519.NewIdentityPoint()
	must(last.Add(last, point).Equal(identity) == 1 && point.Equal(identity) == 0,
		"key: not of prime order")
}

// parseKey reads a verifier key and admits it.
func parseKey(vkey string, kind byte) key {
	if known, ok := parsed[vkey]; ok && known.kind == kind {
		return known
	}
	parts := strings.SplitN(vkey, "+", 3)
	must(len(parts) == 3, "key: %q", vkey)
	data := b64(parts[2])
	must(len(data) == 33 && data[0] == kind, "key: another type of %s", parts[0])
	admit(data[1:])
	var verifier note.Verifier
	var err error
	if kind == ed25519Key {
		verifier, err = note.NewVerifier(vkey)
	} else {
		verifier, err = f_note.NewVerifierForCosignatureV1(vkey)
	}
	must(err == nil, "key: %v", err)
	made := key{identOf(verifier.Name(), verifier.KeyHash()), kind, string(data[1:]), verifier.Verify}
	must(made.ident == parts[0]+"+"+parts[1], "key: the id is not its own")
	parsed[vkey] = made
	return made
}

type line struct {
	ident string
	sig   []byte
}

type signedNote struct {
	text  string
	lines []line
}

func parseNote(raw string) signedNote {
	must(utf8.ValidString(raw) && strings.IndexFunc(raw, func(r rune) bool {
		return r < ' ' && r != '\n'
	}) < 0, "note: a forbidden character")
	split := strings.LastIndex(raw, "\n\n")
	must(split >= 0 && strings.HasSuffix(raw, "\n") && split+2 < len(raw), "note: malformed")
	opened := signedNote{text: raw[:split+1]}
	for _, one := range strings.Split(raw[split+2:len(raw)-1], "\n") {
		rest, dash := strings.CutPrefix(one, "— ")
		name, sig, found := strings.Cut(rest, " ")
		bad := name == "" || strings.ContainsRune(name, '+') || strings.IndexFunc(name, unicode.IsSpace) >= 0
		must(dash && found && !bad, "note: a malformed line")
		data := b64(sig)
		must(len(data) > 4, "note: a short signature")
		opened.lines = append(opened.lines, line{fmt.Sprintf("%s+%x", name, data[:4]), data[4:]})
	}
	must(len(opened.lines) <= 100, "note: more than 100 lines")
	return opened
}

// judged remembers signatures: one note is asked for several keys, and one key log by many receipts.
var judged = map[[3]string]bool{}

const mostJudged = 1 << 14

func verifies(by key, text string, sig []byte) bool {
	what := [3]string{string(rune(by.kind)) + by.public, text, string(sig)}
	good, known := judged[what]
	if !known {
		good = by.verify([]byte(text), sig)
		if len(judged) >= mostJudged {
			clear(judged)
		}
		judged[what] = good
	}
	return good
}

// signed gives those of keys that signed; a bad line of a known key refuses the note.
func (n signedNote) signed(keys ...key) map[string][]byte {
	found := map[string][]byte{}
	for _, one := range n.lines {
		at := slices.IndexFunc(keys, func(k key) bool { return k.ident == one.ident })
		if at < 0 {
			continue
		}
		must(verifies(keys[at], n.text, one.sig), "bad signature of %s", one.ident)
		found[one.ident] = one.sig
	}
	return found
}

// policy is a C2SP tlog-policy.
type policy struct {
	logs      map[string][]key // by origin: the key in force, and those before it
	witnesses map[string]key
	groups    map[string]group
	quorum    string
}

type group struct {
	least   int
	members []string
}

func parsePolicy(text string) policy {
	p := policy{map[string][]key{}, map[string]key{}, map[string]group{}, ""}
	must(strings.HasSuffix(text, "\n"), "policy: its last line does not end in a newline")
	control := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f })
	must(control < 0, "policy: a forbidden character") // what is not ASCII may be anything
	once := map[string]bool{}
	for at, row := range strings.Split(text, "\n") {
		f := strings.FieldsFunc(row, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		func() {
			defer func() {
				if why := recover(); why != nil {
					panic(refusal(fmt.Sprintf("policy: line %d: %v", at+1, why)))
				}
			}()
			p.read(f, once)
		}()
	}
	must(p.quorum != "", "policy: it asks for no witness")
	return p
}

var threshold = regexp.MustCompile(`^[1-9][0-9]{0,5}$`)

// read takes one line. Names are defined before they are used; once has what a policy says only once: a key
// is one witness, and a member of one group, so that no witness counts twice.
func (p *policy) read(f []string, once map[string]bool) {
	first := func(what, of string) {
		must(!once[what+" "+of], "a %s twice", what)
		once[what+" "+of] = true
	}
	defined := func(name string) { must(once["name "+name], "%s is not defined before it", name) }
	define := func(name string) {
		must(name != "none", "the name none cannot be defined")
		first("name", name)
	}
	switch {
	case f[0] == "log" && (len(f) == 2 || len(f) == 3):
		log := parseKey(f[1], ed25519Key)
		first("log's key", log.public)
		origin := strings.SplitN(f[1], "+", 2)[0]
		p.logs[origin] = append(p.logs[origin], log)
	case f[0] == "witness" && (len(f) == 3 || len(f) == 4):
		witness := parseKey(f[2], cosignature)
		define(f[1])
		first("witness's key", witness.public)
		p.witnesses[f[1]] = witness
	case f[0] == "group" && len(f) >= 4:
		members := f[3:]
		for _, member := range members {
			defined(member)
			first("member", member)
		}
		define(f[1])
		least := len(members)
		if f[2] == "any" {
			least = 1
		} else if f[2] != "all" {
			least = 0
			if threshold.MatchString(f[2]) {
				least, _ = strconv.Atoi(f[2])
			}
		}
		must(least >= 1 && least <= len(members), "a threshold is from 1 to n")
		p.groups[f[1]] = group{least, members}
	case f[0] == "quorum" && len(f) == 2 && p.quorum == "":
		defined(f[1])
		p.quorum = f[1]
	default:
		must(false, "a policy has no such line")
	}
}

// fewest is how many of the witnesses that cosigned make up a name of the policy.
func (p policy) fewest(name string, have map[string][]byte) float64 {
	if witness, ok := p.witnesses[name]; ok {
		if have[witness.ident] == nil {
			return math.Inf(1)
		}
		return 1
	}
	needs := []float64{}
	for _, member := range p.groups[name].members {
		needs = append(needs, p.fewest(member, have))
	}
	slices.Sort(needs)
	total := 0.0
	for _, one := range needs[:min(len(needs), p.groups[name].least)] {
		total += one
	}
	return total
}

type checkpoint struct {
	f_log.Checkpoint
	log      key
	sealedMs int64
}

// open checks a checkpoint's log and its quorum; exact refuses every other line.
func (p policy) open(raw string, exact bool) checkpoint {
	opened := parseNote(raw)
	var c checkpoint
	rest, err := c.Unmarshal([]byte(opened.text))
	must(err == nil && string(c.Marshal())+string(rest) == opened.text, "checkpoint: malformed")
	must(len(c.Hash) == sha256.Size && c.Size < 1<<53, "checkpoint: size or root")
	logs, known := p.logs[c.Origin]
	must(known, "checkpoint: of %s, which the policy does not name", c.Origin)
	keys := slices.Clone(logs)
	for _, witness := range p.witnesses {
		keys = append(keys, witness)
	}
	found := opened.signed(keys...)
	at := slices.IndexFunc(logs, func(log key) bool { return found[log.ident] != nil })
	must(at >= 0, "checkpoint: no log key of the policy has signed; if the key log names another, add its line")
	c.log = logs[at]
	need := p.fewest(p.quorum, found)
	must(!math.IsInf(need, 0), "checkpoint: too few cosignatures")
	must(!exact || len(opened.lines) == len(found) && float64(len(found)) == 1+need,
		"checkpoint: a line too many")
	times := []int64{}
	for ident, sig := range found {
		if !slices.ContainsFunc(logs, func(log key) bool { return log.ident == ident }) {
			seconds := binary.BigEndian.Uint64(sig)
			must(seconds < 1<<53, "checkpoint: a cosignature's time")
			times = append(times, int64(seconds)*1000)
		}
	}
	// The middle one, of two the earlier: no single witness that lies can move it.
	slices.Sort(times)
	c.sealedMs = times[(len(times)-1)/2]
	return c
}
