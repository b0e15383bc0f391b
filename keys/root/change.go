package root

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/relseal/relseal/sign"
)

// RootRole is the name of TUF's own role among those that a Change names.
const RootRole = typeRoot

// A Change is what a version does to the one before. A role is one of [sign.Roles]
// or RootRole.
type Change struct {
	Expires    Time           // when the new version expires; zero: as before
	Add        []Addition     // who may sign from now on
	Retire     []Retirement   // who makes no new signatures
	Revoke     []Revocation   // whose key may be in other hands
	Thresholds map[string]int // how many must sign, by role; 1 in a new role that it does not name
}

// An Addition gives a role to a key. An active key that has the role already may
// keep it for longer. RootRole has no times.
type Addition struct {
	Role                string
	Key                 sign.PublicKey
	NotBefore, NotAfter Time
}

// A Retirement takes a role from a key, or every role if Role is "". What the key
// signed until At stays good.
type Retirement struct {
	Role string
	Key  sign.PublicKey
	At   Time
}

// A Revocation takes every role from a key. What it signed from Since on is not to
// be believed.
type Revocation struct {
	Key   sign.PublicKey
	Since Time
}

// Change returns the next version. Of the zero Signed that is version 1. A retirement
// must leave a key that can sign in each role; a revocation need not, since it cannot wait
// for another key.
func (s Signed) Change(c Change) (*Root, error) {
	e := editor{Signed: s.clone(), retired: map[string]bool{}}
	if e.Version++; e.Version == 1 {
		e.start()
	}
	if !c.Expires.IsZero() {
		e.Expires = c.Expires
	}
	for _, r := range c.Revoke {
		e.revoke(r)
	}
	for _, r := range c.Retire {
		e.retire(r)
	}
	for _, a := range c.Add {
		e.add(a)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Thresholds)) {
		e.threshold(name, c.Thresholds[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.retired)) {
		if e.Extension.Roles[name].active() == 0 {
			e.fault("role %s: the threshold is %d, of 0: nobody could sign", name, e.Extension.Roles[name].Threshold)
		}
	}
	if err := errors.Join(e.faults...); err != nil {
		return nil, err
	}
	e.forget()
	r, err := New(e.Signed)
	if err == nil && e.Version > 1 {
		if err = follows(&s, &e.Signed); err != nil {
			err = &Error{e.Version, err}
		}
	}
	return r, err
}

// editor changes a copy and collects what cannot be done.
type editor struct {
	Signed
	retired map[string]bool // roles that a key was retired from
	faults  []error
}

func (e *editor) fault(format string, args ...any) {
	e.faults = append(e.faults, fmt.Errorf(format, args...))
}

func (e *editor) start() {
	nobody := TUFRole{KeyIDs: []ID{}, Threshold: 1}
	e.Signed = Signed{
		Type: typeRoot, SpecVersion: specVersion, ConsistentSnapshot: true, Version: 1,
		Keys:      map[ID]Key{},
		Roles:     TUFRoles{Root: nobody, Snapshot: nobody, Targets: nobody, Timestamp: nobody},
		Extension: Extension{Schema: Schema, Roles: map[string]Role{}},
	}
}

func (s Signed) clone() Signed {
	s.Keys = maps.Clone(s.Keys)
	s.Roles.Root.KeyIDs = slices.Clone(s.Roles.Root.KeyIDs)
	roles := make(map[string]Role, len(s.Extension.Roles))
	for name, r := range s.Extension.Roles {
		roles[name] = Role{slices.Clone(r.Keys), r.Threshold}
	}
	s.Extension.Roles = roles
	return s
}

func (e *editor) add(a Addition) {
	id := IDOf(a.Key)
	e.Keys[id] = keyOf(a.Key)
	if a.Role == RootRole {
		if slices.Contains(e.Roles.Root.KeyIDs, id) {
			e.fault("role root: %s has it already", a.Key.KeyID())
			return
		}
		e.Roles.Root.KeyIDs = append(e.Roles.Root.KeyIDs, id)
		slices.SortFunc(e.Roles.Root.KeyIDs, compareIDs)
		return
	}
	r, ok := e.Extension.Roles[a.Role]
	if !ok {
		r.Threshold = 1
	}
	at := slices.IndexFunc(r.Keys, func(g Grant) bool { return g.KeyID == id })
	switch {
	case at < 0:
		r.Keys = append(r.Keys, Grant{KeyID: id, NotBefore: a.NotBefore, NotAfter: a.NotAfter, Status: sign.Active})
		slices.SortFunc(r.Keys, func(a, b Grant) int { return compareIDs(a.KeyID, b.KeyID) })
	case r.Keys[at].Status != sign.Active:
		e.fault("role %s: %s is %s; make a new key", a.Role, a.Key.KeyID(), r.Keys[at].Status)
	case !a.NotAfter.After(r.Keys[at].NotAfter.Time):
		e.fault("role %s: %s has it already, until %s", a.Role, a.Key.KeyID(), r.Keys[at].NotAfter)
	default:
		r.Keys[at].NotAfter = a.NotAfter
	}
	e.Extension.Roles[a.Role] = r
}

