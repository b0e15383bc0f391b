// Package signer keeps a private key in a process of its own, apart from the one
// that starts other people's programs.
//
// A build step runs as the same user as relseal, and may read the memory of every
// process of that user, and the variables that it was started with. So the process
// that starts steps never has the key or its passphrase: [Start] starts a second
// relseal, the signer, and puts the first one anew in its own place, without the
// variables that hold a passphrase. What is left between the two is a socket pair.
// The signer closes itself to others ([Protect]) before it reads a passphrase or a
// key, and ends when the socket does.
//
// On the socket each message is its length in four big-endian bytes, one byte that
// says what it is, and the rest. A request has one answer:
//
//	given   JSON, [Given]; no answer      first, from the process that started the signer
//	open    JSON, [Request]               the public key, 32 bytes; once
//	save    JSON, a comment               the names of the files; once, for a new key
//	sign    a message                     the signature, 64 bytes
//
// An answer is of the same kind, or a fault as JSON. The signer signs what relseal
// signs with such a key and nothing else, see [Purpose].
package signer

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
)

// Argument is what a signer is started with.
const Argument = ":signer"

var errByHand = errors.New(Argument + " is how relseal starts its signer, and nothing to type")

// Keys opens a private key, or makes one.
type Keys interface {
	// Open returns the key of a request. It is called once.
	Open(context.Context, Request) (sign.Signer, error)

	// Save writes the new key that Open made, and its public forms with a comment,
	// to its file and beside it. It returns the names.
	Save(comment string) ([]string, error)
}

// A Request says which key, and where its passphrase is.
type Request struct {
	File string `json:"file"` // of the private key
	New  bool   `json:"new"`  // make it, and write it with the passphrase; Save puts it into the file

	From      Source `json:"from"`
	Name      string `json:"name"`      // the file, the number or the variable
	Elsewhere string `json:"elsewhere"` // what to suggest where there is no passphrase
}

// A Source is a kind of place for a passphrase.
type Source string

const (
	None       Source = "none"       // a new key is written unencrypted; an encrypted one is not opened
	File       Source = "file"       // the content of a file
	Descriptor Source = "descriptor" // a line from an open file
	Variable   Source = "variable"   // of the environment
	Terminal   Source = "terminal"   // asked for
)

// Given is what the process that starts a signer hands over to it.
type Given struct {
	Variables  map[string][]byte `json:"variables"`  // that may hold the passphrase; unset ones are absent
	Descriptor bool              `json:"descriptor"` // the signer has the one of the passphrase
}

// A Fault is an error of the signer as it reaches the other process.
type Fault struct {
	Code  int      `json:"code"` // to exit with
	Text  string   `json:"text"`
	Hint  string   `json:"hint"`
	Kinds []string `json:"kinds"` // the names of the errors in kinds that it is
}

func (f *Fault) Error() string { return f.Text }

// Is answers errors.Is for the errors that callers tell apart.
func (f *Fault) Is(target error) bool {
	for _, name := range f.Kinds {
		if kinds[name] == target {
			return true
		}
	}
	return false
}

var kinds = map[string]error{
	"exist":            fs.ErrExist,
	"not-exist":        fs.ErrNotExist,
	"permission":       fs.ErrPermission,
	"canceled":         context.Canceled,
	"passphrase":       private.ErrPassphrase,
	"wrong-passphrase": private.ErrWrongPassphrase,
	"exposed":          private.ErrExposed,
}

// fault fills in the kinds of err.
func fault(err error, describe func(error) (code int, text, hint string)) *Fault {
	f := &Fault{Kinds: []string{}}
	f.Code, f.Text, f.Hint = describe(err)
	for name, kind := range kinds {
		if errors.Is(err, kind) {
			f.Kinds = append(f.Kinds, name)
		}
	}
	return f
}

// The kinds of messages.
const (
	given  = 'g'
	open   = 'o'
	save   = 'w'
	signIt = 's'
	failed = 'f'
)

// maxMessage bounds a message, its kind included. The longest holds passphrases.
const maxMessage = 1 << 20

// send writes one message.
func send(w io.Writer, kind byte, body []byte) error {
	if len(body) >= maxMessage {
		return fmt.Errorf("a message of %d bytes", len(body))
	}
	m := binary.BigEndian.AppendUint32(make([]byte, 0, 5+len(body)), uint32(1+len(body)))
	_, err := w.Write(append(append(m, kind), body...))
	return err
}

// sendJSON writes one message with v in it.
func sendJSON(w io.Writer, kind byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return send(w, kind, body)
}

// receive reads one message; io.EOF means that there is none.
func receive(r io.Reader) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 1 || n > maxMessage {
		return 0, nil, fmt.Errorf("a message of %d bytes", n)
	}
	body = make([]byte, n-1)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return head[4], body, nil
}
