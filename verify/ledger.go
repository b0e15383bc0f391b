package verify

import (
	"fmt"
	"io"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/internal/seen"
	"github.com/relseal/relseal/sign"
)

// A ledgerCopy is the part of a product's ledger that a release holds, and what
// follows from it.
type ledgerCopy struct {
	*trail
	state  *ledger.State
	faults []*ledger.Fault      // events that do not follow from those before them
	own    map[sign.Digest]bool // the release and the bundles that it came from
	final  int64                // the last event when the release was sealed
	known  bool                 // every key that signs it is trusted: else nothing follows from it
	at     map[int64]moment     // the events at which the manifests pin its head
	dated  map[sign.Digest][]Dating
}

// A moment is where a ledger stood after an event.
type moment struct {
	head sign.Digest
	ts   time.Time
}

// pinnedMoments returns the events at which the release, or a bundle that it came from,
// pins the head of the ledger. In a bundle the manifests stand before the ledger.
func (b *check) pinnedMoments() map[int64]moment {
	at := map[int64]moment{}
	for _, a := range b.ancestors() {
		for _, ref := range []*bundle.LedgerRef{a.manifest.Provenance.Ledger, a.manifest.Provenance.Head} {
			if ref != nil {
				at[ref.K] = moment{}
			}
		}
	}
	return at
}

// readLedger checks the chain of a ledger and takes in what its events say.
func (b *check) readLedger(path string, body io.Reader) error {
	b.c.ran(checkTrail)
	l := &ledgerCopy{trail: &trail{doubtful: map[int64][]byte{}}, state: ledger.NewFor(b.mayComeFrom), final: b.release.Provenance.Ledger.K, known: true,
		at: b.pinnedMoments(), dated: map[sign.Digest][]Dating{}}
	b.trails[path], b.ledger = l.trail, l
	for id := range b.lineage {
		l.dated[id] = nil
	}
	if r := seen.Of(b.ctx); r != nil && l.restore(r, b, path) {
		return nil
	}
	summary, err := audit.Check(body, audit.CheckOptions{
		Path:    path,
		Keys:    b.trailKeys(path),
		Pinned:  b.pinnedLedger().first(),
		Plain:   engine.Of(b.ctx).Plain,
		Workers: engine.Of(b.ctx).Workers,
		Judged:  b.judged(),
		Report: func(f Finding) {
			if f.Code == finding.TrailOpen {
				l.open = &f
				return
			}
			l.known = l.known && f.Code != finding.KeyUnknown
			l.foreign = l.foreign || f.Code == finding.Genesis
			b.add(checkTrail, b.judgeUntrusted(f, path, true))
		},
		Event:        l.addEvent,
		EventActions: ledger.Actions,
		BriefActions: []string{ledger.ActionWindow},
		Head: func(k int64, ts audit.Time, head sign.Digest) {
			if _, ok := l.at[k]; ok {
				l.at[k] = moment{head, ts.Time}
			}
		},
		Doubtful: b.keepDoubtful(l.trail),
	})
	l.summary = summary
	for _, r := range summary.Failing {
		b.fails(path, r.First, r.Last)
	}
	for _, s := range summary.Signers {
		b.c.used(s.Key, path)
	}
	return err
}

// restore takes over what the caller has read of the same ledger before, instead of reading
// it again. It returns false if that is not enough. The digest of the file is compared with
// that in the manifest like that of any other.
func (l *ledgerCopy) restore(r *seen.Ledger, b *check, path string) bool {
	f, want := b.files[path], b.pinnedLedger()
	key, trusted := b.trailKeys(path).Verifier(r.Key.KeyID())
	if engine.Of(b.ctx).Plain || !trusted || key != r.Key || f.Hash != r.Digest || f.Size != r.Size || want.h0 != r.Summary.H0 || want.k != r.Summary.K {
		return false
	}
	for k := range l.at {
		mark, there := r.Marks[k]
		if !there && k > 0 {
			return false
		}
		l.at[k] = moment{mark.HK, mark.TS}
	}
	for id := range l.dated {
		if at, came := r.Came[id]; came {
			l.dated[id] = []Dating{{r.Key.KeyID(), at}}
		}
	}
	for _, f := range r.Findings {
		f.Path = &path
		if f.Code == finding.TrailOpen {
			l.open = &f
		} else {
			b.add(checkTrail, f)
		}
	}
	l.summary, l.state = r.Summary, r.State
	for _, s := range r.Summary.Signers {
		b.c.used(s.Key, path)
	}
	return true
}

