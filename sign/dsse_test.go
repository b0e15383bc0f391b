package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/limits"
)

const testPredicate = "https://github.com/relseal/relseal/release-bundle/v1"

// sealed returns a manifest's statement and its Sigstore bundle by key n.
func sealed(t testing.TB, n byte, manifest string) (PublicKey, []byte, Signature, []byte) {
	t.Helper()
	key, priv := seeded(n)
	s, err := Statement([]byte(manifest), []byte("sums\n"), testPredicate)
	if err != nil {
		t.Fatal(err)
	}
	sig := Signature(ed25519.Sign(priv, PAE(PayloadType, s)))
	b, err := SigstoreBundle(key, s, sig)
	if err != nil {
		t.Fatal(err)
	}
	return key, s, sig, b
}

// TestStatementBytes keeps the bytes of 2026 forever: bundles hold signatures
// over them.
func TestStatementBytes(t *testing.T) {
	got, err := Statement([]byte("manifest"), []byte("sums"), testPredicate)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"_type":"https://in-toto.io/Statement/v1",` +
		`"predicate":{"bundle":{"id":"sha256:05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f"}},` +
		`"predicateType":"https://github.com/relseal/relseal/release-bundle/v1",` +
		`"subject":[{"digest":{"sha256":"05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f"},"name":"manifest.json"},{"digest":{"sha256":"2220e3c51f099b5308c70ed91977af4887c71fe1f8f6c3fedafe7c9f623f301f"},"name":"SHA256SUMS"}]}`
	if string(got) != want {
		t.Errorf("statement\n%s\nwant\n%s", got, want)
	}
}

func TestStatementPredicateType(t *testing.T) {
	for _, bad := range []string{"", "a\nb", "https://example.test/é", strings.Repeat("a", 1025)} {
		if _, err := Statement(nil, nil, bad); err == nil {
			t.Errorf("predicate type %.20q is accepted", bad)
		}
	}
}

func TestSigstoreBundleBytes(t *testing.T) {
	key, s, sig, b := sealed(t, 3, "manifest")
	got, err := SigstoreSignature(b)
	if err != nil || got != sig {
		t.Fatalf("SigstoreSignature = %v, %v", got, err)
	}
	again, err := SigstoreBundle(key, s, got)
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("rebuilt\n%s (%v)\nwant\n%s", again, err, b)
	}
	if len(b) > limits.Signature || bytes.HasSuffix(b, []byte("\n")) {
		t.Errorf("%d bytes, last %q", len(b), b[len(b)-1:])
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(b, &keys); err != nil || len(keys) != 3 {
		t.Errorf("%d members (%v), want mediaType, verificationMaterial, dsseEnvelope", len(keys), err)
	}
	if _, err := SigstoreBundle(PublicKey{}, s, sig); err == nil {
		t.Error("a bundle without a key")
	}
	if _, err := SigstoreBundle(key, make([]byte, limits.JSONString), sig); err == nil {
		t.Error("a bundle that its reader would refuse")
	}
}

// TestSigstoreEveryByte changes each byte and cuts at each place: what is still
// accepted never rebuilds to the changed file.
func TestSigstoreEveryByte(t *testing.T) {
	key, s, _, b := sealed(t, 3, "manifest")
	survives := func(data []byte) bool {
		sig, err := SigstoreSignature(data)
		if err != nil {
			return false
		}
		again, err := SigstoreBundle(key, s, sig)
		return err == nil && bytes.Equal(again, data) && key.Verify(PAE(PayloadType, s), sig)
	}
	if !survives(b) {
		t.Fatal("the untouched bundle does not survive")
	}
	for i := range b {
		for _, flip := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(b)
			bad[i] ^= flip
			if survives(bad) {
				t.Errorf("byte %d changed to %q: unnoticed", i, bad[i])
			}
		}
		if _, err := SigstoreSignature(b[:i]); err == nil {
			t.Errorf("accepted when cut at %d", i)
		}
	}
	for _, c := range []byte("\n \x00}") {
		if _, err := SigstoreSignature(append(bytes.Clone(b), c)); err == nil {
			t.Errorf("accepted with %q behind it", c)
		}
	}
}

func TestSigstoreRefuses(t *testing.T) {
	_, _, _, good := sealed(t, 3, "manifest")
	entry := string(good[bytes.Index(good, []byte(`[{"keyid"`))+1 : bytes.Index(good, []byte(`}]`))+1])
	tests := []struct{ name, old, new string }{
		{"two signatures", entry, entry + "," + entry},
		{"no signature", "[" + entry + "]", "[]"},
		{"null signatures", "[" + entry + "]", "null"},
		{"media type 0.2", "bundle.v0.3+json", "bundle.v0.2+json"},
		{"other payload type", "application/vnd.in-toto+json", "application/vnd.in-toto+xml"},
		{"empty keyid", `"keyid":"SHA256:`, `"keyid":"", "x":"`},
		{"a log entry", `"verificationMaterial":{`, `"verificationMaterial":{"tlogEntries":[],`},
		{"unknown member", `"mediaType"`, `"aaa":1,"mediaType"`},
		{"duplicate member", `"mediaType"`, `"mediaType":"","mediaType"`},
		{"other case", `"mediaType"`, `"MediaType"`},
		{"message signature", `"dsseEnvelope"`, `"messageSignature"`},
		{"white space", `{"dsse`, `{ "dsse`},
		{"escaped", `"mediaType":"a`, `"mediaType":"\u0061`},
		{"payload line break", `"payload":"ey`, `"payload":"e\ny`},
		{"payload url alphabet", `"payload":"ey`, `"payload":"e-`},
		{"hint not base64", `"hint":"`, `"hint":"!`},
		{"certificate", `"publicKey":{"hint"`, `"certificate":{"rawBytes"`},
	}
	for _, tt := range tests {
		bad := strings.Replace(string(good), tt.old, tt.new, 1)
		if bad == string(good) {
			t.Errorf("%s: the case changes nothing", tt.name)
		}
		if _, err := SigstoreSignature([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", tt.name)
		}
	}
	if _, err := SigstoreSignature(make([]byte, limits.Signature+1)); err == nil {
		t.Error("a file over the limit is accepted")
	}
}

// TestPAEIsInjective: no two pairs of type and payload give the same bytes,
// however their parts are moved.
func TestPAEIsInjective(t *testing.T) {
	seen := map[string]string{}
	parts := []string{"", " ", "1", "1 a", "a", "DSSEv1", "0 ", " 0 ", "a 1 b"}
	for _, typ := range parts {
		for _, payload := range parts {
			pae, pair := string(PAE(typ, []byte(payload))), typ+"|"+payload
			if other, ok := seen[pae]; ok {
				t.Errorf("%q and %q have the same encoding %q", pair, other, pae)
			}
			seen[pae] = pair
		}
	}
}
