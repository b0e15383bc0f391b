package signer

import (
	"bytes"
	"errors"

	"github.com/relseal/relseal/sign"
)

var errPurpose = errors.New("the signer signs the head of a trail, the id of a bundle and the two statements about it, and nothing else")

// maxStatement is above every in-toto statement about a bundle, whose names are bounded.
const maxStatement = 8 << 10

// Purpose returns an error unless message is what relseal signs with the key of a
// run (docs/format.md, section 2):
//
//   - 32 bytes: the H0 of a trail, a head H_k, or the id of a bundle;
//   - the DSSE encoding of an in-toto statement about a bundle;
//   - the SSHSIG encoding in the namespace of bundles.
//
// A login, a commit or a trust root needs other bytes. It does not say what a digest
// is of: whoever can ask the signer can also append to the trail.
func Purpose(message []byte) error {
	switch {
	case len(message) == len(sign.Digest{}), bytes.HasPrefix(message, sshsig) && len(message) == len(sshsig)+64, isStatement(message):
		return nil
	}
	return errPurpose
}

// sshsig is what every SSHSIG message of ours begins with; the SHA-512 follows.
var sshsig = func() []byte {
	m := sign.SSHSIGMessage(sign.Namespace, nil)
	return m[:len(m)-64]
}()

func isStatement(message []byte) bool {
	at := bytes.IndexByte(message, '{')
	if at < 0 || len(message) > maxStatement {
		return false
	}
	payload := message[at:]
	return bytes.Equal(message, sign.PAE(sign.PayloadType, payload)) &&
		bytes.HasPrefix(payload, []byte(`{"_type":"https://in-toto.io/Statement/v1","predicate":{"bundle":{"id":"sha256:`))
}
