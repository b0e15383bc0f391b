package verify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/sign"
)

// judgeRun cross-checks the parts of an audit bundle: the environment and the
// cards with their digests in manifest and genesis, the trail with the cards,
// the artifacts with what the run says it made.
func (b *check) judgeRun() {
	b.judgeEnvLock()
	b.judgeCards()
	b.judgeLists()
	b.c.ran(checkTrail)
	for _, t := range b.audit.Trails {
		b.judgeTrail(t.Path, pinnedTrail{t.Purpose, t.H0, t.HK, t.K})
		tr := b.trails[t.Path]
		if tr == nil || tr.summary.Genesis == nil || t.Purpose != audit.PurposeRun {
			continue
		}
		whole := !b.explained[t.Path] // by what is wrong with the trail itself
		if !tr.foreign {
			b.judgeGenesis(t.Path, tr.summary.Genesis)
		}
		b.judgeOutcome(t.Path, tr)
		if b.authority != nil && b.role() == sign.RoleArchive && tr.builds > 0 {
			b.add(checkTrail, finding.New(finding.KeyUnknown, t.Path, "records a build: who seals records of an archive may seal nothing else").At(tr.builds))
		}
		if b.pipeline != nil {
			b.judgeSteps(t.Path, tr)
		}
		if whole {
			b.judgeProduced(t.Path, tr)
		}
	}
	b.judgeParts()
	b.judgeParted()
	b.judgeOutputs()
}

func (b *check) judgeEnvLock() {
	b.c.ran(checkEnvLock)
	want := b.audit.EnvLock.Fingerprint
	if got := b.files[bundle.EnvLockPath].Hash; got != want {
		b.add(checkEnvLock, finding.New(finding.EnvLock, bundle.EnvLockPath,
			"not the EnvLock of this run: the fingerprint differs").Differs(want.String(), got.String()))
	}
	if data, ok := b.pinned(bundle.EnvLockPath); ok {
		lock, err := envlock.Parse(data)
		if err != nil {
			b.addError(checkEnvLock, bundle.EnvLockPath, err)
			return
		}
		b.lock = &lock
	}
}

func (b *check) judgeCards() {
	b.c.ran(checkCards)
	for _, card := range []struct {
		path string
		want sign.Digest
		read func([]byte) error
	}{
		{bundle.PipelinePath, b.audit.PipelineCard.Hash, func(data []byte) error {
			p, err := cards.ReadPipeline(data)
			if err == nil {
				b.pipeline = &p
			}
			return err
		}},
		{bundle.ParamPath, b.audit.ParamCard.Hash, func(data []byte) error {
			p, err := cards.ReadParams(data)
			if err == nil {
				b.params = &p
			}
			return err
		}},
	} {
		if got := b.files[card.path].Hash; got != card.want {
			b.add(checkCards, finding.New(finding.Card, card.path, "not the card of this run: the hash differs").
				Differs(card.want.String(), got.String()))
		}
		if data, ok := b.pinned(card.path); ok {
			if err := card.read(data); err != nil {
				b.addError(checkCards, card.path, err)
			}
		}
	}
}

// judgeGenesis compares the manifest with the genesis of the run's trail.
func (b *check) judgeGenesis(path string, g *audit.Genesis) {
	m := b.audit
	for _, c := range []struct {
		group     string
		code      Code
		name      string
		want, got string
	}{
		{checkTrail, finding.RunID, "run.id", m.Run.ID, g.Run.ID},
		{checkEnvLock, finding.EnvLock, "EnvLock.fingerprint", m.EnvLock.Fingerprint.String(), text(g.EnvLock.Fingerprint)},
		{checkCards, finding.Card, "PipelineCard.hash", m.PipelineCard.Hash.String(), text(g.PipelineCard.Hash)},
		{checkCards, finding.Card, "ParamCard.hash", m.ParamCard.Hash.String(), text(g.ParamCard.Hash)},
	} {
		if c.want != c.got {
			b.add(c.group, finding.New(c.code, path, "the genesis has another "+c.name+" than the manifest").At(0).Differs(c.want, c.got))
		}
	}
	if g.Product != "" && g.Product != m.Product {
		b.add(checkTrail, finding.New(finding.DataMismatch, path, "the genesis is of another product").At(0).Differs(m.Product, g.Product))
	}
}

