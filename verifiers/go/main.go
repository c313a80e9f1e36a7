// Command verify checks Sealane's receipts, bundles and logs with other people's libraries of signed notes and
// transparency logs. README.md says how, what is checked and what is not.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/tlog"
)

type reader func(path string) []byte

// mostBytes is more than a bundle of the largest entries has.
const mostBytes = 1 << 25

func open(place, token string) reader {
	client := http.Client{Timeout: 30 * time.Second}
	return func(path string) []byte {
		if !strings.HasPrefix(place, "http://") && !strings.HasPrefix(place, "https://") {
			data, err := os.ReadFile(filepath.Join(place, path))
			must(err == nil, "%s cannot be read", path)
			return data
		}
		request, err := http.NewRequest(http.MethodGet, strings.TrimRight(place, "/")+"/"+path, nil)
		must(err == nil, "%s cannot be read: %v", path, err)
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := client.Do(request)
		must(err == nil, "%s cannot be read: %v", path, err)
		defer answer.Body.Close()
		data, err := io.ReadAll(io.LimitReader(answer.Body, mostBytes))
		must(err == nil && answer.StatusCode == http.StatusOK, "%s: %s", path, answer.Status)
		must(len(data) < mostBytes, "%s: it does not end", path)
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
			line, ok = "refused "+strings.Map(printable, fmt.Sprint(why)), false
		}
	}()
	return "ok " + check(), true
}

// printable keeps a verdict on its line, and a terminal as it was, whatever a file says.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// options are what an auditor pinned, and what the items are judged by.
type options struct {
	policy    policy
	pinned    map[string]string
	keys      *string // nil where none were given
	newerThan string
	token     string
}

// judge makes a verdict of one item: a file's bytes, or the place of a log.
func (o options) judge(what string) func(item string, data []byte) string {
	var keys *keysCopy
	return func(item string, data []byte) string {
		switch {
		case what == "log":
			return checkLog(o, item)
		case what == "bundle":
			return checkBundle(o.policy, o.pinned, data)
		case o.keys != nil && keys == nil:
			read := readKeys(o.policy, o.pinned, *o.keys)
			keys = &read
		}
		return checkReceipt(o.policy, keys, data)
	}
}

func main() {
	const usage = "usage: verify receipt|bundle|log -policy FILE [-roots FILE] [-keys FILE] [-newer-than DIR] [-token FILE] ITEM..."
	if len(os.Args) < 2 || !slices.Contains([]string{"receipt", "bundle", "log"}, os.Args[1]) {
		fail(errors.New(usage))
	}
	what := os.Args[1]
	flags := flag.NewFlagSet("verify", flag.ExitOnError)
	policyFile := flags.String("policy", "", "whom you trust: a C2SP tlog-policy")
	rootsFile := flags.String("roots", "", "participants' root keys that you pinned")
	keysFile := flags.String("keys", "", "receipts: the copy of the key log beside the policy")
	tokenFile := flags.String("token", "", "logs: an auditor's token, where entries are not open")
	newerThan := flags.String("newer-than", "", "logs: folder with the checkpoints that you remember")
	fail(flags.Parse(os.Args[2:]))
	read := func(path string) string {
		text, err := os.ReadFile(path)
		fail(err)
		return string(text)
	}
	o := options{newerThan: *newerThan}
	if *tokenFile != "" {
		o.token = strings.TrimSpace(read(*tokenFile))
	}
	if why, ok := verdict(func() string {
		o.policy = parsePolicy(read(*policyFile))
		if *rootsFile != "" {
			o.pinned = parseRoots(read(*rootsFile))
		}
		return ""
	}); !ok {
		fail(errors.New(strings.Replace(why, "refused", "cannot begin:", 1)))
	}
	if *keysFile != "" {
		text := read(*keysFile)
		o.keys = &text
	}
	failed, judge := false, o.judge(what)
	say := func(item string, data func() ([]byte, error)) {
		line, ok := verdict(func() string {
			if what == "log" {
				return judge(item, nil)
			}
			bytes, err := data()
			must(err == nil, "%v", err)
			return judge(item, bytes)
		})
		failed = failed || !ok
		fmt.Println(line)
	}
	if items := flags.Args(); len(items) == 1 && items[0] == "-" {
		lines := bufio.NewReader(os.Stdin)
		for line, err := lines.ReadString('\n'); err == nil; line, err = lines.ReadString('\n') {
			item := strings.TrimSuffix(line, "\n")
			say(item, func() ([]byte, error) { return base64.StdEncoding.DecodeString(item) })
		}
	} else {
		for _, item := range items {
			say(item, func() ([]byte, error) { return os.ReadFile(item) })
		}
	}
	if failed {
		os.Exit(1)
	}
}