// mayComeFrom reports whether the release may have come from a bundle: it names it, or
// carries its manifest, which stands before the ledger. Decisions about others are not
// made again.
func (b *check) mayComeFrom(id sign.Digest) bool {
	previous := b.release.Provenance.Previous
	return previous != nil && id == *previous || b.lineage[id] != nil
}

// addEvent takes in an event, if all keys of the ledger are trusted.
func (l *ledgerCopy) addEvent(r audit.Record) {
	if !l.known {
		return
	}
	e := r.E
	f := l.state.Add(ledger.Event{
		K: e.K, TimeMS: r.Time().UnixMilli(), MonoMS: e.TauMonoUS / 1000, Clock: e.Clock,
		Actor: e.Actor.Said(), Action: e.Action, Notes: e.Notes.Said(), Details: e.Details,
	})
	if f != nil {
		l.faults = append(l.faults, f)
	}
	_, sealedOver := l.at[e.K] // and then compared with what a carried manifest says
	if m := l.state.Move(e.K); m != nil && m.Judgement != nil && e.K != l.final && !sealedOver {
		m.Judgement.Decision.Slim()
	}
	if t := l.state.Rollback(e.K); t != nil && t.Judgement != nil {
		t.Judgement.Decision.Slim()
	}
	var s ledger.Sealed
	if e.Action == ledger.ActionSealed && canon.Peek(e.Details, &s) == nil {
		if _, wanted := l.dated[s.Bundle]; wanted {
			l.dated[s.Bundle] = append(l.dated[s.Bundle], Dating{e.Verifier.PKRef, r.Time().Time})
		}
	}
}

// promoted reports whether the bundle is a release that a ledger judged.
func (b *check) promoted() bool {
	return b.release != nil && b.release.Channel != bundle.Canary && b.release.Provenance.Ledger != nil && !b.nested()
}

// pinnedLedger is what the manifest says of the ledger, if it names one.
func (b *check) pinnedLedger() pinnedTrail {
	ref := b.release.Provenance.Ledger
	return pinnedTrail{audit.PurposeLedger, ref.H0, ref.HK, ref.K}
}

// judgeLedger holds the ledger to what the manifest pins, and makes its decisions
// again.
func (b *check) judgeLedger() {
	m := b.release
	ref, l := m.Provenance.Ledger, b.ledger
	if !b.promoted() {
		return
	}
	if l == nil {
		if _, listed := b.files[bundle.LedgerPath]; !listed {
			b.add(checkRelease, finding.New(finding.Decision, bundle.ManifestPath,
				"the ledger is not in the bundle: the decision cannot be made again").As(Undecidable))
		}
		return // else judgeFiles says why
	}
	b.judgeTrail(bundle.LedgerPath, b.pinnedLedger())
	g := l.summary.Genesis
	if g == nil || b.explained[bundle.LedgerPath] || !l.known {
		return // what is not the record that was signed decides nothing
	}
	if g.Product != "" && g.Product != m.Product {
		b.add(checkRelease, finding.New(finding.DataMismatch, bundle.LedgerPath, "the ledger is of another product").At(0).Differs(m.Product, g.Product))
	}
	if from := g.Continues; from != nil {
		b.add(checkRelease, finding.New(finding.Decision, bundle.LedgerPath,
			fmt.Sprintf("the ledger goes on from event %d of one that is not in the bundle: windows of the release, its policy or a rollback may stand there", from.K)).At(0).As(Undecidable))
	}
	l.own = map[sign.Digest]bool{}
	for _, m := range l.state.Promotions(ref.K) {
		l.own[m.Source.Bundle] = true
	}
	rests := []*bundle.LedgerRef{ref}
	for _, a := range b.ancestors() {
		rests = append(rests, a.manifest.Provenance.Ledger)
	}
	for _, on := range rests {
		if on == nil {
			continue
		}
		if m := l.state.Move(on.K); m != nil {
			l.own[m.Release] = true // whatever the event names, the release rests on it
		}
	}
	b.judgeEvents(g.Continues != nil)
	b.judgePromotion(bundle.ManifestPath, m, l.state.Move(ref.K))
	for _, a := range b.ancestors() {
		b.judgeRecorded(a, g.Continues != nil)
	}
}

