package main

// Bundles and participants' exports (docs/formats/bundle.md): receipts with the key log, the sheets and the
// openings that belong to them. One set of facts has one file: every line is judged, and its place too.

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	bundleHeader    = "sealane/bundle/v1"
	longestLine     = 256 << 10
	mostBundleLines = 1_000_000
)

// Kinds of line in their order, and how many fields each has.
var (
	bundleKinds  = []string{"key-log-checkpoint", "key-log-entry", "sheet", "chain", "receipt", "disclosure"}
	bundleFields = []int{1, 1, 1, 4, 1, 3}
	place        = regexp.MustCompile(`^(?:0|[1-9][0-9]{0,14})$`)
)

// parseBundle gives the fields of the lines of each kind.
func parseBundle(text string) map[string][][]string {
	must(strings.HasPrefix(text, bundleHeader+"\n") && strings.HasSuffix(text, "\n"), "bundle: no bundle")
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	must(len(lines) <= mostBundleLines, "bundle: too many lines")
	found, stage := map[string][][]string{}, 0
	for at, line := range lines[1:] {
		must(len(line) <= longestLine, "line %d: too long", at+2)
		fields := strings.Split(line, " ")
		rank := slices.Index(bundleKinds, fields[0])
		must(rank >= stage && len(fields) == 1+bundleFields[max(rank, 0)], "line %d: malformed, or out of order", at+2)
		stage = rank
		found[fields[0]] = append(found[fields[0]], fields[1:])
	}
	must(len(found["key-log-checkpoint"]) == 1, "bundle: one checkpoint of the key log")
	must(len(found["chain"]) <= 1 && len(found["receipt"]) > 0, "bundle: its receipts")
	return found
}

func decodeAll(lines [][]string) []string {
	found := []string{}
	for _, fields := range lines {
		found = append(found, string(b64(fields[0])))
	}
	return found
}

func checkBundle(p policy, pinned map[string]string, data []byte) string {
	parts := parseBundle(string(data))
	keyEntries, notes := decodeAll(parts["key-log-entry"]), decodeAll(parts["sheet"])
	history := foldKeyLog(p, decodeAll(parts["key-log-checkpoint"])[0], keyEntries, true)
	history.hold(pinned)
	keys := keysCopy{history, map[string]string{}}
	for _, note := range notes {
		keys.sheets[hash64(note)] = note
	}
	receipts, cited, terms := []sealed{}, []string{}, map[string]object{}
	for at, raw := range decodeAll(parts["receipt"]) {
		r := openReceipt(p, []byte(raw))
		e, priced := keys.judgeSealed(r)
		if e.outcome == "committed" {
			must(priced, "receipt %d: its sheet is not in the bundle", at)
			terms[e.said.str("id")] = e.said
			if hash := e.said.obj("sheet").str("hash"); !slices.Contains(cited, hash) {
				cited = append(cited, hash)
			}
		}
		if at > 0 {
			before := receipts[at-1]
			inOrder := before.origin < r.origin ||
				before.origin == r.origin && before.context.num("seq") < r.context.num("seq")
			must(inOrder, "receipt %d: out of order", at)
		}
		receipts = append(receipts, r)
	}
	for at, note := range notes {
		must(at < len(cited) && hash64(note) == cited[at], "sheet %d: not the next one that is cited", at)
	}
	checkDisclosures(parts["disclosure"], terms)
	said := fmt.Sprintf("%d receipts, %d entries of the key log", len(receipts), len(keyEntries))
	if len(parts["chain"]) == 1 {
		return said + ", " + checkChain(parts["chain"][0], receipts)
	}
	return said
}

// checkDisclosures: each opens a commitment of a committed transfer in the bundle.
func checkDisclosures(lines [][]string, terms map[string]object) {
	last := ""
	for at, fields := range lines {
		id, field, opening := fields[0], fields[1], b64(fields[2])
		must(id+" "+field > last, "disclosure %d: out of order", at)
		last = id + " " + field
		x := terms[id]
		commitment := x.obj(field).str("account")
		if field == "reference" {
			commitment = x.str(field)
		}
		must(field == "payer" || field == "payee" || field == "reference", "disclosure %d: no field", at)
		hash := sha256.Sum256(opening)
		must(commitment == base64.StdEncoding.EncodeToString(hash[:]), "disclosure %d: another %s", at, field)
		must(len(opening) >= sha256.Size && utf8.Valid(opening[sha256.Size:]), "disclosure %d: no text", at)
	}
}

type link struct {
	n       int64
	hash    []byte
	context object
}

// checkChain: the receipts are one participant's entries, all of them, and what its statements name.
func checkChain(claim []string, receipts []sealed) string {
	who, origin := claim[0], claim[1]
	must(place.MatchString(claim[2]) && place.MatchString(claim[3]), "chain: its numbers")
	first, _ := strconv.ParseInt(claim[2], 10, 64)
	last, _ := strconv.ParseInt(claim[3], 10, 64)
	links, complete := []link{}, ""
	for at, r := range receipts {
		must(r.origin == origin, "chain: an entry of %s", r.origin)
		own := slices.IndexFunc(r.context.objs("chains"), func(one object) bool { return one.str("participant") == who })
		must(own >= 0, "chain: receipt %d is no entry of %s", at, who)
		said, n := r.context.objs("chains")[own], first+int64(at)
		prev := b64(said.str("prev"))
		if at > 0 {
			before := links[at-1]
			must(bytes.Equal(prev, before.hash), "chain: entry %d follows another one", n)
			must(ms(before.context.str("time")) <= ms(r.context.str("time")), "chain: entry %d is earlier", n)
		}
		must(said.num("n") == n, "chain: entry %d is not in its place", n)
		must(n > 0 || bytes.Equal(prev, make([]byte, sha256.Size)), "chain: entry 0 follows another one")
		links = append(links, link{n, leafHash(r.raw), r.context})
		if names(r, origin, who, links) && first == 0 {
			complete = fmt.Sprintf(": complete up to %s (statement, entry %d)", r.context.str("time"), n)
		}
	}
	must(links[len(links)-1].n == last, "chain: it does not end with entry %d", last)
	if complete == "" {
		complete = ": linked without a gap, not shown to be complete"
	}
	return fmt.Sprintf("all %d entries of %s from %d to %d%s", len(links), who, first, last, complete)
}

// names: whether an entry is a statement of the participant's chain; then it has to mean the entries here.
func names(r sealed, origin, who string, links []link) bool {
	_, inner := statement(parseNote(r.raw).text, origin, "entry", "entry")
	note := parseNote(inner)
	if kindOf(note.text) != "statement" {
		return false
	}
	x, _ := statement(note.text, origin, "statement", "statement")
	if x.str("participant") != who {
		return false
	}
	must(x.num("to") < links[len(links)-1].n, "statement: of what is not there yet")
	for _, one := range links {
		if one.n == x.num("to") {
			must(bytes.Equal(one.hash, b64(x.str("head"))), "statement: it names another entry")
			must(one.context.num("seq")+1 == x.num("size"), "statement: that entry is at another place")
		}
	}
	return true
}
