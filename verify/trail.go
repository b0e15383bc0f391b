package verify

import (
	"io"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A trail is what the checks of a bundle need from one of its trails. Lines are
// not kept: of a run only the closing facts and one entry a step.
type trail struct {
	summary     audit.Summary
	open        *Finding // E_TRAIL_OPEN, until it is known whether the end was cut off
	needsRecord bool     // a key of it is revoked, and that it is older than that rests on a record by another key
	foreign     bool     // line 0 is not the one that was signed, or not this trail's
	end         *audit.Event
	ended       bool        // there was one, also when it is no longer kept
	stepOutputs stepOutputs // while the trail is read
	produced    produced
	changed     []change   // artifacts of end
	sources     []recorded // what run.start says of the code
	unclear     []int64    // the run.start that say it in another form
	steps       map[string]*step
	doubtful    map[int64][]byte       // events with a finding, kept to be compared with a reference
	started     *start                 // the step that has not ended
	definitions map[string]*definition // by step id: what its events say of its definition
	committed   []int64                // starts and ends of steps whose id is a commitment
	builds      int64                  // the first event with outputs or a source, 0 if none has any
	beyond      []int64                // starts and ends of more steps than a card can have
	outputs     int                    // items kept in steps
	seed        *string
	seeded      bool
}

// recorded is the source that a run.start records.
type recorded struct {
	audit.Source
	clear  bool // it has the form of one
	unseen bool // the run.start is not in the bundle
}

// step is what step.start and step.end say.
type step struct {
	k       int64 // of step.end
	inputs  sign.Digest
	status  string
	outputs []audit.Item
	start   *start
}

// start is what step.start says.
type start struct {
	id     string
	inputs sign.Digest
}

// A definition is the one that the first step.start or step.end of a step names, and
// where; and the first of its events that names another one, 0 if none does. That is enough
// to find the first that is not the card's, which is read later.
type definition struct {
	code     sign.Digest
	k, other int64
}

// define takes in what a step.start or step.end says of the definition of a step. It
// returns false if that is one more than a card can have.
func (t *trail) define(id string, e *audit.Event) bool {
	code := deref(e.Code.Hash)
	switch d := t.definitions[id]; {
	case d == nil && len(t.definitions) == maxSteps:
		t.beyond = append(t.beyond, e.K)
		return false
	case d == nil:
		t.definitions[id] = &definition{code: code, k: e.K}
	case d.code != code && d.other == 0:
		d.other = e.K
	}
	return true
}

// What is kept of a trail is what a card of 1 MiB can ask for, since cards come
// after trails: so many steps of at least 50 bytes, with so many outputs of at
// least 4.
const (
	maxSteps   = limits.Card / 50
	maxOutputs = limits.Card / 4
	maxStepID  = 64
	maxStarts  = 4
)

// stepID returns the id of a step, or something shorter for one that no card has.
func stepID(e *audit.Event) string {
	id := e.Path.String()
	if len(id) > maxStepID {
		return id[:maxStepID-20] + "…" + sign.Sum([]byte(id)).Hex()[:16]
	}
	return id
}

// output returns the digest of one output as text, "" if it was not recorded.
func (s *step) output(uri string) string {
	for _, it := range s.outputs {
		if it.URI == uri {
			return it.Hash.String()
		}
	}
	return ""
}

func (b *check) readTrail(path string, body io.Reader) error {
	b.c.ran(checkTrail)
	t := &trail{steps: map[string]*step{}, definitions: map[string]*definition{}, doubtful: map[int64][]byte{}, stepOutputs: newStepOutputs(b.audit)}
	b.trails[path] = t
	summary, err := audit.Check(body, audit.CheckOptions{
		Path:    path,
		Keys:    b.trailKeys(path),
		Pinned:  b.pinnedH0(path),
		Plain:   engine.Of(b.ctx).Plain,
		Workers: engine.Of(b.ctx).Workers,
		Judged:  b.judged(),
		Faulty:  b.o.faulty,
		Report: func(f Finding) {
			if f.Code == finding.TrailOpen {
				t.open = &f
				return
			}
			t.foreign = t.foreign || f.Code == finding.Genesis
			b.add(checkTrail, b.judgeUntrusted(f, path, b.nested()))
		},
		Event:        t.note,
		EventActions: noted,
		Doubtful:     b.keepDoubtful(t),
	})
	t.summary = summary
	if t.end != nil {
		t.changed = t.stepOutputs.changes(t.end.Outputs.Items)
	}
	t.produced, t.stepOutputs = t.stepOutputs.produced(b.audit.Artifacts), nil
	if g := summary.Genesis; g != nil && b.o.Against == nil {
		g.Details, g.Delegation = nil, nil // up to 1 MiB, of each trail
	}
	for _, r := range summary.Failing {
		b.fails(path, r.First, r.Last)
	}
	if summary.Key != nil {
		if b.prefix != "" {
			path = b.prefix + "!" + path
		}
		b.c.used(*summary.Key, path)
	}
	return err
}

// keepDoubtful keeps the events that locate may compare, if there is a reference.
func (b *check) keepDoubtful(t *trail) func(audit.Record) {
	if b.o.Against == nil {
		return nil
	}
	return func(r audit.Record) {
		if len(t.doubtful) < maxLocated {
			t.doubtful[r.E.K] = marshal(r.E)
		}
	}
}

func (b *check) fails(path string, first, last int64) {
	if b.prefix != "" {
		path = b.prefix + "!" + path
	}
	b.c.fails(path, first, last)
}

// noted are the actions of which note wants to know; of the first event it takes
// the seed whatever the action.
var noted = []string{audit.ActionRunStart, audit.ActionStepStart, audit.ActionStepEnd, audit.ActionRunEnd}

var noItems = sign.Sum([]byte("[]"))

// note keeps what later checks compare with the cards and the manifest.
func (t *trail) note(r audit.Record) {
	e := r.E
	if !t.seeded {
		t.seed, t.seeded = e.RNG.Seed, true
	}
	s, ok := e.Source()
	if t.builds == 0 && (e.Outputs.Hash != noItems || e.Action == audit.ActionRunStart && (!ok || s != (audit.Source{}))) {
		t.builds = e.K
	}
	switch e.Action {
	case audit.ActionRunStart:
		// A second one is a finding; that it says something else is part of it.
		if len(t.sources) < maxStarts {
			t.sources = append(t.sources, recorded{Source: s, clear: ok})
			if !ok {
				t.unclear = append(t.unclear, e.K)
			}
		}
	case audit.ActionStepStart:
		if t.started = nil; e.Path.Value == nil {
			t.committed = append(t.committed, e.K)
		} else if id := stepID(&e); t.define(id, &e) {
			t.started = &start{id, e.Inputs.Hash}
		}
	case audit.ActionStepEnd:
		if e.Path.Value == nil {
			t.committed = append(t.committed, e.K)
			return
		}
		t.stepOutputs.add(e.Outputs.Items)
		t.stepEnd(&e)
	case audit.ActionRunEnd:
		e.Details, e.Inputs.Items = nil, nil // of which a trail may have much
		t.end, t.ended = &e, true
	}
}

// stepEnd keeps the end of a step, of several of one step the last.
func (t *trail) stepEnd(e *audit.Event) {
	id := stepID(e)
	if !t.define(id, e) {
		return
	}
	s := &step{k: e.K, inputs: e.Inputs.Hash, status: e.Status}
	if t.started != nil && t.started.id == id {
		s.start = t.started
	}
	t.started = nil
	if before, again := t.steps[id]; again {
		t.outputs -= len(before.outputs)
	}
	for _, it := range e.Outputs.Items {
		if len(it.URI) <= limits.Path && t.outputs < maxOutputs {
			s.outputs = append(s.outputs, it)
			t.outputs++
		}
	}
	t.steps[id] = s
}

// pinnedH0 returns the H_0 that the manifest pins for the trail at path, or nil.
func (b *check) pinnedH0(path string) *sign.Digest {
	for _, t := range b.audit.Trails {
		if t.Path == path {
			return pinnedTrail{k: t.K, h0: t.H0}.first()
		}
	}
	return nil
}

// judgeTrail compares a trail with the heads that the manifest pins.
func (b *check) judgeTrail(path string, want pinnedTrail) {
	t := b.trails[path]
	if t == nil || t.summary.Genesis == nil || want.k < 1 {
		return // missing, unreadable, or pinned by no trail: has its finding
	}
	s := t.summary
	if t.open != nil && s.K >= want.k && (b.audit == nil || !b.goesOn(path)) {
		b.add(checkTrail, *t.open)
	}
	if s.Genesis.Purpose != want.purpose && !t.foreign {
		b.add(checkTrail, finding.New(finding.Genesis, path, "the manifest states another purpose").At(0).
			Differs(want.purpose, s.Genesis.Purpose))
	}
	switch {
	case s.K < want.k && !b.explained[path]:
		b.add(checkTrail, finding.New(finding.Truncated, path, "events are missing below the signed end").At(s.K+1).
			Differs(itoa(want.k), itoa(s.K)))
		b.fails(path, s.K+1, want.k)
	case s.K > want.k && !b.explained[path]:
		b.add(checkTrail, finding.New(finding.Sequence, path, "events follow the signed end").At(want.k+1).
			Differs(itoa(want.k), itoa(s.K)))
		b.fails(path, want.k+1, s.K)
	case s.HK != want.hk && !b.explained[path]:
		b.add(checkTrail, finding.New(finding.ChainLink, path, "the last head is not the one that the manifest pins").At(s.K).
			Differs(want.hk.String(), s.HK.String()))
		b.fails(path, s.K, s.K)
	}
}

// pinnedTrail is what a manifest says of a trail.
type pinnedTrail struct {
	purpose string
	h0, hk  sign.Digest
	k       int64
}

// first returns H_0, nil if no trail is pinned.
func (p pinnedTrail) first() *sign.Digest {
	if p.k < 1 {
		return nil
	}
	return &p.h0
}
