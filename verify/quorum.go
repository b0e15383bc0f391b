package verify

import (
	"fmt"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/sign"
)

// A quorum counts, of a bundle whose signers a trust root limits, the keys whose
// signatures count, each once.
type quorum struct {
	b       *check
	keys    map[sign.KeyID]bool
	open    map[sign.KeyID]bool // of whom nobody can say whether they count
	sealing []Finding           // what is to be said of the sealing key
	unknown bool                // the sealing key is not in the root at all, which has its finding
}

func newQuorum(b *check) *quorum {
	return &quorum{b: b, keys: map[sign.KeyID]bool{}, open: map[sign.KeyID]bool{}}
}

// seal takes in the sealing key, whose signatures are good or not.
func (q *quorum) seal(key sign.PublicKey, good bool) {
	if q.b.authority == nil {
		return
	}
	b := q.b
	q.sealing = b.standing(use{role: b.role(), key: key.KeyID(), path: bundle.ManifestPath, first: b.began(), last: b.recorded()})
	if good {
		q.take(key, q.sealing)
	}
}

// further takes in another signer, whose signatures are good or not. One that does
// not count is worth a note: anybody can add a signature.
func (q *quorum) further(key sign.PublicKey, dir string, good bool) {
	if q.b.authority == nil || !good {
		return
	}
	b := q.b
	faults := b.standing(use{role: b.role(), key: key.KeyID(), path: dir, first: b.recorded(), last: b.recorded(), added: true})
	q.take(key, faults)
	for _, f := range faults {
		f.Text += "; not counted"
		b.add(checkSignature, f.As(Note))
	}
}

// take counts a key whose signatures hold, as far as nothing speaks against it.
func (q *quorum) take(key sign.PublicKey, faults []Finding) {
	switch worst(faults) {
	case Verified:
		q.keys[key.KeyID()] = true
	case Undecidable:
		q.open[key.KeyID()] = true
	}
}

// judge says whether there are enough. That the sealing key may have been in other
// hands does not matter if there are enough without it: those vouch for the bundle.
func (q *quorum) judge() {
	b := q.b
	if b.authority == nil {
		return
	}
	b.counted = len(q.keys)
	now, least := b.authority.Threshold(b.role())
	for _, f := range q.sealing {
		if f.Code == finding.KeyRevoked && f.Verdict == Undecidable && len(q.keys) >= now {
			f = f.As(Note)
		}
		b.add(checkSignature, f)
	}
	if len(q.keys) >= now || q.unknown || !q.keys[b.keyID] && len(q.keys)+1 >= now {
		return // enough, or the finding about the sealing key is the cause
	}
	f := finding.New(finding.Threshold, bundle.ManifestPath, fmt.Sprintf("%s asks for signatures by %s; %d count",
		b.role(), plural(now, "key"), len(q.keys)))
	switch {
	case len(q.keys)+len(q.open) >= now:
		f.Text += fmt.Sprintf(", and of %d more nobody can say", len(q.open))
		f = f.As(Undecidable)
	case least <= len(q.keys):
		f.Text += fmt.Sprintf("; an earlier version of the root asked for %d", least)
		f = f.As(Undecidable)
	}
	b.add(checkSignature, f)
}
