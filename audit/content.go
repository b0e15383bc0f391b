package audit

import (
	"fmt"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// content returns what is wrong with an event that follows from the chain. It
// changes nothing: a log asks before it signs.
func (j *judge) content(l *parsed) []finding.Finding {
	e := &l.E
	var found []finding.Finding
	add := func(code finding.Code, text string) {
		found = append(found, finding.New(code, "", text).At(e.K))
	}
	differ := func(code finding.Code, text string, want, got *sign.Digest) {
		if !sameDigest(want, got) {
			found = append(found, finding.New(code, "", text).At(e.K).Differs(digestText(want), digestText(got)))
		}
	}

	if j.closed {
		add(finding.Sequence, "an event after "+ActionTrailClose)
	} else if j.intact && j.isRun() {
		// In a damaged trail a step without a start may only have lost it.
		if fault := j.order.fault(e); fault != "" {
			add(finding.Sequence, fault)
		}
	}
	if j.isLedger() && e.Action == ActionTrailClose {
		add(finding.Sequence, "a ledger never closes")
	}
	if fault := j.turnFault(e); fault != "" {
		add(finding.Sequence, fault)
	}
	if fault := j.limitFault(e); fault != "" {
		add(finding.Limit, fault+": from here on nothing is read")
	}
	differ(finding.EnvLock, "the event's EnvLock.fingerprint is not that of the trail", j.trust.env.Fingerprint, e.EnvLock.Fingerprint)
	differ(finding.Card, "the event's PipelineCard.hash is not that of the trail", j.trust.pipe.Hash, e.PipelineCard.Hash)
	differ(finding.Card, "the event's ParamCard.hash is not that of the trail", j.trust.param.Hash, e.ParamCard.Hash)
	differ(finding.DataMismatch, "inputs.hash is not the digest of inputs.items", l.inputs(), &e.Inputs.Hash)
	differ(finding.DataMismatch, "outputs.hash is not the digest of outputs.items", l.outputs(), &e.Outputs.Hash)
	switch seed := e.RNG.Seed; {
	case seed != nil && !isSeed(*seed):
		add(finding.SeedInvalid, "rng.seed is not an unsigned 64-bit number in decimal")
	case j.seeded && j.genesis != nil && j.genesis.Purpose == PurposeRun && !sameSeed(j.seed, seed):
		found = append(found, finding.New(finding.SeedInvalid, "", "rng.seed is not that of the run's first event").At(e.K).
			Differs(seedText(j.seed), seedText(seed)))
	}
	if f := j.times.fault(e); f != nil {
		found = append(found, *f)
	}
	return found
}

// limitFault returns of what the trail has too much with e, or "": what is remembered
// of a trail is bounded, however long it is.
func (j *judge) limitFault(e *Event) string {
	switch {
	case j.intact && j.order.more(e) && len(j.order.steps) >= limits.Steps:
		return fmt.Sprintf("more than %d steps start", limits.Steps)
	case len(j.times.tau) >= limits.Clocks && j.times.of(e.Clock) == nil:
		return fmt.Sprintf("more than %d clocks", limits.Clocks)
	case e.Action == ActionKeyRotate && j.isLedger() && len(j.turning.past) >= limits.Rotations:
		return fmt.Sprintf("handed over more than %d times", limits.Rotations)
	}
	return ""
}

func (j *judge) isRun() bool { return j.genesis != nil && j.genesis.Purpose == PurposeRun }

// itemsDigest returns what the hash of s must be: the recorded one if the items
// themselves are not recorded.
func itemsDigest(s *Items) *sign.Digest {
	if len(s.Items) == 0 {
		return &s.Hash
	}
	data, err := canon.Marshal(s.Items)
	if err != nil {
		return nil // cannot be: the items came out of a canonical line
	}
	d := sign.Sum(data)
	return &d
}

func sameDigest(a, b *sign.Digest) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func digestText(d *sign.Digest) string {
	if d == nil {
		return "null"
	}
	return d.String()
}

func sameSeed(a, b *string) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func seedText(s *string) string {
	if s == nil {
		return "null"
	}
	return clip(*s)
}