func (e *editor) retire(t Retirement) {
	done := false
	if t.Role == RootRole || t.Role == "" {
		done = e.leaveRoot(IDOf(t.Key))
	}
	for name, g := range e.grants(IDOf(t.Key)) {
		if (t.Role == name || t.Role == "") && g.Status == sign.Active {
			g.Status, done, e.retired[name] = sign.Retired, true, true
			if t.At.Before(g.NotAfter.Time) {
				g.NotAfter = t.At
			}
		}
	}
	switch {
	case done:
	case t.Role == "":
		e.fault("%s is active in no role", t.Key.KeyID())
	default:
		e.fault("role %s: %s is not active in it", t.Role, t.Key.KeyID())
	}
}

func (e *editor) revoke(v Revocation) {
	done := e.leaveRoot(IDOf(v.Key))
	for _, g := range e.grants(IDOf(v.Key)) {
		done = true
		g.Status = sign.Revoked
		if g.RevokedSince == nil || v.Since.Before(g.RevokedSince.Time) {
			g.RevokedSince = &v.Since
		}
	}
	if !done {
		e.fault("%s has no role", v.Key.KeyID())
	}
}

func (e *editor) leaveRoot(id ID) bool {
	was := len(e.Roles.Root.KeyIDs)
	e.Roles.Root.KeyIDs = slices.DeleteFunc(e.Roles.Root.KeyIDs, func(k ID) bool { return k == id })
	return len(e.Roles.Root.KeyIDs) < was
}

// grants returns what the roles of ours say of a key, to be changed.
func (e *editor) grants(id ID) map[string]*Grant {
	found := map[string]*Grant{}
	for name, r := range e.Extension.Roles {
		for i := range r.Keys {
			if r.Keys[i].KeyID == id {
				found[name] = &r.Keys[i]
			}
		}
	}
	return found
}

func (e *editor) threshold(name string, n int) {
	if name == RootRole {
		e.Roles.Root.Threshold = n
		return
	}
	r, ok := e.Extension.Roles[name]
	if !ok {
		e.fault("role %s: nobody has it", name)
		return
	}
	r.Threshold = n
	e.Extension.Roles[name] = r
}

// forget drops the keys that left TUF's role and have no role of ours.
func (e *editor) forget() {
	maps.DeleteFunc(e.Keys, func(id ID, _ Key) bool {
		return !slices.Contains(e.Roles.Root.KeyIDs, id) && len(e.grants(id)) == 0
	})
}

// Sign returns r with a signature by s, which must hold a root key of r or of
// prev, the version before; prev is nil for the first. What r says must follow from
// prev, so that nobody signs what no reader accepts.
func (r *Root) Sign(prev *Root, s sign.Signer) (*Root, error) {
	by := []*Root{r}
	if prev != nil {
		if err := follows(&prev.file.Signed, &r.file.Signed); err != nil {
			return nil, &Error{r.Version(), err}
		}
		by = append(by, prev)
	}
	id := IDOf(s.Public())
	if _, ok := rootKey(by, id); !ok {
		return nil, &Error{r.Version(), fmt.Errorf("%s is no root key of it", s.Public().KeyID())}
	}
	if slices.Contains(r.Signers(), id) {
		return nil, &Error{r.Version(), fmt.Errorf("%s has signed already", s.Public().KeyID())}
	}
	sig, err := s.Sign(r.bytes)
	if err != nil {
		return nil, err
	}
	next := *r
	next.file.Signatures = append(slices.Clone(r.file.Signatures), Signature{id, Sig(sig)})
	slices.SortFunc(next.file.Signatures, func(a, b Signature) int { return bytes.Compare(a.KeyID[:], b.KeyID[:]) })
	_, err = Lacks(prev, &next)
	return &next, err
}
