package sign

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vector returns a file of the vectors of other projects.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../testdata/foreign", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fromJSON[T any](t testing.TB, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// rawVerify applies the rule of Verify to a key that ParsePublicKey may refuse.
func rawVerify(key, message, sig []byte) bool {
	k := PublicKey{[32]byte(key)}
	return len(sig) == len(Signature{}) && k.Verify(message, Signature(sig))
}

func TestWycheproof(t *testing.T) {
	type file struct {
		TestGroups []struct {
			PublicKey    struct{ PK string }
			PublicKeyDer string
			PublicKeyPem string
			Tests        []struct {
				TcID                      int
				Comment, Msg, Sig, Result string
			}
		}
	}
	count := 0
	for _, g := range fromJSON[file](t, vector(t, "wycheproof/ed25519_test.json")).TestGroups {
		raw := unhex(t, g.PublicKey.PK)
		key, err := ParsePublicKey(raw)
		if err != nil {
			t.Errorf("key %x: %v", raw, err)
			continue
		}
		if got := key.SPKI(); !bytes.Equal(got, unhex(t, g.PublicKeyDer)) {
			t.Errorf("key %x: SPKI %x, want %s", raw, got, g.PublicKeyDer)
		}
		if got := string(key.PEM()); got != g.PublicKeyPem {
			t.Errorf("key %x: PEM %q, want %q", raw, got, g.PublicKeyPem)
		}
		for _, tt := range g.Tests {
			count++
			message, sig := unhex(t, tt.Msg), unhex(t, tt.Sig)
			got := rawVerify(raw, message, sig)
			if want := tt.Result == "valid"; got != want {
				t.Errorf("case %d (%s): accepted %v, want %v", tt.TcID, tt.Comment, got, want)
			}
			if library := len(sig) == ed25519.SignatureSize && ed25519.Verify(raw, message, sig); got != library {
				t.Errorf("case %d (%s): accepted %v, crypto/ed25519 %v", tt.TcID, tt.Comment, got, library)
			}
		}
	}
	if count != 151 {
		t.Errorf("%d cases, want 151", count)
	}
}

// TestSpeccheck runs the twelve cases of "Taming the many EdDSAs": the rule
// accepts what Go and OpenSSL accept, and the check of keys leaves none of it.
func TestSpeccheck(t *testing.T) {
	type row struct {
		Message   string
		PubKey    string `json:"pub_key"`
		Signature string
	}
	var rule, loaded strings.Builder
	for _, tt := range fromJSON[[]row](t, vector(t, "ed25519-speccheck/cases.json")) {
		raw, message, sig := unhex(t, tt.PubKey), unhex(t, tt.Message), unhex(t, tt.Signature)
		mark(&rule, rawVerify(raw, message, sig))
		key, err := ParsePublicKey(raw)
		mark(&loaded, err == nil && key.Verify(message, Signature(sig)))
	}
	if got, want := rule.String(), "VVVVXXXXXXXV"; got != want {
		t.Errorf("the rule alone: %s, want %s", got, want)
	}
	if got, want := loaded.String(), "XXXXXXXXXXXX"; got != want {
		t.Errorf("with keys that load: %s, want %s", got, want)
	}
}

func mark(b *strings.Builder, ok bool) { b.WriteByte("XV"[map[bool]int{true: 1}[ok]]) }

func TestCCTV(t *testing.T) {
	type row struct {
		Number        int
		Key, Sig, Msg string
		Flags         []string
	}
	rows := fromJSON[[]row](t, vector(t, "cctv-ed25519/ed25519vectors.json"))
	if len(rows) != 914 {
		t.Fatalf("%d cases, want 914", len(rows))
	}
	accepted := 0
	for _, tt := range rows {
		raw, sig := unhex(t, tt.Key), unhex(t, tt.Sig)
		has := func(flag string) bool { return slices.Contains(tt.Flags, flag) }
		library := ed25519.Verify(raw, []byte(tt.Msg), sig)
		if library {
			accepted++
		}
		if !bytes.Equal(raw, make([]byte, 32)) { // the zero value is no key at all
			if got := rawVerify(raw, []byte(tt.Msg), sig); got != library {
				t.Errorf("case %d: accepted %v, crypto/ed25519 %v", tt.Number, got, library)
			}
		}
		if library && (has("non_canonical_R") || has("low_order_residue")) {
			t.Errorf("case %d: accepted with flags %v", tt.Number, tt.Flags)
		}
		weak := has("low_order_A") || has("low_order_component_A") || has("non_canonical_A")
		if _, err := ParsePublicKey(raw); errors.Is(err, ErrWeakKey) != weak {
			t.Errorf("case %d: key %x with flags %v: %v", tt.Number, raw, tt.Flags, err)
		}
	}
	if accepted != 208 {
		t.Errorf("crypto/ed25519 accepts %d cases, 208 when this was written", accepted)
	}
}

