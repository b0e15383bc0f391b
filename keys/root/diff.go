package root

import (
	"maps"
	"slices"
	"strconv"

	"github.com/relseal/relseal/sign"
)

// A Difference is one thing in which a version differs from another. Old or New is
// "" where there was or is nothing.
type Difference struct {
	Role string      `json:"role"` // "" for the root as a whole
	Key  *sign.KeyID `json:"key"`  // null for the role as a whole
	What string      `json:"what"` // expires, threshold, status, not_before, not_after or revoked_since
	Old  string      `json:"old"`
	New  string      `json:"new"`
}

// Diff returns in what b differs from a, in the order of the roles and keys.
func Diff(a, b *Root) []Difference {
	d := differ{out: []Difference{}}
	d.add("", nil, "expires", a.file.Signed.Expires.String(), b.file.Signed.Expires.String())
	for _, name := range append([]string{RootRole}, sign.Roles()...) {
		was, is := a.role(name), b.role(name)
		d.add(name, nil, "threshold", was.threshold, is.threshold)
		ids := maps.Clone(was.keys)
		maps.Copy(ids, is.keys)
		for _, id := range slices.SortedFunc(maps.Keys(ids), func(a, b sign.KeyID) int { return slices.Compare(a[:], b[:]) }) {
			for _, what := range []string{"status", "not_before", "not_after", "revoked_since"} {
				d.add(name, &id, what, was.keys[id][what], is.keys[id][what])
			}
		}
	}
	return d.out
}

type differ struct{ out []Difference }

func (d *differ) add(role string, key *sign.KeyID, what, old, now string) {
	if old != now {
		d.out = append(d.out, Difference{role, key, what, old, now})
	}
}

// A view is what a version says of a role, as text.
type view struct {
	threshold string
	keys      map[sign.KeyID]map[string]string
}

func (r *Root) role(name string) view {
	v := view{keys: map[sign.KeyID]map[string]string{}}
	if name == RootRole {
		role := r.file.Signed.Roles.Root
		v.threshold = strconv.Itoa(role.Threshold)
		for _, id := range role.KeyIDs {
			v.keys[r.keys[id].KeyID()] = map[string]string{"status": string(sign.Active)}
		}
		return v
	}
	role, ok := r.file.Signed.Extension.Roles[name]
	if !ok {
		return v
	}
	v.threshold = strconv.Itoa(role.Threshold)
	for _, g := range role.Keys {
		m := map[string]string{"status": string(g.Status), "not_before": g.NotBefore.String(), "not_after": g.NotAfter.String()}
		if g.RevokedSince != nil {
			m["revoked_since"] = g.RevokedSince.String()
		}
		v.keys[r.keys[g.KeyID].KeyID()] = m
	}
	return v
}
