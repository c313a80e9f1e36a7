// Command verify checks Sealane's receipts and logs with other people's libraries of signed notes and
// transparency logs. README.md says how, what is checked and what is not.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	f_proof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

type keysCopy struct {
	history
	sheets map[string]string
}

// readKeys checks a copy of the key log, and finds its sheets' notes by their hash.
func readKeys(p policy, text string) keysCopy {
	copied, ok := parseJSON(text).(object)
	must(ok, "keys: no copy of a key log")
	entries, sheets := []string{}, map[string]string{}
	for _, entry := range copied.list("entries") {
		entries = append(entries, entry.(string))
	}
	for _, note := range copied.list("sheets") {
		sheets[hash64(note.(string))] = note.(string)
	}
	return keysCopy{foldKeyLog(p, copied.str("checkpoint"), entries), sheets}
}

// readSheet: signed by a key of its provider that was in force when the sheet began to hold.
func (k keysCopy) readSheet(raw, origin string, s keyState) sheet {
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
	return sheet{x, from}
}

func checkReceipt(p policy, keys *keysCopy, data []byte) string {
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
	if keys == nil {
		return "sealed; not checked: keys, parties, policy, conversion"
	}
	size := int(context.obj("keys").num("size"))
	must(size < len(keys.states), "receipt: the copy of the key log is too old")
	state := keys.states[size]
	keys.judgeLog(c, size)
	e := keys.judge(raw, c.Origin, nil)
	note, atHand := keys.sheets[e.said.obj("sheet").str("hash")]
	if e.outcome != "committed" || !atHand {
		return "sealed, keys, parties, policy; not checked: conversion"
	}
	hash := e.said.obj("sheet").str("hash")
	keys.judge(raw, c.Origin, map[string]sheet{hash: keys.readSheet(note, c.Origin, state)})
	return "sealed, keys, parties, policy, conversion"
}

type reader func(path string) []byte

func open(place string) reader {
	client := http.Client{Timeout: 30 * time.Second}
	return func(path string) []byte {
		if !strings.HasPrefix(place, "http://") && !strings.HasPrefix(place, "https://") {
			data, err := os.ReadFile(filepath.Join(place, path))
			must(err == nil, "%s cannot be read", path)
			return data
		}
		answer, err := client.Get(strings.TrimRight(place, "/") + "/" + path)
		must(err == nil, "%s cannot be read: %v", path, err)
		defer answer.Body.Close()
		data, err := io.ReadAll(answer.Body)
		must(err == nil && answer.StatusCode == http.StatusOK, "%s: %s", path, answer.Status)
		return data
	}
}

func (r reader) below(prefix string) reader {
	return func(path string) []byte { return r(prefix + path) }
}

const tileHeight, tileWidth = 8, 256

// bundlePath is tlog's tile path with its height left out, as C2SP's tlog-tiles has it.
func tilePath(level string, n int64, width int) string {
	path := tlog.Tile{H: tileHeight, L: 0, N: n, W: width}.Path()
	return "tile/" + level + strings.TrimPrefix(path, "tile/8/0")
}

// entries reads a whole log and holds bundles, hash tiles and root together.
func (r reader) entries(p policy, remembered reader) (string, []string) {
	raw := string(r("checkpoint"))
	c := p.open(raw, false)
	entries, hashes := []string{}, [][]byte{}
	for n := int64(0); n < int64(c.Size); n += tileWidth {
		width := int(min(tileWidth, int64(c.Size)-n))
		data := r(tilePath("entries", n/tileWidth, width))
		for len(data) > 0 {
			must(len(data) >= 2, "bundle %d: cut short", n/tileWidth)
			length := int(binary.BigEndian.Uint16(data))
			must(len(data) >= 2+length, "bundle %d: cut short", n/tileWidth)
			entries = append(entries, string(data[2:2+length]))
			data = data[2+length:]
		}
		must(int64(len(entries)) == n+int64(width), "bundle %d: wrong number of entries", n/tileWidth)
	}
	tree, old := ranges.NewEmptyRange(0), checkpoint{}
	if remembered != nil {
		old = p.open(string(remembered("checkpoint")), false)
		must(old.Origin == c.Origin && old.Size <= c.Size, "an older state of %s than remembered", c.Origin)
	}
	sameAsRemembered := func() {
		must(remembered == nil || tree.End() != old.Size || rootOf(tree) == string(old.Hash),
			"%s is not the log that is remembered", c.Origin)
	}
	sameAsRemembered()
	for _, entry := range entries {
		hashes = append(hashes, leafHash(entry))
		must(tree.Append(hashes[len(hashes)-1], nil) == nil, "tree")
		sameAsRemembered()
	}
	must(rootOf(tree) == string(c.Hash), "the entries do not hash to the checkpoint's root")
	r.checkTiles(hashes)
	return raw, entries
}

