package wrap

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/relseal/relseal/sign"
)

const predicateType = "https://github.com/relseal/relseal/audit-bundle/v1"

// signer is an in-memory key whose signatures pass through fault, if set.
type signer struct {
	public sign.PublicKey
	priv   ed25519.PrivateKey
	calls  int
	fault  func(call int, sig *sign.Signature) error
}

func newSigner(t testing.TB, seed byte) *signer {
	t.Helper()
	priv := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	public, err := sign.ParsePublicKey(priv.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return &signer{public: public, priv: priv}
}

func (s *signer) Public() sign.PublicKey { return s.public }

func (s *signer) Sign(message []byte) (sign.Signature, error) {
	sig := sign.Signature(ed25519.Sign(s.priv, message))
	s.calls++
	if s.fault != nil {
		if err := s.fault(s.calls, &sig); err != nil {
			return sign.Signature{}, err
		}
	}
	return sig, nil
}

func TestSeal(t *testing.T) {
	s := newSigner(t, 1)
	manifest, sums := []byte(`{"schema":"relseal/audit-bundle/v1"}`), []byte("sums\n")
	id, bundle, sshsig, err := New(s).Seal(manifest, sums, predicateType)
	if err != nil {
		t.Fatal(err)
	}
	if New(s).Public() != s.public {
		t.Error("another public key")
	}
	digest := sign.Sum(manifest)
	if !s.public.Verify(digest[:], id) {
		t.Error("the signature over bundle.id does not verify")
	}

	// What follows is the reader's half: from the manifest, the key and a
	// signature it rebuilds each file.
	statement, err := sign.Statement(manifest, sums, predicateType)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := sign.SigstoreSignature(bundle)
	if err != nil || !s.public.Verify(sign.PAE(sign.PayloadType, statement), sig) {
		t.Errorf("Sigstore bundle: %v, or its signature does not verify", err)
	}
	if again, err := sign.SigstoreBundle(s.public, statement, sig); err != nil || !bytes.Equal(again, bundle) {
		t.Errorf("Sigstore bundle rebuilt:\n%s (%v), want\n%s", again, err, bundle)
	}
	sig, err = sign.SSHSIGSignature(sshsig)
	if err != nil || !s.public.Verify(sign.SSHSIGMessage(sign.Namespace, manifest), sig) {
		t.Errorf("SSHSIG: %v, or its signature does not verify", err)
	}
	if again := sign.SSHSIG(s.public, sign.Namespace, sig); !bytes.Equal(again, sshsig) {
		t.Errorf("SSHSIG rebuilt:\n%s, want\n%s", again, sshsig)
	}

	// The same inputs give the same files.
	id2, bundle2, sshsig2, err := New(s).Seal(manifest, sums, predicateType)
	if err != nil || id2 != id || !bytes.Equal(bundle2, bundle) || !bytes.Equal(sshsig2, sshsig) {
		t.Errorf("sealing again gives other bytes (%v)", err)
	}
}

// TestSealFaults makes each of the three signatures fail in turn: by an error,
// by a wrong bit as a disturbed device would give, by another key. Nothing is
// returned then.
func TestSealFaults(t *testing.T) {
	gone, other := errors.New("device gone"), newSigner(t, 2)
	faults := map[string]func(*sign.Signature) error{
		"error":      func(*sign.Signature) error { return gone },
		"bit of R":   func(s *sign.Signature) error { s[3] ^= 1; return nil },
		"bit of s":   func(s *sign.Signature) error { s[40] ^= 1; return nil },
		"zero":       func(s *sign.Signature) error { *s = sign.Signature{}; return nil },
		"wrong key":  func(s *sign.Signature) error { *s = sign.Signature(ed25519.Sign(other.priv, []byte("m"))); return nil },
		"high bit s": func(s *sign.Signature) error { s[63] |= 0x80; return nil },
	}
	for name, fault := range faults {
		for call := 1; call <= 3; call++ {
			s := newSigner(t, 1)
			s.fault = func(n int, sig *sign.Signature) error {
				if n != call {
					return nil
				}
				return fault(sig)
			}
			id, bundle, sshsig, err := New(s).Seal([]byte("m"), nil, predicateType)
			if err == nil || id != (sign.Signature{}) || bundle != nil || sshsig != nil {
				t.Errorf("%s in signature %d: %v, %d and %d bytes, %v", name, call, id, len(bundle), len(sshsig), err)
			}
			if name == "error" && !errors.Is(err, gone) {
				t.Errorf("the signer's error is lost: %v", err)
			}
			if s.calls != call {
				t.Errorf("%s in signature %d: %d signatures made", name, call, s.calls)
			}
		}
	}
}

func TestSealRefuses(t *testing.T) {
	s := newSigner(t, 1)
	if _, _, _, err := New(&signer{priv: s.priv}).Seal([]byte("m"), nil, predicateType); err == nil || s.calls != 0 {
		t.Errorf("a signer without a key: %v", err)
	}
	if _, _, _, err := New(s).Seal(nil, nil, predicateType); err == nil {
		t.Error("an empty manifest is sealed")
	}
	if _, _, _, err := New(s).Seal([]byte("m"), nil, "not\na type"); err == nil {
		t.Error("a predicate type of two lines is sealed")
	}
}
