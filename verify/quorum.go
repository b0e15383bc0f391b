package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A quorum counts the keys that signed a manifest and may do so by the trust root, each
// key once.
type quorum struct {
	b       *check
	role    string     // the role that may seal the manifest
	sealer  sign.KeyID // the sealing key, which the manifest names
	path    string     // of the manifest
	group   string     // of the findings
	first   time.Time  // the earliest use of the sealing key on record
	last    time.Time  // the latest time on record
	records []Dating   // about the bundle, by others

	keys      map[sign.KeyID]bool      // the keys that count
	dated     map[sign.KeyID]bool      // those of keys that were revoked after others had recorded the bundle
	later     map[sign.KeyID]time.Time // those of keys that may sign only from a time after everything on record
	undecided map[sign.KeyID]bool      // keys of which nobody can say whether they count
	sealing   []Finding                // about the sealing key
	unknown   bool                     // the sealing key is not in the root, which has its finding
}

// newQuorum returns the quorum of the bundle's own manifest.
func newQuorum(b *check) *quorum {
	q := &quorum{b: b, sealer: b.keyID, path: bundle.ManifestPath, group: checkSignature}
	if b.authority != nil {
		q.role, q.first, q.last, q.records = b.role(), b.firstUse(), b.recorded(), b.datings()
	}
	return q.start()
}

// start makes the sets of q, which are empty.
func (q *quorum) start() *quorum {
	q.later = map[sign.KeyID]time.Time{}
	q.keys, q.dated, q.undecided = map[sign.KeyID]bool{}, map[sign.KeyID]bool{}, map[sign.KeyID]bool{}
	return q
}

// addSealer judges the sealing key, and counts it if its signatures are good.
func (q *quorum) addSealer(key sign.PublicKey, good bool) {
	if q.b.authority == nil {
		return
	}
	q.sealing = q.b.standing(use{role: q.role, key: key.KeyID(), path: q.path, first: q.first, last: q.last}, q.records)
	if good {
		q.count(key, q.sealing)
	}
}

// addSigner judges another signer, and counts it if its signatures are good. What speaks
// against it is only a note, because anybody can add a signature.
func (q *quorum) addSigner(key sign.PublicKey, path string, good bool) {
	if q.b.authority == nil || !good {
		return
	}
	faults := q.b.standing(use{role: q.role, key: key.KeyID(), path: path, first: q.last, last: q.last, cosigner: true}, q.records)
	q.count(key, faults)
	g, _ := q.b.authority.Grant(q.role, key.KeyID())
	if q.keys[key.KeyID()] && q.b.o.At.IsZero() && !q.last.IsZero() && g.NotBefore.After(q.last) {
		q.later[key.KeyID()] = g.NotBefore
	}
	for _, f := range faults {
		f.Text += "; not counted"
		q.b.add(q.group, f.As(Note))
	}
}

// count counts a key with good signatures if none of its faults matters, and remembers it
// as undecided if they leave that open.
func (q *quorum) count(key sign.PublicKey, faults []Finding) {
	switch worst(faults) {
	case Verified:
		q.keys[key.KeyID()] = true
		if slices.ContainsFunc(faults, func(f Finding) bool { return f.Code == finding.KeyRevoked }) {
			q.dated[key.KeyID()] = true
		}
	case Undecidable:
		q.undecided[key.KeyID()] = true
	}
}

// A tally says how many keys count, and for how many of them that is not proved.
type tally struct {
	keys   int
	dated  int       // they are revoked, and others recorded the bundle before
	later  int       // they were added to the bundle, and may sign only after everything on record
	from   time.Time // the time from which the last of those may sign
	enough bool      // without these
}

// tally is empty without a trust root.
func (q *quorum) tally() tally {
	if q.b.authority == nil {
		return tally{enough: true}
	}
	t := tally{keys: len(q.keys), dated: len(q.dated), later: len(q.later)}
	for _, from := range q.later {
		t.from = latest(t.from, from)
	}
	now, _ := q.b.authority.Threshold(q.role)
	t.enough = t.proved() >= now
	return t
}

func (t tally) proved() int { return t.keys - t.dated - t.later }

// words say what somebody has to be believed for these keys to be enough. Whoever holds a
// revoked key and the one that recorded the bundle could have written that record later.
func (t tally) words() string {
	var list []string
	if t.dated > 0 {
		list = append(list, fmt.Sprintf("that %d of them did so before they were revoked is what another key recorded", t.dated))
	}
	if t.later > 0 {
		list = append(list, fmt.Sprintf("the time of %d of them begins later than anything on record here, the last at %s", t.later, t.from.UTC().Format(time.RFC3339)))
	}
	return strings.Join(list, "; ")
}

// judge reports whether there are enough keys. If there are enough without the sealing
// key, they vouch for the bundle, and it does not matter that somebody else may have used
// the sealing key after it was revoked.
func (q *quorum) judge() {
	if q.b.authority == nil {
		return
	}
	now, least := q.b.authority.Threshold(q.role)
	for _, f := range q.sealing {
		if f.Code == finding.KeyRevoked && f.Verdict == Undecidable && len(q.keys) >= now {
			f = f.As(Note)
		}
		q.b.add(q.group, f)
	}
	if len(q.keys) >= now || q.unknown || !q.keys[q.sealer] && len(q.keys)+1 >= now {
		return // there are enough, or the finding about the sealing key says why not
	}
	f := finding.New(finding.Threshold, q.path, fmt.Sprintf("%s asks for signatures by %s; %d count",
		q.role, plural(now, "key"), len(q.keys)))
	switch {
	case len(q.keys)+len(q.undecided) >= now:
		f.Text += fmt.Sprintf(", and of %d more nobody can say", len(q.undecided))
		f = f.As(Undecidable)
	case least <= len(q.keys):
		f.Text += fmt.Sprintf("; an earlier version of the root asked for %d", least)
		f = f.As(Undecidable)
	}
	q.b.add(q.group, f)
}
