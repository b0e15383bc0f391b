package wrap

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"testing"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/dsse"
	"golang.org/x/crypto/ssh"

	"github.com/relseal/relseal/sign"
)

var foreignManifests = [][]byte{
	[]byte(`{"schema":"relseal/audit-bundle/v1"}`), []byte("m"), {0}, bytes.Repeat([]byte("0123456789abcdef"), 1<<16),
}

// TestSigstore: sigstore's DSSE code makes the signature that is in the Sigstore bundle, and
// accepts it.
func TestSigstore(t *testing.T) {
	s := newSigner(t, 1)
	signer, err := signature.LoadED25519Signer(s.priv)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := signature.LoadED25519Verifier(s.public.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, manifest := range foreignManifests {
		_, file, _, err := New(s).Seal(manifest, []byte("sums\n"), predicateType)
		if err != nil {
			t.Fatal(err)
		}
		statement, err := sign.Statement(manifest, []byte("sums\n"), predicateType)
		if err != nil {
			t.Fatal(err)
		}
		made, err := dsse.WrapSigner(signer, sign.PayloadType).SignMessage(bytes.NewReader(statement))
		if err != nil {
			t.Fatal(err)
		}
		var theirs, ours struct {
			Payload, PayloadType string
			Signatures           []struct{ Sig string }
		}
		var bundle struct{ DSSEEnvelope json.RawMessage }
		if err := json.Unmarshal(made, &theirs); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(file, &bundle); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(bundle.DSSEEnvelope, &ours); err != nil {
			t.Fatal(err)
		}
		if ours.Payload != theirs.Payload || ours.PayloadType != theirs.PayloadType || len(ours.Signatures) != 1 || len(theirs.Signatures) != 1 || ours.Signatures[0].Sig != theirs.Signatures[0].Sig {
			t.Errorf("sigstore signs otherwise:\n%s\nwant\n%s", bundle.DSSEEnvelope, made)
		}
		var payload []byte
		checked := dsse.WrapVerifier(verifier, dsse.WithExpectedPayloadType(sign.PayloadType), dsse.WithDecodedPayload(&payload))
		if err := checked.VerifySignature(bytes.NewReader(bundle.DSSEEnvelope), nil); err != nil || !bytes.Equal(payload, statement) {
			t.Errorf("sigstore's verifier: %v, payload %s", err, payload)
		}
		bad := bytes.Replace(bundle.DSSEEnvelope, []byte(ours.Payload[:8]), []byte(base64.StdEncoding.EncodeToString([]byte("other!"))), 1)
		if err := checked.VerifySignature(bytes.NewReader(bad), nil); err == nil {
			t.Error("sigstore's verifier accepts another payload")
		}
	}
}

// TestSSH: x/crypto makes the signature that is in the SSHSIG file, accepts it, and marshals
// both structures of OpenSSH's PROTOCOL.sshsig to the same bytes.
func TestSSH(t *testing.T) {
	type message struct{ Namespace, Reserved, HashAlgorithm, Hash string }
	type envelope struct {
		Version                                                  uint32
		PublicKey, Namespace, Reserved, HashAlgorithm, Signature string
	}
	s := newSigner(t, 1)
	signer, err := ssh.NewSignerFromKey(s.priv)
	if err != nil {
		t.Fatal(err)
	}
	for _, manifest := range foreignManifests {
		_, _, file, err := New(s).Seal(manifest, nil, predicateType)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum512(manifest)
		blob := append([]byte("SSHSIG"), ssh.Marshal(message{Namespace: sign.Namespace, HashAlgorithm: "sha512", Hash: string(sum[:])})...)
		made, err := signer.Sign(rand.Reader, blob)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]byte("SSHSIG"), ssh.Marshal(envelope{
			Version: 1, PublicKey: string(signer.PublicKey().Marshal()), Namespace: sign.Namespace, HashAlgorithm: "sha512", Signature: string(ssh.Marshal(made)),
		})...)
		if block, rest := pem.Decode(file); block == nil || len(rest) != 0 || !bytes.Equal(block.Bytes, want) {
			t.Errorf("x/crypto marshals the signature otherwise:\n%s", file)
		}
		sig, err := sign.SSHSIGSignature(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.PublicKey().Verify(blob, &ssh.Signature{Format: ssh.KeyAlgoED25519, Blob: sig[:]}); err != nil {
			t.Errorf("x/crypto's verifier: %v", err)
		}
	}
}