func (b *check) judgeOutcome(path string, t *trail) {
	switch {
	case t.end == nil && !b.explained[path] && t.summary.Closed && !b.endsElsewhere(path):
		b.add(checkTrail, finding.New(finding.DataMismatch, path, "the trail is closed without run.end"))
	case t.end != nil && t.end.Status != b.audit.Outcome:
		b.add(checkTrail, finding.New(finding.DataMismatch, path, "the run ended with another outcome than the manifest states").
			At(t.end.K).Differs(b.audit.Outcome, t.end.Status))
	}
	for _, k := range t.unclear {
		b.add(checkTrail, finding.New(finding.Format, path, "details.source has another form than that of a source: nobody can say what it means").At(k).As(Undecidable))
	}
}

// judgeSteps holds the recorded steps against the card that names them.
func (b *check) judgeSteps(path string, t *trail) {
	byID := map[string]cards.Step{}
	for _, s := range b.pipeline.Steps {
		byID[s.ID] = s
	}
	if seed := cardSeed(b.pipeline); t.seeded && deref(t.seed) != deref(seed) {
		b.add(checkCards, finding.New(finding.SeedInvalid, path, "the run used another seed than its card declares").
			Differs(deref(seed), deref(t.seed)))
	}
	for _, k := range t.committed {
		b.add(checkCards, finding.New(finding.Card, path, "the id of the step is a commitment: it is not held against the card").At(k).As(Undecidable))
	}
	for _, k := range t.beyond {
		b.add(checkCards, finding.New(finding.Card, path, "the run has more steps than a card can have").At(k))
	}
	for _, id := range slices.Sorted(maps.Keys(t.definitions)) {
		first := t.definitions[id]
		def, ok := byID[id]
		if !ok {
			b.add(checkCards, finding.New(finding.Card, path, fmt.Sprintf("step %q is not in the card", id)).At(first.k))
			continue
		}
		k := first.other
		code, err := def.Hash()
		if code != first.code {
			k = first.k
		}
		if err == nil && k > 0 {
			b.add(checkCards, finding.New(finding.Card, path, fmt.Sprintf("step %q is not the one that the card defines", id)).At(k))
		}
		b.judgeStart(path, id, t.steps[id])
	}
	if b.audit.Outcome == audit.StatusOK && !b.explained[path] {
		b.judgeComplete(path, t)
	}
}

// judgeStart compares what the two events of a step say that it read.
// A step that did not end ok may have started without its inputs.
func (b *check) judgeStart(path, id string, s *step) {
	if s == nil || s.start == nil || s.status != audit.StatusOK {
		return
	}
	if in := s.start.inputs; in != s.inputs {
		b.add(checkTrail, finding.New(finding.DataMismatch, path, fmt.Sprintf("step %q ended with other inputs than it started", id)).
			At(s.k).Differs(in.String(), s.inputs.String()))
	}
}

// judgeLists notes what the card asks to be captured and the EnvLock does not hold.
func (b *check) judgeLists() {
	if b.lock == nil || b.pipeline == nil {
		return
	}
	note := func(what, name string) {
		b.add(checkEnvLock, finding.New(finding.EnvLock, bundle.EnvLockPath,
			fmt.Sprintf("the card lists the %s %s and the EnvLock does not record it", what, escape.Word(name))).As(Note))
	}
	for _, path := range b.pipeline.Locks {
		if !slices.ContainsFunc(b.lock.Locks, func(l envlock.LockFile) bool { return l.Path == path }) {
			note("lock file", path)
		}
	}
	for _, name := range b.pipeline.Env {
		if _, ok := b.lock.Variables[name]; !ok {
			note("variable", name)
		}
	}
}

