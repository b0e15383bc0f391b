package audit

import (
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A judge applies the lines of a trail one by one and reports what is wrong
// with them. Check feeds it from a reader; Log from its file, for what it finds
// there, and with what it writes.
type judge struct {
	o        CheckOptions
	genesis  *Genesis
	h0       sign.Digest
	trust    trust
	adopt    bool      // line 0 says nothing reliable: trust comes from the first event
	verifier *verifier // of many signatures at a time
	chain    chain
	intact   bool // no line so far had a fault: what follows can be held to what came before
	over     bool // too many lines had a fault: the others are not judged

	closed bool // there was a trail.close
	seed   *string
	seeded bool
	order  order
	times  times
	shown  bool // an event was passed on

	turning turning // which key signs, of a ledger

	last     lastLine
	failing  numbers
	from, to *Time // ts of the first event that follows from the chain, and the greatest of all that do
}

// lastLine says what the last line was like.
type lastLine int

const (
	lastGood lastLine = iota
	lastBad           // has a finding that rejects: what it would have meant is open
)

func newJudge(o CheckOptions) *judge {
	if o.Faulty == nil {
		o.Faulty = new(int64)
	}
	return &judge{o: o, intact: true}
}

func (j *judge) report(f finding.Finding) {
	// Where a key begins that is not trusted, no event is at fault.
	if f.Verdict == finding.Reject && f.K != nil && f.Code != finding.KeyUnknown {
		j.last = lastBad
		if *f.K > 0 {
			j.failing.add(*f.K)
		}
	}
	if j.o.Path != "" {
		f.Path = &j.o.Path
	}
	if j.o.Report != nil {
		j.o.Report(f)
	}
}

func (j *judge) summary() Summary {
	s := Summary{
		Genesis: j.genesis, H0: j.h0,
		K: j.chain.at.k, HK: j.chain.at.head,
		Closed: j.closed && j.last == lastGood,
		Key:    j.trust.used, Signers: j.signers(),
		First: j.from, Last: j.to,
	}
	s.Failing, s.FailingCount = j.failing.ranges()
	return s
}

// line judges a line after the first.
func (j *judge) line(line rawLine) {
	e := entry{line: line}
	e.parse(j.o.Plain)
	j.entry(&e)
}

// entry judges a line after the first that was examined before.
func (j *judge) entry(e *entry) {
	if j.over {
		return
	}
	j.last = lastGood
	switch {
	case e.line.long():
		j.unreadable(e.line, nil)
	case e.err == nil:
		j.event(e)
		if !e.line.lf {
			// The event is whole; a crash took the LF, or somebody did.
			j.truncated(j.chain.at.k, "the last line has no LF")
		}
	case e.line.torn():
		j.truncated(j.chain.at.k+1, "the trail ends in the middle of a line")
	default:
		j.unreadable(e.line, e.err)
	}
}

func (j *judge) truncated(k int64, text string) {
	f := finding.New(finding.Truncated, "", text).At(k)
	if j.o.Bare {
		f = f.As(finding.Undecidable)
	}
	j.report(f)
	j.last = lastBad // whether or not it rejects, nobody knows what came after
}

func (j *judge) unreadable(line rawLine, err error) {
	if !j.faulty(line, badLine(line, err).At(j.chain.at.k+1)) {
		return
	}
	j.chain = j.chain.skip(line.text, &j.trust)
	j.intact, j.turning.rotated = false, false
}

func (j *judge) event(l *entry) {
	if j.adopt && l.id == l.ID {
		j.adopt = false
		j.bind(l.E.Run.ID, l.E.EnvLock, l.E.PipelineCard, l.E.ParamCard, l.E.Verifier.PKRef)
	}
	j.turnedUnseen(&l.parsed)
	next, fault, proven := j.chain.apply(&l.parsed, &j.trust)
	if fault != nil && !j.faulty(l.line, *fault) {
		return
	}
	j.chain = next
	if fault != nil {
		j.intact, j.turning.rotated = false, false
	} else {
		for _, f := range j.content(&l.parsed) {
			j.report(f)
			j.over = j.over || f.Code == finding.Limit
		}
		j.add(&l.E)
		j.turn(&l.E)
	}
	if call := j.o.Head; proven && call != nil {
		call(l.E.K, j.latest(l.E.TS), j.chain.at.head)
	}
	if j.o.Each != nil {
		j.o.Each(&l.E)
	}
	if call := j.o.Event; proven && call != nil && (!j.shown || j.o.wants(l.E.Action)) {
		j.shown = true
		call(j.dated(l, !j.o.whole(l.E.Action) && j.o.wants(l.E.Action)))
	}
	if call := j.o.Doubtful; !proven && call != nil {
		call(l.whole())
	}
}

// faulty reports a finding of the chain, unless there were too many: then that
// is the finding, and it returns false.
func (j *judge) faulty(line rawLine, f finding.Finding) bool {
	*j.o.Faulty += max(1, (min(line.size, limits.Line)+limits.FaultyPart-1)/limits.FaultyPart)
	if *j.o.Faulty <= limits.Faulty {
		j.report(f)
		return true
	}
	j.over = true
	j.report(finding.New(finding.Limit, "", "too many lines have a finding of the chain: from this one on nothing is read").At(*f.K))
	return false
}

// bind fixes what events must agree with. That the key is not trusted is one
// finding for the whole trail.
func (j *judge) bind(run string, env Fingerprint, pipe, param Hash, ref sign.KeyID) {
	j.trust.run, j.trust.env, j.trust.pipe, j.trust.param = run, env, pipe, param
	if !j.trust.lookUp(j.o.Keys, ref) {
		j.report(finding.New(finding.KeyUnknown, "", "signed with a key that is not trusted; signatures were not tried").
			Differs("a trusted key", ref.String()))
	}
}

// add goes on past an event that follows from the chain.
func (j *judge) add(e *Event) {
	j.closed = j.closed || e.Action == ActionTrailClose && !j.isLedger()
	if !j.seeded {
		j.seed, j.seeded = e.RNG.Seed, true
	}
	if j.intact {
		j.order.add(e)
	}
	j.times.add(e)
	if j.from == nil {
		from := e.TS
		j.from, j.to = &from, &Time{}
	}
	if e.TS.After(j.to.Time) {
		*j.to = e.TS
	}
}

// dated returns the record of l with the time that it gives to what it says.
func (j *judge) dated(l *entry, brief bool) Record {
	r := l.Record
	if !brief {
		r = l.whole()
	}
	r.latest = j.latest(r.E.TS)
	return r
}

// latest is the greatest ts up to that of the event which was taken in last.
func (j *judge) latest(ts Time) Time {
	if j.to != nil && j.to.After(ts.Time) {
		return *j.to
	}
	return ts
}
