package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A quorum counts, of a manifest whose signers a trust root limits, the keys whose
// signatures count, each once.
type quorum struct {
	b       *check
	role    string     // that may seal it
	sealer  sign.KeyID // that the manifest names
	path    string     // of the manifest
	group   string     // of its findings
	first   time.Time  // the earliest use of the sealing key on record
	last    time.Time  // the latest time on record
	records []Dating   // about it, by others

	keys    map[sign.KeyID]bool
	dated   map[sign.KeyID]bool // of those the revoked ones: somebody recorded the bundle before they were
	open    map[sign.KeyID]bool // of whom nobody can say whether they count
	sealing []Finding           // what is to be said of the sealing key
	unknown bool                // the sealing key is not in the root at all, which has its finding
}

// newQuorum is that of the bundle's own manifest.
func newQuorum(b *check) *quorum {
	q := &quorum{b: b, sealer: b.keyID, path: bundle.ManifestPath, group: checkSignature}
	if b.authority != nil {
		q.role, q.first, q.last, q.records = b.role(), b.began(), b.recorded(), b.datings()
	}
	return q.start()
}

func (q *quorum) start() *quorum {
	q.keys, q.dated, q.open = map[sign.KeyID]bool{}, map[sign.KeyID]bool{}, map[sign.KeyID]bool{}
	return q
}

// seal takes in the sealing key, whose signatures are good or not.
func (q *quorum) seal(key sign.PublicKey, good bool) {
	if q.b.authority == nil {
		return
	}
	q.sealing = q.b.standing(use{role: q.role, key: key.KeyID(), path: q.path, first: q.first, last: q.last}, q.records)
	if good {
		q.take(key, q.sealing)
	}
}

// further takes in another signer, whose signatures are good or not. One that does
// not count is worth a note: anybody can add a signature.
func (q *quorum) further(key sign.PublicKey, path string, good bool) {
	if q.b.authority == nil || !good {
		return
	}
	faults := q.b.standing(use{role: q.role, key: key.KeyID(), path: path, first: q.last, last: q.last, added: true}, q.records)
	q.take(key, faults)
	for _, f := range faults {
		f.Text += "; not counted"
		q.b.add(q.group, f.As(Note))
	}
}

// take counts a key whose signatures hold, as far as nothing speaks against it.
func (q *quorum) take(key sign.PublicKey, faults []Finding) {
	switch worst(faults) {
	case Verified:
		q.keys[key.KeyID()] = true
		if slices.ContainsFunc(faults, func(f Finding) bool { return f.Code == finding.KeyRevoked }) {
			q.dated[key.KeyID()] = true
		}
	case Undecidable:
		q.open[key.KeyID()] = true
	}
}

// told reports whether there are enough only because somebody recorded the bundle
// before a key that signed it was revoked. Who holds both keys can record what he likes.
func (q *quorum) told() bool {
	if q.b.authority == nil {
		return false
	}
	now, _ := q.b.authority.Threshold(q.role)
	return len(q.keys)-len(q.dated) < now
}

// judge says whether there are enough. That the sealing key may have been in other
// hands does not matter if there are enough without it: those vouch for the bundle.
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
		return // enough, or the finding about the sealing key is the cause
	}
	f := finding.New(finding.Threshold, q.path, fmt.Sprintf("%s asks for signatures by %s; %d count",
		q.role, plural(now, "key"), len(q.keys)))
	switch {
	case len(q.keys)+len(q.open) >= now:
		f.Text += fmt.Sprintf(", and of %d more nobody can say", len(q.open))
		f = f.As(Undecidable)
	case least <= len(q.keys):
		f.Text += fmt.Sprintf("; an earlier version of the root asked for %d", least)
		f = f.As(Undecidable)
	}
	q.b.add(q.group, f)
}
