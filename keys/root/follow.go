package root

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/relseal/relseal/sign"
)

// follows returns why next may not come after prev, signatures apart. What a
// version once said of a key's past, no later one takes back: a key stays listed,
// its status goes from active to retired to revoked, and its time only shrinks,
// but that an active key's may be prolonged.
func follows(prev, next *Signed) error {
	if next.Version != prev.Version+1 {
		return fmt.Errorf("comes after version %d", prev.Version)
	}
	for _, name := range slices.Sorted(maps.Keys(prev.Extension.Roles)) {
		now := map[ID]Grant{}
		for _, g := range next.Extension.Roles[name].Keys {
			now[g.KeyID] = g
		}
		for _, was := range prev.Extension.Roles[name].Keys {
			g, ok := now[was.KeyID]
			if !ok {
				return fmt.Errorf("role %s: key %s was there and is gone", name, short(was.KeyID))
			}
			if err := was.becomes(g); err != nil {
				return fmt.Errorf("role %s: key %s: %w", name, short(was.KeyID), err)
			}
		}
	}
	return nil
}

// Follows returns why r may not come after prev, signatures apart, an [*Error]. Where
// versions between them are missing it says what no way from one to the other allows.
func (r *Root) Follows(prev *Root) error {
	was := prev.file.Signed
	switch {
	case r.Version() < was.Version:
		return &Error{r.Version(), fmt.Errorf("comes before version %d", was.Version)}
	case r.Version() == was.Version && r.hash != prev.hash:
		return &Error{r.Version(), fmt.Errorf("another one than %s", prev.hash)}
	case r.Version() == was.Version:
		return nil
	}
	was.Version = r.Version() - 1 // what a rule forbids one step it forbids them together
	if err := follows(&was, &r.file.Signed); err != nil {
		return &Error{r.Version(), err}
	}
	return nil
}

var rank = map[sign.Status]int{sign.Active: 0, sign.Retired: 1, sign.Revoked: 2}

func (was Grant) becomes(now Grant) error {
	switch {
	case rank[now.Status] < rank[was.Status]:
		return fmt.Errorf("was %s and is %s", was.Status, now.Status)
	case now.NotBefore != was.NotBefore:
		return errors.New("not_before changed")
	case now.NotAfter.After(was.NotAfter.Time) && (was.Status != sign.Active || now.Status != sign.Active):
		return errors.New("not_after was prolonged, of a key that is not active")
	case was.RevokedSince != nil && now.RevokedSince.After(was.RevokedSince.Time):
		return errors.New("revoked_since was moved to a later time")
	}
	return nil
}

// A Lack is a threshold of root keys that is not reached yet.
type Lack struct {
	Version int64 // whose root keys
	Need    int   // signatures that are missing
	Signed  []sign.KeyID
	Missing []sign.KeyID // root keys that have not signed
}

// Lacks returns what r lacks to follow prev, or to stand alone if prev is nil. A
// signature that does not verify, or that is by no root key, is an error; only of a
// later version that stands alone some may be by keys of the version before it.
func Lacks(prev, r *Root) ([]Lack, error) {
	by := []*Root{r}
	if prev != nil {
		by = []*Root{prev, r}
	}
	good := map[ID]bool{}
	for _, s := range r.file.Signatures {
		key, ok := rootKey(by, s.KeyID)
		if !ok && prev == nil && r.Version() > 1 {
			continue
		}
		if !ok {
			return nil, &Error{r.Version(), fmt.Errorf("the signature by %s is by no root key", short(s.KeyID))}
		}
		if !key.Verify(r.bytes, sign.Signature(s.Sig)) {
			return nil, &Error{r.Version(), fmt.Errorf("the signature by %s does not verify", key.KeyID())}
		}
		good[s.KeyID] = true
	}
	var lacks []Lack
	for _, from := range by {
		role := from.file.Signed.Roles.Root
		l := Lack{Version: from.Version(), Need: role.Threshold}
		for _, id := range role.KeyIDs {
			key := from.keys[id].KeyID()
			if good[id] {
				l.Need--
				l.Signed = append(l.Signed, key)
			} else {
				l.Missing = append(l.Missing, key)
			}
		}
		if l.Need > 0 {
			lacks = append(lacks, l)
		}
	}
	return lacks, nil
}

// rootKey returns the root key with an id, of any of the versions.
func rootKey(by []*Root, id ID) (sign.PublicKey, bool) {
	for _, r := range by {
		if slices.Contains(r.file.Signed.Roles.Root.KeyIDs, id) {
			return r.keys[id], true
		}
	}
	return sign.PublicKey{}, false
}
