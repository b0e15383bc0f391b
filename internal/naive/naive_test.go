package naive

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
)

// What is measured against must at least tell right from wrong.
func TestVerify(t *testing.T) {
	key := testbundle.NewKey("release")
	block, _ := pem.Decode(key.PEM())
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	pub := parsed.(ed25519.PublicKey)
	trail := string(testbundle.Demo(key, "000102030405060708090a0b0c0d0e0f").Seal()["audit/trail.jsonl"])
	lines := strings.SplitAfter(trail, "\n")
	n := int64(len(lines) - 2) // without line 0 and what is after the last LF
	if k, err := Verify(strings.NewReader(trail), pub); err != nil || k != n || n < 5 {
		t.Fatalf("%d of %d events, %v", k, n, err)
	}
	for what, bad := range map[string]string{
		"an action":   strings.Replace(trail, `"action":"step.end"`, `"action":"step.enx"`, 1),
		"a line less": strings.Join(append(lines[:2:2], lines[3:]...), ""),
		"no trail":    "{}\n",
		"nothing":     "",
	} {
		if k, err := Verify(strings.NewReader(bad), pub); err == nil || k >= n {
			t.Errorf("%s: %d events pass, %v", what, k, err)
		}
	}
	last := lines[n]
	at := strings.Index(last, `"sig_k":"`) + len(`"sig_k":"`)
	bad := strings.TrimSuffix(trail, last) + last[:at] + string(last[at]^1) + last[at+1:]
	if k, err := Verify(strings.NewReader(bad), pub); err == nil || k != n-1 {
		t.Errorf("a signature: %d events pass, %v", k, err)
	}
}
