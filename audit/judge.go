package audit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A judge applies the lines of a trail one by one and reports what is wrong with
// them. Check gives it the lines that it reads, and Log the lines of its file and
// those that it writes.
type judge struct {
	o              CheckOptions
	genesis        *Genesis
	h0             sign.Digest
	trust          trust
	trustFromEvent bool      // line 0 cannot be relied on: the first event says what the others must agree with
	verifier       *verifier // checks many signatures at a time
	chain          chain
	intact         bool // no line so far had a fault, so that no earlier event is missing
	stopped        bool // a limit was exceeded: the other lines are not judged

	closed   bool // there was a trail.close
	seed     *string
	seeded   bool
	order    order
	times    times
	passedOn bool // Event was called

	keys keyHistory // of a ledger: who has signed and who signs

	last            lastLine
	failing         numbers
	first, latestTS *Time // ts of the first event that follows from the chain, and the greatest of all that do
}

// lastLine says what the last line was like.
type lastLine int

const (
	lastGood lastLine = iota
	lastBad           // it has a finding that rejects, so that nobody can say how the trail ends
)

func newJudge(o CheckOptions) *judge {
	if o.Faulty == nil {
		o.Faulty = new(int64)
	}
	return &judge{o: o, intact: true}
}

func (j *judge) report(f finding.Finding) {
	// E_KEY_UNKNOWN names the event at which the key begins, which itself is not at fault.
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
		Key:    j.trust.verifiedKey, Signers: j.signers(),
		First: j.first, Last: j.latestTS,
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

// entry judges a line after the first that has been examined.
func (j *judge) entry(e *entry) {
	if j.stopped {
		return
	}
	j.last = lastGood
	switch {
	case e.line.long():
		j.unreadable(e.line, nil)
	case e.err == nil:
		j.event(e)
		if !e.line.lf {
			// The event is whole, and only its LF was lost in a crash or removed.
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
	j.last = lastBad // even if it does not reject: nobody knows what came after
}

func (j *judge) unreadable(line rawLine, err error) {
	if !j.reportFaulty(line, badLine(line, err).At(j.chain.at.k+1)) {
		return
	}
	j.chain = j.chain.skip(line.text, &j.trust)
	j.intact, j.keys.rotated = false, false
}

func (j *judge) event(l *entry) {
	if j.trustFromEvent && l.id == l.ID {
		j.trustFromEvent = false
		j.setTrust(l.E.Run.ID, l.E.EnvLock, l.E.PipelineCard, l.E.ParamCard, l.E.Verifier.PKRef)
	}
	j.acceptUnannounced(&l.parsed)
	next, fault, proven := j.chain.apply(&l.parsed, &j.trust)
	if fault != nil && !j.reportFaulty(l.line, *fault) {
		return
	}
	j.chain = next
	if fault != nil {
		j.intact, j.keys.rotated = false, false
	} else {
		for _, f := range j.content(&l.parsed) {
			j.report(f)
			j.stopped = j.stopped || f.Code == finding.Limit
		}
		j.add(&l.E)
		j.advanceKey(&l.E)
	}
	if call := j.o.Head; proven && call != nil {
		call(l.E.K, j.latestAt(l.E.TS), j.chain.at.head)
	}
	if j.o.Each != nil {
		j.o.Each(&l.E)
	}
	if call := j.o.Event; proven && call != nil && (!j.passedOn || j.o.wants(l.E.Action)) {
		j.passedOn = true
		call(j.dated(l, !j.o.wantsWhole(l.E.Action) && j.o.wants(l.E.Action)))
	}
	if call := j.o.Doubtful; !proven && call != nil {
		call(l.fullRecord())
	}
}

// reportFaulty counts a line with a finding of the chain and reports the finding. After
// too many of them it reports that instead and returns false.
func (j *judge) reportFaulty(line rawLine, f finding.Finding) bool {
	*j.o.Faulty += max(1, (min(line.size, limits.Line)+limits.FaultyPart-1)/limits.FaultyPart)
	if *j.o.Faulty <= limits.Faulty {
		j.report(f)
		return true
	}
	j.stopped = true
	j.report(finding.New(finding.Limit, "", "too many lines have a finding of the chain: from this one on nothing is read").At(*f.K))
	return false
}

// setTrust fixes what all events must agree with. If the key is not trusted, that is one
// finding for the whole trail.
func (j *judge) setTrust(run string, env Fingerprint, pipe, param Hash, ref sign.KeyID) {
	j.trust.run, j.trust.env, j.trust.pipe, j.trust.param = run, env, pipe, param
	if !j.trust.lookUp(j.o.Keys, ref) {
		j.report(finding.New(finding.KeyUnknown, "", "signed with a key that is not trusted; signatures were not tried").
			Differs("a trusted key", ref.String()))
	}
}

// add takes in an event that follows from the chain.
func (j *judge) add(e *Event) {
	j.closed = j.closed || e.Action == ActionTrailClose && !j.isLedger()
	if !j.seeded {
		j.seed, j.seeded = e.RNG.Seed, true
	}
	if j.intact {
		j.order.add(e)
	}
	j.times.add(e)
	if j.first == nil {
		first := e.TS
		j.first, j.latestTS = &first, &Time{}
	}
	if e.TS.After(j.latestTS.Time) {
		*j.latestTS = e.TS
	}
}

// dated returns the record of l with the time that [Record.Time] returns. It is decoded
// in full unless it is to be brief.
func (j *judge) dated(l *entry, brief bool) Record {
	r := l.Record
	if !brief {
		r = l.fullRecord()
	}
	r.latest = j.latestAt(r.E.TS)
	return r
}

// latestAt returns ts, the time of the last event, or the greatest one before it if that
// is later.
func (j *judge) latestAt(ts Time) Time {
	if j.latestTS != nil && j.latestTS.After(ts.Time) {
		return *j.latestTS
	}
	return ts
}

// header judges line 0. It returns false if the lines after it cannot be read.
func (j *judge) header(line rawLine) (goOn bool) {
	var h Header
	var err error
	if !line.long() {
		h, err = parseHeader(line.text, j.o.Plain)
	}
	if line.long() || err != nil {
		return j.badHeader(line, err)
	}
	g := h.Genesis
	j.genesis, j.order.continued = &g, g.Continues != nil
	computed := sign.Sum(genesisBytes(line.text))

	fault := j.genesisFault(&h, computed)
	j.h0, _ = j.trust.nextHead(salvaged{h: &h.H0, sig: &h.Sig}, &computed)
	if fault != nil {
		j.report(*fault)
		j.doubtGenesis()
	} else {
		j.times = times{ts: g.Created, set: true}
	}
	j.chain.at = place{head: j.h0, known: true}
	if !line.lf {
		j.truncated(0, "the last line has no LF")
	}
	return true
}

// genesisFault returns what is wrong with a line 0 that can be read, or nil.
func (j *judge) genesisFault(h *Header, computed sign.Digest) *finding.Finding {
	fault := func(f finding.Finding) *finding.Finding { return &f }
	g, pin := &h.Genesis, j.o.Pinned
	if computed == h.H0 && (pin == nil || h.H0 == *pin) {
		j.setTrust(g.Run.ID, g.EnvLock, g.PipelineCard, g.ParamCard, g.Verifier.PKRef)
	} else {
		// Another genesis than the right one is a finding, and its key is not another.
		j.trust.lookUp(j.o.Keys, g.Verifier.PKRef)
	}
	switch {
	case computed != h.H0:
		return fault(finding.New(finding.Genesis, "", "H_0 is not the digest of the genesis").At(0).
			Differs(computed.String(), h.H0.String()))
	case j.trust.known && !j.trust.verifies(h.H0, h.Sig, sigUntried):
		return fault(finding.New(finding.Genesis, "", "sig_0 is not the key's signature of H_0").At(0))
	case pin != nil && h.H0 != *pin:
		return fault(finding.New(finding.Genesis, "", "another genesis than the manifest pins: H_0 differs").At(0).
			Differs(pin.String(), h.H0.String()))
	default:
		return nil
	}
}

// doubtGenesis prepares for the events after a line 0 that has a finding: they must agree
// with the first of them, and may follow from the pinned genesis.
func (j *judge) doubtGenesis() {
	j.intact, j.trustFromEvent = false, true
	if pin := j.o.Pinned; pin != nil {
		j.chain.alt, j.chain.forked = place{head: *pin, known: true}, true
	}
}

// badHeader judges a line 0 that cannot be parsed as one.
func (j *judge) badHeader(line rawLine, err error) (goOn bool) {
	f := badLine(line, err).At(0)
	j.doubtGenesis()
	if f.Code == finding.SchemaMismatch {
		j.report(f)
		return false
	}
	if _, err := ParseRecord(line.text); err == nil {
		// The genesis was cut off. The line is judged as the event that it is.
		f.Text = "the trail starts with an event, not with its genesis"
		j.report(f)
		j.line(line)
		return true
	}
	j.report(f)

	// No key is known yet whose signature could tell whether the recorded or the computed
	// head is right: the recorded one is taken if there is one.
	g := genesisBytes(line.text)
	switch rest := salvage(line.text); {
	case rest.h != nil:
		j.h0 = *rest.h
	case g != nil && canon.Check(g) == nil:
		j.h0 = sign.Sum(g)
	default:
		return true
	}
	j.chain.at = place{head: j.h0, known: true}
	return true
}

// A Range is the event numbers First to Last, both included.
type Range struct{ First, Last int64 }

// numbers is a set of event numbers, which are added almost in order.
type numbers []Range

func (n *numbers) add(k int64) {
	s := *n
	if last := len(s) - 1; last >= 0 && k >= s[last].First && k <= s[last].Last+1 {
		s[last].Last = max(s[last].Last, k)
		return
	}
	*n = append(s, Range{k, k})
}

// ranges returns the set in ascending order, neighbours joined, and its size.
func (n numbers) ranges() (out []Range, count int64) {
	slices.SortFunc(n, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	for _, r := range n {
		if last := len(out) - 1; last >= 0 && r.First <= out[last].Last+1 {
			out[last].Last = max(out[last].Last, r.Last)
		} else {
			out = append(out, r)
		}
	}
	for _, r := range out {
		count += r.Last - r.First + 1
	}
	return out, count
}

// end judges how a trail ends that has no line if n is 0, else n lines or more.
func (j *judge) end(n int) {
	if n == 0 {
		// A log creates its file together with line 0, so that no crash leaves an empty one.
		j.report(finding.New(finding.Format, "", "the trail is empty").At(0))
		return
	}
	if j.last != lastGood || j.chain.forked || j.closed || j.genesis == nil {
		return // the trail is closed, or has a finding already that leaves its end open
	}
	f := finding.New(finding.TrailOpen, "", "the run has no "+ActionTrailClose+": more may have happened").At(j.chain.at.k)
	if j.genesis.Purpose == PurposeRun {
		j.report(f)
	} else if !j.o.Bare {
		f.Text = "the ledger goes on: later events are not in the bundle"
		j.report(f.As(finding.Note))
	}
}

// badLine returns the finding for a line that cannot be read.
func badLine(line rawLine, err error) finding.Finding {
	var schema *SchemaError
	switch {
	case line.long():
		return finding.New(finding.Limit, "", fmt.Sprintf("a line of %d bytes: the limit is %d", line.size, limits.Line))
	case errors.As(err, &schema):
		return finding.New(finding.SchemaMismatch, "", "a line of another format").Differs(schema.Want, clip(schema.Got))
	default:
		return finding.New(finding.Format, "", err.Error())
	}
}
