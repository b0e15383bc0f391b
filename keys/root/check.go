package root

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/sign"
)

// check returns why one version is not well formed, its keys apart.
func (s *Signed) check() error {
	switch {
	case s.Type != typeRoot:
		return fmt.Errorf("_type is not %q", typeRoot)
	case s.SpecVersion != specVersion:
		return fmt.Errorf("spec_version is not %q", specVersion)
	case !s.ConsistentSnapshot:
		return errors.New("consistent_snapshot is not true")
	case s.Version < 1 || s.Version > MaxVersion:
		return fmt.Errorf("version is not from 1 to %d", MaxVersion)
	case s.Extension.Schema != Schema:
		return fmt.Errorf("x-relseal-roles.schema is not %q", Schema)
	}
	if err := s.checkTUFRoles(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Extension.Roles)) {
		role := s.Extension.Roles[name]
		if !slices.Contains(sign.Roles(), name) {
			return fmt.Errorf("x-relseal-roles: there is no role %q", name)
		}
		if name == sign.RoleLedger && role.Threshold > 1 {
			return fmt.Errorf("role %s: the threshold is %d, and a ledger is signed by one key at a time", name, role.Threshold)
		}
		if err := s.checkRole(role); err != nil {
			return fmt.Errorf("role %s: %w", name, err)
		}
	}
	return s.checkKeys()
}

func (s *Signed) checkTUFRoles() error {
	root := s.Roles.Root
	if err := sortedIDs("keyids", root.KeyIDs); err != nil {
		return fmt.Errorf("role root: %w", err)
	}
	if err := threshold(root.Threshold, len(root.KeyIDs)); err != nil {
		return fmt.Errorf("role root: %w", err)
	}
	for _, id := range root.KeyIDs {
		if _, ok := s.Keys[id]; !ok {
			return fmt.Errorf("role root: key %s is not among keys", short(id))
		}
	}
	for _, r := range []struct {
		name string
		role TUFRole
	}{{"snapshot", s.Roles.Snapshot}, {"targets", s.Roles.Targets}, {"timestamp", s.Roles.Timestamp}} {
		if len(r.role.KeyIDs) != 0 || r.role.Threshold != 1 {
			return fmt.Errorf("role %s: has keys, or another threshold than 1; nobody holds it", r.name)
		}
	}
	return nil
}

// checkRole holds that there are keys enough: a threshold that nobody can reach is
// a mistake, unless the role was closed and none of its keys is active.
func (s *Signed) checkRole(r Role) error {
	if len(r.Keys) == 0 {
		return errors.New("has no key; a role that nobody holds is left out")
	}
	ids := make([]ID, len(r.Keys))
	for i, g := range r.Keys {
		ids[i] = g.KeyID
		if _, ok := s.Keys[g.KeyID]; !ok {
			return fmt.Errorf("key %s is not among keys", short(g.KeyID))
		}
		if err := g.check(); err != nil {
			return fmt.Errorf("key %s: %w", short(g.KeyID), err)
		}
	}
	if err := sortedIDs("keys", ids); err != nil {
		return err
	}
	active := r.active()
	if active == 0 {
		active = len(r.Keys)
	}
	return threshold(r.Threshold, active)
}

// active returns how many keys may sign in the role.
func (r Role) active() (n int) {
	for _, g := range r.Keys {
		if g.Status == sign.Active {
			n++
		}
	}
	return n
}

func (g Grant) check() error {
	switch g.Status {
	case sign.Active, sign.Retired, sign.Revoked:
	default:
		return fmt.Errorf("status is none of %s, %s, %s", sign.Active, sign.Retired, sign.Revoked)
	}
	switch {
	case (g.Status == sign.Revoked) != (g.RevokedSince != nil):
		return errors.New("revoked_since is there if and only if the key is revoked")
	case g.NotAfter.Before(g.NotBefore.Time):
		return errors.New("not_after is before not_before")
	}
	return nil
}

// checkKeys holds what concerns a key in all roles together: each key is used, and
// one that is revoked is revoked everywhere.
func (s *Signed) checkKeys() error {
	used := map[ID]bool{}
	for _, id := range s.Roles.Root.KeyIDs {
		used[id] = true
	}
	since := map[ID]Time{}
	for _, r := range s.Extension.Roles {
		for _, g := range r.Keys {
			used[g.KeyID] = true
			if g.RevokedSince != nil {
				since[g.KeyID] = *g.RevokedSince
			}
		}
	}
	for id := range s.Keys {
		if !used[id] {
			return fmt.Errorf("key %s has no role", short(id))
		}
	}
	for id := range since {
		if slices.Contains(s.Roles.Root.KeyIDs, id) {
			return fmt.Errorf("key %s is revoked and signs for the root", short(id))
		}
		for name, r := range s.Extension.Roles {
			for _, g := range r.Keys {
				if g.KeyID == id && (g.RevokedSince == nil || *g.RevokedSince != since[id]) {
					return fmt.Errorf("key %s is revoked, and not so in role %s", short(id), name)
				}
			}
		}
	}
	return nil
}

func threshold(n, keys int) error {
	switch {
	case n < 1:
		return fmt.Errorf("the threshold is %d: anybody could sign", n)
	case n > keys:
		return fmt.Errorf("the threshold is %d, of %d: nobody could sign", n, keys)
	}
	return nil
}

// sortedIDs holds that ids ascend, so that none is there twice.
func sortedIDs(what string, ids []ID) error {
	for i := 1; i < len(ids); i++ {
		switch c := bytes.Compare(ids[i-1][:], ids[i][:]); {
		case c == 0:
			return fmt.Errorf("%s has %s twice", what, short(ids[i]))
		case c > 0:
			return fmt.Errorf("%s is not sorted", what)
		}
	}
	return nil
}

func compareIDs(a, b ID) int { return strings.Compare(string(a[:]), string(b[:])) }
