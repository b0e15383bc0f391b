package sign

import (
	"bytes"
	"testing"

	"github.com/relseal/relseal/canon"
)

// FuzzText: what parses is written back as it stood.
func FuzzText(f *testing.F) {
	f.Add("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
	f.Add("SHA256:L3k/oJubblSY0lB9Ulsl7emDMnRPKm/8udf2ccwk560")
	f.Add(Signature(filled(64, 0xfb)).String())
	f.Add("SHA256:\n")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDigest(s); err == nil && d.String() != s {
			t.Errorf("digest %q is written as %q", s, d)
		}
		if v, err := ParseSignature(s); err == nil && v.String() != s {
			t.Errorf("signature %q is written as %q", s, v)
		}
		if id, err := ParseKeyID(s); err == nil && id.String() != s {
			t.Errorf("key id %q is written as %q", s, id)
		}
	})
}

// FuzzSSHSIGSignature: what parses is rebuilt byte for byte.
func FuzzSSHSIGSignature(f *testing.F) {
	key, _ := seeded(6)
	f.Add(SSHSIG(key, Namespace, Signature(filled(64, 1))))
	f.Add(SSHSIG(key, "n", Signature{}))
	f.Add([]byte(sshsigBegin + "U1NIU0lHAAAAAQ==\n" + sshsigEnd))
	f.Fuzz(func(t *testing.T, data []byte) {
		sig, err := SSHSIGSignature(data)
		if err != nil {
			return
		}
		key, namespace, _, err := parseSSHSIG(data)
		if err != nil {
			t.Fatal(err)
		}
		if again := SSHSIG(key, namespace, sig); !bytes.Equal(again, data) {
			t.Errorf("rebuilt\n%q from\n%q", again, data)
		}
	})
}

// FuzzSigstoreSignature: what parses is canonical and says the signature once.
func FuzzSigstoreSignature(f *testing.F) {
	_, _, _, b := sealed(f, 6, "manifest")
	f.Add(b)
	f.Add([]byte(`{"dsseEnvelope":{},"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		sig, err := SigstoreSignature(data)
		if err != nil {
			return
		}
		if err := canon.Check(data); err != nil {
			t.Errorf("accepted, yet %v: %q", err, data)
		}
		if n := bytes.Count(data, []byte(`"sig":"`+sig.String()+`"`)); n != 1 {
			t.Errorf("the signature stands %d times in %q", n, data)
		}
	})
}