func (r reader) checkTiles(hashes [][]byte) {
	for level := 0; len(hashes) > 0; level++ {
		above := [][]byte{}
		for n := 0; n < len(hashes); n += tileWidth {
			tile := hashes[n:min(len(hashes), n+tileWidth)]
			path := tilePath(fmt.Sprint(level), int64(n/tileWidth), len(tile))
			must(bytes.Equal(r(path), bytes.Join(tile, nil)), "%s is not made of the entries", path)
			if len(tile) == tileWidth {
				tree := ranges.NewEmptyRange(0)
				for _, hash := range tile {
					must(tree.Append(hash, nil) == nil, "tree")
				}
				above = append(above, []byte(rootOf(tree)))
			}
		}
		hashes = above
	}
}

func verdict(check func() string) (line string, ok bool) {
	defer func() {
		if why := recover(); why != nil {
			line, ok = strings.ReplaceAll(fmt.Sprintf("refused %v", why), "\n", " "), false
		}
	}()
	return "ok " + check(), true
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func main() {
	if len(os.Args) < 2 || os.Args[1] != "receipt" && os.Args[1] != "log" {
		fail(fmt.Errorf("usage: verify receipt|log -policy FILE [-keys FILE] [-newer-than DIR] ITEM..."))
	}
	flags := flag.NewFlagSet("verify", flag.ExitOnError)
	policyFile := flags.String("policy", "", "whom you trust: a C2SP tlog-policy")
	keysFile := flags.String("keys", "", "receipts: the copy of the key log beside the policy")
	newerThan := flags.String("newer-than", "", "logs: folder with the checkpoints that you remember")
	fail(flags.Parse(os.Args[2:]))
	text, err := os.ReadFile(*policyFile)
	fail(err)
	p := parsePolicy(string(text))
	isReceipt := os.Args[1] == "receipt"
	var keys *keysCopy
	keysLine, keysOK := "", true
	if *keysFile != "" {
		text, err := os.ReadFile(*keysFile)
		fail(err)
		keysLine, keysOK = verdict(func() string { read := readKeys(p, string(text)); keys = &read; return "" })
	}
	failed := false
	judge := func(check func() string) {
		line, ok := keysLine, keysOK
		if ok {
			line, ok = verdict(check)
		}
		failed = failed || !ok
		fmt.Println(line)
	}
	items := flags.Args()
	if len(items) == 1 && items[0] == "-" {
		lines := bufio.NewScanner(os.Stdin)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			item := lines.Text()
			judge(func() string {
				if !isReceipt {
					return checkLog(p, item, *newerThan)
				}
				data, err := base64.StdEncoding.DecodeString(item)
				must(err == nil, "not base64: %v", err)
				return checkReceipt(p, keys, data)
			})
		}
		fail(lines.Err())
		items = nil
	}
	for _, item := range items {
		judge(func() string {
			if !isReceipt {
				return checkLog(p, item, *newerThan)
			}
			data, err := os.ReadFile(item)
			must(err == nil, "%v", err)
			return checkReceipt(p, keys, data)
		})
	}
	if failed {
		os.Exit(1)
	}
}