// judgeComplete asks of a run that ended well whether every step of its card
// did, and whether what must be the same is.
func (b *check) judgeComplete(path string, t *trail) {
	for _, def := range b.pipeline.Steps {
		s := b.stepOf(t, def.ID)
		if s == nil && b.someCommitted() {
			continue // it may be one of those
		}
		switch {
		case t.end == nil && t.steps[def.ID] == nil && b.endsElsewhere(path):
			// asked of the trail that has the end
		case s == nil || s.status != audit.StatusOK:
			b.add(checkTrail, finding.New(finding.DataMismatch, path, fmt.Sprintf("the run ended ok and step %q did not", def.ID)))
		case def.SameAs != "" && t.steps[def.ID] != nil:
			b.judgeSame(path, def, t)
		}
	}
}

// judgeSame compares the recorded outputs of a step with those of the step that
// it must repeat.
func (b *check) judgeSame(path string, def cards.Step, t *trail) {
	i := slices.IndexFunc(b.pipeline.Steps, func(s cards.Step) bool { return s.ID == def.SameAs })
	again, first := t.steps[def.ID], b.stepOf(t, def.SameAs)
	if i < 0 || first == nil {
		return // the card or the missing step has its finding
	}
	earlier, later := b.pipeline.Steps[i].AllOutputs(), def.AllOutputs()
	for n := range min(len(earlier), len(later)) { // the card's own check says they are as many
		want, got := first.output(earlier[n]), again.output(later[n])
		if want != got || want == "" {
			b.add(checkTrail, finding.New(finding.Nondeterminism, path, fmt.Sprintf("%s is not the same as %s", later[n], earlier[n])).
				At(again.k).As(Reject).Differs(want, got))
		}
	}
}

// judgeOutputs compares the artifacts of the manifest with the outputs of the
// closing events.
func (b *check) judgeOutputs() {
	recorded, differ, ended := map[string]sign.Digest{}, map[string]bool{}, false
	for _, t := range b.runTrails() {
		tr := b.trails[t.Path]
		if tr == nil {
			return // and that is the finding
		}
		if tr.end == nil {
			if !tr.summary.Closed && !b.goesOn(t.Path) {
				return // the rest may say anything
			}
			continue
		}
		ended = true
		for _, it := range tr.end.Outputs.Items {
			if other, ok := recorded[it.URI]; ok && other != it.Hash && !differ[it.URI] {
				differ[it.URI] = true
				b.add(checkArtifacts, finding.New(finding.ArtifactHash, it.URI, "two trails of the run recorded different digests").
					Differs(other.String(), it.Hash.String()))
			}
			recorded[it.URI] = it.Hash
		}
	}
	if !ended {
		return // the closing event is missing or damaged, and that is the finding
	}
	for _, a := range b.audit.Artifacts {
		if got, ok := recorded[a.URI]; differ[a.URI] {
			// has its finding
		} else if !ok {
			b.add(checkArtifacts, finding.New(finding.ArtifactHash, a.URI, "the run did not record this artifact"))
		} else if got != a.Hash {
			b.add(checkArtifacts, finding.New(finding.ArtifactHash, a.URI, "the run recorded another digest").
				Differs(got.String(), a.Hash.String()))
		}
		delete(recorded, a.URI)
	}
	for uri := range recorded {
		if differ[uri] {
			continue
		}
		b.add(checkArtifacts, finding.New(finding.ArtifactHash, uri, "an output of the run that the manifest leaves out"))
	}
}

func cardSeed(p *cards.Pipeline) *string {
	if p.RNG == nil {
		return nil
	}
	return &p.RNG.Seed
}

func text(d *sign.Digest) string {
	if d == nil {
		return "null"
	}
	return d.String()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
