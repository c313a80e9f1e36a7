package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// The cases on which libraries disagree, with the one answer that counts: keys are admitted when they are
// canonical and of prime order, and signatures are judged without the cofactor.
func TestSignaturesHaveOneMeaning(t *testing.T) {
	text, err := os.ReadFile("../../packages/tlog/vectors/ed25519-verification-cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Message, PublicKey, Signature string
		KeyAdmissible, Accept               bool
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) != 16 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, one := range cases {
		public, _ := hex.DecodeString(one.PublicKey)
		message, _ := hex.DecodeString(one.Message)
		signature, _ := hex.DecodeString(one.Signature)
		_, admitted := verdict(func() string { admit(public); return "" })
		if admitted != one.KeyAdmissible {
			t.Errorf("%s: key admitted: %v", one.Name, admitted)
		}
		if admitted && ed25519.Verify(public, message, signature) != one.Accept {
			t.Errorf("%s: signature accepted: %v", one.Name, !one.Accept)
		}
	}
}
