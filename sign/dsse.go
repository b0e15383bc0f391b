package sign

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

// PayloadType is the media type of an in-toto Statement inside a DSSE
// envelope; sigstore's verifiers accept no other.
const PayloadType = "application/vnd.in-toto+json"

const (
	statementType      = "https://in-toto.io/Statement/v1"
	sigstoreBundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	subjectManifest    = "manifest.json"
	subjectSums        = "SHA256SUMS"
)

// PAE returns the bytes that a DSSE signature covers, the pre-authentication
// encoding of DSSE v1:
//
//	"DSSEv1" SP len(payloadType) SP payloadType SP len(payload) SP payload
func PAE(payloadType string, payload []byte) []byte {
	b := make([]byte, 0, len(payloadType)+len(payload)+32)
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(b, ' ')
	b = append(b, payloadType...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	b = append(b, ' ')
	return append(b, payload...)
}

type statement struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     struct {
		Bundle struct {
			ID Digest `json:"id"`
		} `json:"bundle"`
	} `json:"predicate"`
}

type subject struct {
	Name   string `json:"name"`
	Digest struct {
		SHA256 string `json:"sha256"`
	} `json:"digest"`
}

// Statement returns the in-toto Statement v1, as canonical JSON, that says of a
// bundle what its manifest and its SHA256SUMS are. Its predicate holds the
// bundle's id, which is the digest of the manifest. Only these two files are
// subjects, since verifiers limit the number and size of subjects and the
// manifest already names the rest.
func Statement(manifest, sums []byte, predicateType string) ([]byte, error) {
	if predicateType == "" || len(predicateType) > 1024 || !canon.Printable(predicateType) {
		return nil, errors.New("a predicate type is a URI of at most 1024 printable ASCII characters")
	}
	id := Sum(manifest)
	s := statement{Type: statementType, PredicateType: predicateType, Subject: make([]subject, 2)}
	s.Subject[0].Name, s.Subject[0].Digest.SHA256 = subjectManifest, id.Hex()
	s.Subject[1].Name, s.Subject[1].Digest.SHA256 = subjectSums, Sum(sums).Hex()
	s.Predicate.Bundle.ID = id
	return canon.Marshal(s)
}

// sigstoreBundle is the part of Sigstore's bundle v0.3 that relseal writes: no
// transparency log entry and no timestamp, both of which the format lets be
// absent.
type sigstoreBundle struct {
	MediaType            string               `json:"mediaType"`
	VerificationMaterial verificationMaterial `json:"verificationMaterial"`
	Envelope             envelope             `json:"dsseEnvelope"`
}

type verificationMaterial struct {
	PublicKey struct {
		Hint string `json:"hint"`
	} `json:"publicKey"`
}

type envelope struct {
	Payload     string              `json:"payload"`
	PayloadType string              `json:"payloadType"`
	Signatures  []envelopeSignature `json:"signatures"`
}

type envelopeSignature struct {
	KeyID KeyID     `json:"keyid"`
	Sig   Signature `json:"sig"`
}

// SigstoreBundle returns, as canonical JSON, the Sigstore bundle v0.3 around
// the DSSE envelope of statement, whose only signature is sig by key over
// PAE(PayloadType, statement). It does not verify sig.
//
// The keyid is the OpenSSH fingerprint, the one spelling that Go's DSSE
// verifiers compare instead of ignoring. The hint is what cosign writes there:
// base64 of the SHA-256 of the SubjectPublicKeyInfo. Neither is a source of
// trust.
func SigstoreBundle(key PublicKey, statement []byte, sig Signature) ([]byte, error) {
	if key.IsZero() {
		return nil, errors.New("a Sigstore bundle needs a key")
	}
	b := sigstoreBundle{MediaType: sigstoreBundleType}
	b.VerificationMaterial.PublicKey.Hint = keyHint(key)
	b.Envelope = envelope{
		Payload:     base64.StdEncoding.EncodeToString(statement),
		PayloadType: PayloadType,
		Signatures:  []envelopeSignature{{KeyID: key.KeyID(), Sig: sig}},
	}
	data, err := canon.Marshal(b)
	if err == nil && len(data) > limits.Signature {
		err = fmt.Errorf("a Sigstore bundle has at most %d bytes, not %d", limits.Signature, len(data))
	}
	return data, err
}

func keyHint(key PublicKey) string {
	sum := sha256.Sum256(key.SPKI())
	return base64.StdEncoding.EncodeToString(sum[:])
}

// SigstoreSignature returns the one signature in a Sigstore bundle that has the
// form SigstoreBundle writes. It believes nothing else that stands there: the
// caller rebuilds the bundle from the manifest, the key and this signature, and
// compares every byte.
func SigstoreSignature(wrapper []byte) (Signature, error) {
	if len(wrapper) > limits.Signature {
		return Signature{}, fmt.Errorf("a Sigstore bundle has at most %d bytes, not %d", limits.Signature, len(wrapper))
	}
	var b sigstoreBundle
	if err := canon.Unmarshal(wrapper, &b); err != nil {
		return Signature{}, fmt.Errorf("not a Sigstore bundle of ours: %w", err)
	}
	if b.MediaType != sigstoreBundleType {
		return Signature{}, fmt.Errorf("mediaType is not %q", sigstoreBundleType)
	}
	if b.Envelope.PayloadType != PayloadType {
		return Signature{}, fmt.Errorf("payloadType is not %q", PayloadType)
	}
	if n := len(b.Envelope.Signatures); n != 1 { // the Sigstore bundle's rule, not DSSE's
		return Signature{}, fmt.Errorf("the envelope has %d signatures, not one", n)
	}
	if !isBase64(b.Envelope.Payload) || !isBase64(b.VerificationMaterial.PublicKey.Hint) {
		return Signature{}, errors.New("payload and hint are padded standard base64")
	}
	return b.Envelope.Signatures[0].Sig, nil
}

// isBase64 reports whether s is what StdEncoding writes; its decoder alone
// skips line breaks and ignores trailing bits.
func isBase64(s string) bool {
	raw, err := base64.StdEncoding.DecodeString(s)
	return err == nil && bytes.Equal(base64.StdEncoding.AppendEncode(nil, raw), []byte(s))
}

// SigstoreBundleID returns the bundle id that the statement in a Sigstore bundle
// names. It is a hint for diagnosis: nothing is verified.
func SigstoreBundleID(wrapper []byte) (Digest, error) {
	var b struct {
		Envelope struct {
			Payload []byte `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	var s statement
	err := canon.Peek(wrapper, &b)
	if err == nil {
		err = canon.Unmarshal(b.Envelope.Payload, &s)
	}
	return s.Predicate.Bundle.ID, err
}
