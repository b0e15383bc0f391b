package wrap

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/dsse"

	"github.com/relseal/relseal/sign"
)

// sigstore returns the Sigstore bundle around statement, its envelope signed and
// verified by sigstore's own DSSE code.
func (s *Sealer) sigstore(statement []byte) ([]byte, error) {
	made, err := dsse.WrapSigner(sigstoreSigner{s}, sign.PayloadType).SignMessage(bytes.NewReader(statement))
	if err != nil {
		return nil, err
	}
	verifier, err := signature.LoadED25519Verifier(s.public.Bytes())
	if err != nil {
		return nil, err
	}
	var payload []byte
	checked := dsse.WrapVerifier(verifier, dsse.WithExpectedPayloadType(sign.PayloadType), dsse.WithDecodedPayload(&payload))
	if err := checked.VerifySignature(bytes.NewReader(made), nil); err != nil {
		return nil, fmt.Errorf("sigstore's verifier: %w", err)
	}
	if !bytes.Equal(payload, statement) {
		return nil, errors.New("sigstore's signer wrapped another payload")
	}
	sig, err := envelopeSignature(made)
	if err != nil {
		return nil, err
	}
	file, err := sign.SigstoreBundle(s.public, statement, sig)
	if err != nil {
		return nil, err
	}
	if err := readsBack(file, sign.SigstoreSignature, sig); err != nil {
		return nil, err
	}
	if !s.public.Verify(sign.PAE(sign.PayloadType, statement), sig) {
		return nil, errSignature
	}
	return file, nil
}

// envelopeSignature returns the one signature of a DSSE envelope as sigstore
// writes it.
func envelopeSignature(envelope []byte) (sign.Signature, error) {
	var e struct {
		Signatures []struct{ Sig string }
	}
	if err := json.Unmarshal(envelope, &e); err != nil {
		return sign.Signature{}, err
	}
	if len(e.Signatures) != 1 {
		return sign.Signature{}, fmt.Errorf("%d signatures in the envelope, not one", len(e.Signatures))
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(e.Signatures[0].Sig)
	if err != nil {
		return sign.Signature{}, err
	}
	return toSignature(raw)
}

func toSignature(raw []byte) (sign.Signature, error) {
	if len(raw) != len(sign.Signature{}) {
		return sign.Signature{}, fmt.Errorf("a signature of %d bytes, not 64", len(raw))
	}
	return sign.Signature(raw), nil
}

// sigstoreSigner is a Sealer as sigstore's signature.Signer.
type sigstoreSigner struct{ s *Sealer }

func (a sigstoreSigner) PublicKey(...signature.PublicKeyOption) (crypto.PublicKey, error) {
	return ed25519.PublicKey(a.s.public.Bytes()), nil
}

func (a sigstoreSigner) SignMessage(message io.Reader, _ ...signature.SignOption) ([]byte, error) {
	data, err := io.ReadAll(message)
	if err != nil {
		return nil, err
	}
	sig, err := a.s.sign(data)
	return sig[:], err
}
