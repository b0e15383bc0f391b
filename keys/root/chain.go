package root

import (
	"fmt"
	"time"

	"github.com/relseal/relseal/sign"
)

// A Chain is a pinned version and those that followed it. It implements
// [sign.Authority]: what its last version says.
type Chain struct {
	roots   []*Root
	offered map[int64][]byte // further versions that the caller has
}

// Pin starts a chain at a version that the caller trusts. It must be signed by its
// own threshold.
func Pin(data []byte) (*Chain, error) {
	r, err := Parse(data)
	if err == nil {
		err = complete(nil, r)
	}
	if err != nil {
		return nil, err
	}
	return &Chain{roots: []*Root{r}}, nil
}

// Add takes a further version. The next one must follow from the last and then is
// the last. One that the chain has already must be the same: two versions that
// both follow are a fork, and somebody signed twice. One that comes before the
// pinned version is ignored.
func (c *Chain) Add(data []byte) error {
	r, err := Parse(data)
	if err != nil {
		return err
	}
	last := c.Last()
	if at := r.Version() - c.First().Version(); at < 0 {
		return nil
	} else if at < int64(len(c.roots)) {
		return c.known(r, at)
	}
	if err := follows(&last.file.Signed, &r.file.Signed); err != nil {
		return &Error{r.Version(), err}
	}
	if err := complete(last, r); err != nil {
		return err
	}
	c.roots = append(c.roots, r)
	return nil
}

// known judges another copy of a version. That it has other signatures is no harm.
func (c *Chain) known(r *Root, at int64) error {
	if r.hash == c.roots[at].hash {
		return nil
	}
	if c.forks(r) {
		return &Error{r.Version(), fmt.Errorf("there are two: %s and %s, both signed; the root has forked", c.roots[at].hash, r.hash)}
	}
	return &Error{r.Version(), fmt.Errorf("another one than %s", c.roots[at].hash)}
}

// complete returns an error unless r has all signatures that it needs.
func complete(prev, r *Root) error {
	lacks, err := Lacks(prev, r)
	if err != nil {
		return err
	}
	if len(lacks) > 0 {
		return &Error{r.Version(), lacks[0].error()}
	}
	return nil
}

func (l Lack) error() error {
	s := "signatures are"
	if l.Need == 1 {
		s = "signature is"
	}
	return fmt.Errorf("%d %s missing by root keys of version %d", l.Need, s, l.Version)
}

// A GrantError reports a key that a root does not let sign in a role.
type GrantError struct {
	Key  sign.KeyID
	Role string
}

func (e *GrantError) Error() string {
	return fmt.Sprintf("%s may not sign as %s by this root", e.Key, e.Role)
}

// Ref returns the version that a key names in what it makes in roles, see section 13
// of docs/format.md. A key whose work nobody would believe is refused.
func (c *Chain) Ref(id sign.KeyID, roles ...string) (version int64, hash sign.Digest, err error) {
	for _, role := range roles {
		if g, ok := c.Grant(role, id); !ok || g.Status != sign.Active {
			return 0, hash, &GrantError{id, role}
		}
	}
	return c.Last().Version(), c.Last().hash, nil
}

// First returns the pinned version.
func (c *Chain) First() *Root { return c.roots[0] }

// Last returns the version that counts.
func (c *Chain) Last() *Root { return c.roots[len(c.roots)-1] }

// At returns a version, if the chain has it.
func (c *Chain) At(version int64) (*Root, bool) {
	at := version - c.First().Version()
	if at < 0 || at >= int64(len(c.roots)) {
		return nil, false
	}
	return c.roots[at], true
}

// Versions returns the numbers of the first and the last version.
func (c *Chain) Versions() (pinned, last int64) { return c.First().Version(), c.Last().Version() }

// Hash returns the digest of what is signed in a version of the chain.
func (c *Chain) Hash(version int64) (sign.Digest, bool) {
	r, ok := c.At(version)
	if !ok {
		return sign.Digest{}, false
	}
	return r.hash, true
}

// Has reports whether data is the file of a version of the chain: the one that the chain
// has, or one with other signatures that verify by keys that it knows.
func (c *Chain) Has(version int64, data []byte) bool {
	own, ok := c.At(version)
	if !ok {
		return false
	}
	r, err := Parse(data)
	if err != nil || r.Version() != version || r.hash != own.hash {
		return false
	}
	if bytes, err := own.Marshal(); err == nil && string(bytes) == string(data) {
		return true
	}
	by := []*Root{own}
	if prev, ok := c.At(version - 1); ok {
		by = append(by, prev)
	}
	for _, s := range r.file.Signatures {
		if key, ok := rootKey(by, s.KeyID); !ok || !key.Verify(r.bytes, sign.Signature(s.Sig)) {
			return false
		}
	}
	return true
}

// Expires returns when the last version expires.
func (c *Chain) Expires() time.Time { return c.Last().file.Signed.Expires.Time }

// Verifier returns a key that the last version names in a role of ours. A root key
// alone signs nothing but roots.
func (c *Chain) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	for _, r := range c.Last().file.Signed.Extension.Roles {
		for _, g := range r.Keys {
			if key := c.Last().keys[g.KeyID]; key.KeyID() == id {
				return key, true
			}
		}
	}
	return sign.PublicKey{}, false
}

// Grant returns what the last version says of a key in a role.
func (c *Chain) Grant(role string, id sign.KeyID) (sign.Grant, bool) {
	for _, g := range c.Last().file.Signed.Extension.Roles[role].Keys {
		if c.Last().keys[g.KeyID].KeyID() == id {
			return g.grant(), true
		}
	}
	return sign.Grant{}, false
}

func (g Grant) grant() sign.Grant {
	s := sign.Grant{NotBefore: g.NotBefore.Time, NotAfter: g.NotAfter.Time, Status: g.Status}
	if g.RevokedSince != nil {
		s.RevokedSince = g.RevokedSince.Time
	}
	return s
}

// Threshold returns that of the last version, and the least of all versions that
// have the role.
func (c *Chain) Threshold(role string) (now, least int) {
	for _, r := range c.roots {
		if got, ok := r.file.Signed.Extension.Roles[role]; ok {
			now = got.Threshold
			if least == 0 || now < least {
				least = now
			}
		}
	}
	return now, least
}