// judgeEvents reports the events that do not follow. Those about another release
// are part of an authentic record, and this one does not rest on them.
func (b *check) judgeEvents(continues bool) {
	l := b.ledger
	for _, f := range l.faults {
		found := finding.New(Code(f.Code), bundle.LedgerPath, f.Text).At(f.K)
		if f.Want != "" || f.Got != "" {
			found = found.Differs(f.Want, f.Got)
		}
		switch {
		case f.Release != nil && !l.own[*f.Release]:
			found = found.As(Note)
		case f.Lost:
			found = found.As(Undecidable)
		case f.Earlier && continues:
			found.Text += "; it may stand in the part that the ledger goes on from"
			found = found.As(Undecidable)
		}
		b.add(checkRelease, found)
	}
	for _, r := range l.state.Releases() {
		if t := r.Rollback; t != nil && t.Done != nil && t.Done.Reason != nil {
			b.add(checkRelease, finding.New(Code(*t.Done.Reason), bundle.LedgerPath,
				"the rollback of "+r.Bundle.String()+" was not done in time, or nobody knows").At(t.DoneK).As(Note))
		}
		if r.Move == nil || r.Move.Override == nil || r.Move.Judgement == nil || !b.mayComeFrom(r.Bundle) {
			continue
		}
		for _, alert := range r.Move.Judgement.Decision.Alerts {
			b.add(checkRelease, finding.New(Code(alert), bundle.LedgerPath, "promoted although this alert stood").At(r.Move.K).As(Note))
		}
	}
}

// judgeRecorded holds a bundle that the release came from to what the ledger says of it,
// and the ledger to what that bundle says.
func (b *check) judgeRecorded(a *ancestor, continues bool) {
	l, m := b.ledger, a.manifest
	differ := func(text, want, got string) {
		if want != got {
			b.add(checkRelease, finding.New(finding.DataMismatch, a.path(), text).Differs(want, got))
		}
	}
	if r := l.state.Release(a.id); r != nil { // else what was promoted is another one, and that is the finding
		in := func(what string) string {
			return fmt.Sprintf("another %s than event %d of the ledger recorded", what, r.K)
		}
		differ(in("channel"), r.Channel, m.Channel)
		differ(in("version"), r.Version, m.Version)
		differ(in("policy"), text(r.Policy), text(policyOf(m)))
	}
	b.judgeArrival(a)
	for _, ref := range []*bundle.LedgerRef{m.Provenance.Ledger, m.Provenance.Head} {
		switch {
		case ref == nil:
		case ref.H0 == l.summary.H0:
			got := l.at[ref.K].head
			if ref.K == 0 {
				got = l.summary.H0
			}
			differ("the ledger stood elsewhere when it was sealed", ref.HK.String(), got.String())
		case continues:
			b.add(checkRelease, finding.New(finding.Decision, a.path(), "it was sealed over the part that the ledger goes on from").As(Undecidable))
		default:
			differ("it was sealed over another ledger", ref.H0.String(), l.summary.H0.String())
		}
	}
	if ref := m.Provenance.Ledger; ref != nil && ref.H0 == l.summary.H0 {
		b.judgePromotion(a.path(), m, l.state.Move(ref.K))
	}
}

// judgeArrival reports a bundle that came to its channel, by the ledger's clock, before its
// runs ended, by theirs. One of the clocks was wrong, and nobody knows which.
func (b *check) judgeArrival(a *ancestor) {
	r := b.ledger.state.Release(a.id)
	if r == nil {
		return
	}
	skew := int64(0)
	if p := b.ledger.state.PolicyOf(r); p != nil {
		skew = p.Policy.SkewMaxMS
	}
	if built := b.built(); built.UnixMilli()-r.SinceMS > skew {
		b.add(checkRelease, finding.New(finding.TimeOrder, bundle.LedgerPath, "the bundle came to its channel before its evidence was made").At(r.K).
			Differs(audit.NewTime(built).String(), stamp(r.SinceMS)).As(Undecidable))
	}
}

// built returns the latest time in the evidence.
func (b *check) built() (last time.Time) {
	for _, in := range b.evidence {
		last = latest(last, in.recorded())
	}
	return last
}

// policyOf returns the digest of the policy that a manifest has, nil if it has none.
func policyOf(m *bundle.ReleaseManifest) *sign.Digest {
	if m.Gates == nil {
		return nil
	}
	data, err := m.Gates.Marshal()
	if err != nil {
		return nil // and has its finding
	}
	d := sign.Sum(data)
	return &d
}
