package verify

import (
	"io"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/canon"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/sign"
)

// A trail is what the checks of a bundle need from one of its trails. Lines are
// not kept: of a run only the closing facts and one entry a step.
type trail struct {
	summary   audit.Summary
	open      *Finding // E_TRAIL_OPEN, until it is known whether the end was cut off
	foreign   bool     // line 0 is not the one that was signed, or not this trail's
	end       *audit.Event
	source    source
	steps     map[string]*step
	doubtful  map[int64][]byte // events with a finding, kept to be compared with a reference
	started   *audit.Event     // the step that has not ended
	committed []int64          // ends of steps whose id is a commitment
	order     []string         // step ids as they ended
	seed      *string
	seeded    bool
}

// source is what run.start may say of the code: details.source.
type source struct {
	Commit string `json:"commit"`
	Dirty  bool   `json:"dirty"`
}

// step is what step.start and step.end say.
type step struct {
	k       int64 // of step.end
	code    sign.Digest
	inputs  sign.Digest
	status  string
	outputs []audit.Item
	start   *audit.Event
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
	t := &trail{steps: map[string]*step{}, doubtful: map[int64][]byte{}}
	b.trails[path] = t
	summary, err := audit.Check(body, audit.CheckOptions{
		Path: path,
		Keys: b.o.Keys,
		Report: func(f Finding) {
			if f.Code == finding.TrailOpen {
				t.open = &f
				return
			}
			t.foreign = t.foreign || f.Code == finding.Genesis
			b.add(checkTrail, f)
		},
		Event:        t.note,
		EventActions: noted,
		Doubtful:     b.keepDoubtful(t),
	})
	t.summary = summary
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

// note keeps what later checks compare with the cards and the manifest.
func (t *trail) note(r audit.Record) {
	e := r.E
	if !t.seeded {
		t.seed, t.seeded = e.RNG.Seed, true
	}
	switch e.Action {
	case audit.ActionRunStart:
		var details struct {
			Source source `json:"source"`
		}
		if len(e.Details) > 0 && canon.Peek(e.Details, &details) == nil {
			t.source = details.Source
		}
	case audit.ActionStepStart:
		t.started = &e
	case audit.ActionStepEnd:
		if e.Path.Value == nil {
			t.committed = append(t.committed, e.K)
			return
		}
		id := *e.Path.Value
		s := &step{k: e.K, code: deref(e.Code.Hash), inputs: e.Inputs.Hash, status: e.Status, outputs: e.Outputs.Items}
		if t.started != nil && t.started.Path.String() == id {
			s.start = t.started
		}
		t.steps[id], t.started = s, nil
		t.order = append(t.order, id)
	case audit.ActionRunEnd:
		t.end = &e
	}
}

// judgeTrail compares a trail with the heads that the manifest pins.
func (b *check) judgeTrail(path string, want pinnedTrail) {
	t := b.trails[path]
	if t == nil || t.summary.Genesis == nil || want.k < 1 {
		return // missing, unreadable, or pinned by no trail: has its finding
	}
	s := t.summary
	if t.open != nil && s.K >= want.k {
		b.add(checkTrail, *t.open)
	}
	if s.Genesis.Purpose != want.purpose {
		b.add(checkTrail, finding.New(finding.Genesis, path, "the manifest states another purpose").
			Differs(want.purpose, s.Genesis.Purpose))
	}
	switch {
	case s.H0 != want.h0:
		t.foreign = true
		b.add(checkTrail, finding.New(finding.Genesis, path, "another trail than the manifest pins: H_0 differs").
			Differs(want.h0.String(), s.H0.String()))
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