// TestWeakForgeries signs many messages with the one signature R = identity,
// s = 0 under each weak key of the vectors. crypto/ed25519 accepts some for every
// one of them; here none of the keys loads.
func TestWeakForgeries(t *testing.T) {
	type row struct {
		File, Why string
		RawHex    string `json:"raw_hex"`
	}
	forged := make([]byte, 64)
	forged[0] = 1
	weak := 0
	lines := bufio.NewScanner(bytes.NewReader(vector(t, "../keys/index.jsonl")))
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		tt := fromJSON[row](t, lines.Bytes())
		if !strings.HasPrefix(tt.File, "weak-") {
			continue
		}
		weak++
		raw := unhex(t, tt.RawHex)
		if _, err := ParsePublicKey(raw); !errors.Is(err, ErrWeakKey) {
			t.Errorf("%s: %v", tt.File, err)
		}
		fooled := 0
		for n := range 256 {
			if ed25519.Verify(raw, []byte{byte(n)}, forged) {
				fooled++
			}
		}
		if fooled == 0 {
			t.Errorf("%s: the forgery verifies for no message: not a weak key?", tt.File)
		}
	}
	if weak == 0 {
		t.Error("the vectors hold no weak key")
	}
}

func TestPAEVectors(t *testing.T) {
	type row struct {
		Type   string
		Body   []byte `json:"body_b64"`
		PAE    []byte `json:"pae_b64"`
		Source string
	}
	count := 0
	lines := bufio.NewScanner(bytes.NewReader(vector(t, "dsse/pae.jsonl")))
	for ; lines.Scan(); count++ {
		tt := fromJSON[row](t, lines.Bytes())
		if got := PAE(tt.Type, tt.Body); !bytes.Equal(got, tt.PAE) {
			t.Errorf("%s: %q, want %q", tt.Source, got, tt.PAE)
		}
	}
	if count != 3 {
		t.Errorf("%d encodings, want 3", count)
	}
}

// TestForeignEnvelopes puts the public DSSE envelopes, none of which is of our
// payload type and key, where the wrapper's envelope belongs.
func TestForeignEnvelopes(t *testing.T) {
	type row struct {
		ID       string
		Envelope json.RawMessage
	}
	count := 0
	lines := bufio.NewScanner(bytes.NewReader(vector(t, "dsse/envelopes.jsonl")))
	for ; lines.Scan(); count++ {
		tt := fromJSON[row](t, lines.Bytes())
		wrapper := `{"dsseEnvelope":` + string(tt.Envelope) + `,"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":""}}}`
		for _, data := range []string{wrapper, string(tt.Envelope)} {
			if _, err := SigstoreSignature([]byte(data)); err == nil {
				t.Errorf("%s is accepted", tt.ID)
			}
		}
	}
	if count != 5 {
		t.Errorf("%d envelopes, want 5", count)
	}
}

// TestOpenSSHVectors reads the signatures of OpenSSH's own tests: the Ed25519
// one is taken and verifies, the others are refused.
func TestOpenSSHVectors(t *testing.T) {
	const dir = "openssh/"
	namespace, signed := string(vector(t, dir+"namespace")), vector(t, dir+"signed-data")
	armored := vector(t, dir+"ed25519.sig")
	sig, err := SSHSIGSignature(armored)
	if err != nil {
		t.Fatal(err)
	}
	key := vectorKey(t, dir+"ed25519.pub")
	if !key.Verify(SSHSIGMessage(namespace, signed), sig) {
		t.Error("ed25519.sig does not verify")
	}
	if got := SSHSIG(key, namespace, sig); !bytes.Equal(got, armored) {
		t.Errorf("rebuilt:\n%s\nwant:\n%s", got, armored)
	}
	for _, name := range []string{"rsa.sig", "ecdsa.sig", "ecdsa_sk.sig", "ecdsa_sk_webauthn.sig", "ed25519_sk.sig", "mldsa44-ed25519.sig"} {
		if _, err := SSHSIGSignature(vector(t, dir+name)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, name := range []string{"ed25519_1", "ed25519_2"} {
		want := strings.TrimSpace(string(vector(t, dir+name+".fp")))
		if got := vectorKey(t, dir+name+".pub").KeyID().String(); got != want {
			t.Errorf("%s: key id %s, want %s", name, got, want)
		}
	}
}

// vectorKey reads the Ed25519 key of an OpenSSH line and holds that
// AuthorizedKey writes the same line.
func vectorKey(t *testing.T, name string) PublicKey {
	t.Helper()
	line := vector(t, name)
	fields := strings.SplitN(strings.TrimSuffix(string(line), "\n"), " ", 3)
	wire, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		t.Fatal(err)
	}
	var part [2][]byte
	if !cutSSH(wire, part[:]) {
		t.Fatalf("%s: damaged", name)
	}
	key, err := ParsePublicKey(part[1])
	if err != nil {
		t.Fatal(err)
	}
	if got := key.AuthorizedKey(fields[2]); !bytes.Equal(got, line) {
		t.Errorf("%s: written as %q, want %q", name, got, line)
	}
	return key
}
