package root

import (
	"errors"
	"fmt"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// An Error says what is wrong with one version, or why it does not follow from the
// one before.
type Error struct {
	Version int64 // 0 where the file does not say
	Err     error
}

func (e *Error) Error() string {
	if e.Version == 0 {
		return "root: " + e.Err.Error()
	}
	return fmt.Sprintf("root version %d: %v", e.Version, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// FindingCode is E_ROOT, or E_KEY_WEAK where that is the cause.
func (e *Error) FindingCode() finding.Code {
	if errors.Is(e.Err, sign.ErrWeakKey) {
		return finding.KeyWeak
	}
	return finding.Root
}

// A Root is one version that is well formed. Whether anybody signed it is for
// [Pin] and [Chain.Add] to say.
type Root struct {
	file  File
	bytes []byte      // what is signed
	hash  sign.Digest // of it
	keys  map[ID]sign.PublicKey
}

// Parse reads N.root.json. It accepts exactly the bytes that [Root.Marshal] returns.
func Parse(data []byte) (*Root, error) {
	if len(data) > limits.Signature {
		return nil, &Error{0, fmt.Errorf("has %d bytes; the limit is %d", len(data), limits.Signature)}
	}
	var f File
	if err := canon.Unmarshal(data, &f); err != nil {
		return nil, &Error{0, err}
	}
	return newRoot(f)
}

// New returns an unsigned version.
func New(s Signed) (*Root, error) { return newRoot(File{Signed: s}) }

func newRoot(f File) (*Root, error) {
	fail := func(err error) (*Root, error) { return nil, &Error{max(f.Signed.Version, 0), err} }
	data, err := canon.Marshal(f.Signed)
	if err != nil {
		return fail(err)
	}
	if !canon.Printable(string(data)) {
		return fail(errors.New("has characters outside U+0020 to U+007E, which TUF writes otherwise"))
	}
	r := &Root{file: f, bytes: data, hash: sign.Sum(data), keys: map[ID]sign.PublicKey{}}
	for id, k := range f.Signed.Keys {
		if k.Type != keyType || k.Scheme != keyType {
			return fail(fmt.Errorf("key %s is not Ed25519", short(id)))
		}
		key, err := sign.ParsePublicKey(k.Value.Public[:])
		if err != nil {
			return fail(fmt.Errorf("key %s: %w", short(id), err))
		}
		if IDOf(key) != id {
			return fail(fmt.Errorf("the key under the id %s has another: %s", short(id), short(IDOf(key))))
		}
		r.keys[id] = key
	}
	if err := f.Signed.check(); err != nil {
		return fail(err)
	}
	ids := make([]ID, len(f.Signatures))
	for i, s := range f.Signatures {
		ids[i] = s.KeyID
	}
	if err := sortedIDs("signatures", ids); err != nil {
		return fail(err)
	}
	return r, nil
}

// Version returns N.
func (r *Root) Version() int64 { return r.file.Signed.Version }

// Hash returns the digest of what is signed. Signatures that are added later do
// not change it.
func (r *Root) Hash() sign.Digest { return r.hash }

// Signed returns what is signed; it must not be changed.
func (r *Root) Signed() Signed { return r.file.Signed }

// Message returns the bytes that a signature covers.
func (r *Root) Message() []byte { return slices.Clone(r.bytes) }

// Key returns the key with TUF's id.
func (r *Root) Key(id ID) (sign.PublicKey, bool) {
	k, ok := r.keys[id]
	return k, ok
}

// Marshal returns the file.
func (r *Root) Marshal() ([]byte, error) {
	data, err := canon.Marshal(r.file)
	if err == nil && len(data) > limits.Signature {
		err = &Error{r.Version(), fmt.Errorf("has %d bytes; the limit is %d", len(data), limits.Signature)}
	}
	return data, err
}

// Signers returns the ids of the keys that signatures name, sorted. They are not
// verified.
func (r *Root) Signers() []ID {
	ids := make([]ID, len(r.file.Signatures))
	for i, s := range r.file.Signatures {
		ids[i] = s.KeyID
	}
	return ids
}

// short is enough of an id to find it.
func short(id ID) string { return id.String()[:12] }
