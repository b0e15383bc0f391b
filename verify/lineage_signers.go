package verify

import (
	"fmt"
	"strings"
	"time"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// judgeSigners asks who signed a bundle that the release came from. Under a trust root
// it is judged as that bundle itself would be; without one the caller's keys say nothing
// of roles, and a signature by one of them must hold all the same.
func (b *check) judgeSigners(a *ancestor) {
	if a.signatures == nil {
		return // and has its finding
	}
	b.trust()
	q := b.quorumOf(a)
	sealed := false
	for _, by := range a.signatures {
		sealing := by.KeyID == q.sealer
		sealed = sealed || sealing
		key, known := b.o.Keys.Verifier(by.KeyID)
		if !known {
			b.judgeUnknown(a, by.KeyID, sealing, q)
			continue
		}
		good := key.Verify(a.id[:], by.Sig)
		switch {
		case !good:
			b.add(checkRelease, finding.New(finding.SigBundle, a.signaturesPath(), fmt.Sprintf("not a signature of %s by %s", a.id, by.KeyID)))
		default:
			b.signed(key, a.signaturesPath())
		}
		if sealing {
			q.addSealer(key, good)
		} else {
			q.addSigner(key, a.signaturesPath(), good)
		}
	}
	if !sealed {
		b.add(checkRelease, finding.New(finding.SigBundle, a.signaturesPath(), fmt.Sprintf("%s sealed it, and is not among its signers", q.sealer)))
		return
	}
	q.judge()
	a.tally = q.tally()
}

// judgeUnknown says what follows from a signer whom the caller does not know.
func (b *check) judgeUnknown(a *ancestor, id sign.KeyID, sealing bool, q *quorum) {
	switch {
	case !sealing:
		b.add(checkRelease, finding.New(finding.KeyUnknown, a.signaturesPath(), fmt.Sprintf("further signer %s is not among the trusted keys; ignored", id)).As(Note))
	case b.authority != nil:
		q.unknown = true
		b.add(checkRelease, finding.New(finding.KeyUnknown, a.path(), fmt.Sprintf("signed by %s, which is not among the trusted keys", id)))
	}
}

// quorumOf is that of the manifest of a bundle that the release came from.
func (b *check) quorumOf(a *ancestor) *quorum {
	q := &quorum{b: b, sealer: a.manifest.Verifier.PKRef, path: a.path(), group: checkRelease}
	if b.authority != nil {
		q.role = "release." + strings.ToLower(a.manifest.Channel)
		q.last = b.sealedAt(a)
		q.first = q.last
		q.records = b.datingsOf(a)
	}
	return q.start()
}

// sealedAt returns the latest time that such a bundle holds: that of the evidence, which
// is the same all the way, and of the ledger up to where it says that this stood.
func (b *check) sealedAt(a *ancestor) time.Time {
	last := b.pinnedTime(a.manifest)
	for _, in := range b.evidence {
		last = latest(last, in.recorded())
	}
	return last
}

// datingsOf are the records about such a bundle: those of the caller, also about the
// release that pins it, and those of the ledger in the release, which says when it came
// to its channel.
func (b *check) datingsOf(a *ancestor) []Dating {
	list := b.datings()
	if b.o.Dates != nil {
		list = append(list, b.o.Dates.Recorded(a.id)...)
	}
	if l := b.ledger; l != nil && !b.explained[bundle.LedgerPath] {
		for _, d := range l.dated[a.id] {
			g, ok := b.authority.Grant(sign.RoleLedger, d.Key)
			if ok && g.Status != sign.Revoked && !d.At.Before(g.NotBefore) && !d.At.After(g.NotAfter) {
				list = append(list, d)
			}
		}
	}
	return list
}
