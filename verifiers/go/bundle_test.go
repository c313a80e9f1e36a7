package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Every byte of a bundle counts: changed, left out or doubled, the bundle is refused. The bundle and its
// policy come from outside (test/src/independent makes them); without them there is nothing to judge.
func TestNoByteOfABundleGoesUnjudged(t *testing.T) {
	bundlePath, policyPath := os.Getenv("SEALANE_TEST_BUNDLE"), os.Getenv("SEALANE_TEST_POLICY")
	if bundlePath == "" || policyPath == "" {
		t.Skip("SEALANE_TEST_BUNDLE and SEALANE_TEST_POLICY name no bundle")
	}
	bundle, err := os.ReadFile(bundlePath)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(policyPath)
	if err != nil {
		t.Fatal(err)
	}
	p := parsePolicy(string(text))
	stands := func(data []byte) (string, bool) {
		return verdict(func() string { return checkBundle(p, nil, data) })
	}
	if line, ok := stands(bundle); !ok {
		t.Fatal(line)
	}
	passed := []string{}
	try := func(what string, at int, data []byte) {
		if line, ok := stands(data); ok {
			passed = append(passed, fmt.Sprintf("%s %d: %s", what, at, line))
		}
	}
	for at := range bundle {
		changed := append([]byte{}, bundle...)
		changed[at] ^= 1 << (at % 8)
		try("a bit of byte", at, changed)
		if at%16 == 0 || bundle[at] == '\n' || bundle[at] == ' ' {
			try("without byte", at, append(append([]byte{}, bundle[:at]...), bundle[at+1:]...))
			try("a second byte", at, append(append([]byte{}, bundle[:at+1]...), bundle[at:]...))
		}
	}
	if len(passed) > 0 {
		t.Errorf("%d of them stand:\n%s", len(passed), strings.Join(passed[:min(20, len(passed))], "\n"))
	}
}
