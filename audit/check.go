package audit

import (
	"errors"
	"io"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// CheckOptions say what Check holds a trail to and where its results go.
type CheckOptions struct {
	// Path is the path that findings carry, "" for none.
	Path string

	// Keys are the keys that the caller trusts. The genesis says which of them
	// signs; nothing in a trail adds one.
	Keys sign.Verifiers

	// Report, if not nil, is called with each finding, in the order of the lines.
	Report func(finding.Finding)

	// Event, if not nil, is called with each event that has none of E_EVENT_ID,
	// E_SEQUENCE, E_RUN_ID, E_CHAIN_LINK, E_SIG_EVENT and whose link to the one
	// before was checked: if Summary.Key is set in the end, the key vouches for it.
	// Findings of the event's content come before the call.
	Event func(Record)

	// EventActions, if not nil, are the actions of which Event is called; of the
	// first event it is called whatever the action. Most events need no decoding,
	// and it costs twice what checking them does.
	EventActions []string

	// BriefActions are actions of which the record that Event is called with may have no
	// more of its event than k, ts, tau_mono_us, clock, action, verifier and details: of
	// those that come by the hundred thousand. The record is valid until Event returns.
	BriefActions []string

	// Head, if not nil, is called with the number of each event of which Event would be
	// called whatever its action, the greatest ts up to it, and the head after it. It
	// needs no decoding.
	Head func(k int64, ts Time, head sign.Digest)

	// Doubtful, if not nil, is called with every other well-formed event.
	Doubtful func(Record)

	// Each, if not nil, is called with every well-formed event, which has no more than
	// number, ts, actor, action, path, status and details: with more, reading would cost
	// more than checking. It is valid until Each returns.
	Each func(*Event)

	// Bare says that the trail is not part of a bundle: that it is still being
	// written is no fault then.
	Bare bool

	// Workers is how many lines are examined at a time; 0 stands for one a
	// processor. What Check returns and reports does not depend on it. Reading and
	// all calls are done by the caller's goroutine alone.
	Workers int

	// Pinned, if not nil, is the H_0 that somebody signed for this trail. Another
	// one is E_GENESIS, and after a line 0 with a finding the chain may go on from
	// Pinned too: of a genesis that was replaced the events are still the right ones.
	Pinned *sign.Digest

	// Plain takes every short cut away, for those who doubt them: each signature is
	// checked by crypto/ed25519 alone, and each line is decoded in full, written
	// again and compared. It changes nothing but the time.
	Plain bool

	// Faulty, if not nil, counts the lines that have a finding of the chain, of all
	// trails that are given the same one: together they may have no more than
	// limits.Faulty, of which a line takes one for each limits.FaultyPart of it. Reading ends with the next, which is E_LIMIT.
	Faulty *int64

	// Judged, if not nil, counts the lines that were judged, while it goes on.
	Judged *atomic.Int64

	oneByOne bool // of Plain the signatures alone, to be measured
}

// wants reports whether Event is to be called of an action.
func (o *CheckOptions) wants(action string) bool {
	return o.Event != nil && (o.EventActions == nil || slices.Contains(o.EventActions, action))
}

// whole reports whether Event is to be called of an action with all of the event.
func (o *CheckOptions) whole(action string) bool {
	return o.wants(action) && !slices.Contains(o.BriefActions, action)
}

// A Summary is what Check learned of a trail as a whole.
type Summary struct {
	Genesis *Genesis    // nil if line 0 cannot be read
	H0      sign.Digest // the head after line 0 as the chain goes on from it

	K      int64       // the number of the last event; 0 if there is none
	HK     sign.Digest // the head after it; zero if its line cannot be read
	Closed bool        // the last event is trail.close and has no finding

	Failing      []Range // the events with a finding that rejects, ascending
	FailingCount int64   // how many these are

	Key     *sign.KeyID // the trusted key, if a signature of it has verified; of several the last
	Signers []Signer    // all of them, in their order: a ledger may go on with another key

	First, Last *Time // ts of the first event without a finding of the chain, and the greatest of all of them
}

// Check reads a trail and reports everything that is wrong with it; the error is
// of reading r alone. Memory is bounded by a few chunks of lines for each
// worker and a few dozen bytes for each step, clock and gap in the failing events.
//
// Line 0 has at most one of E_FORMAT, E_SCHEMA_MISMATCH, E_GENESIS and
// E_KEY_UNKNOWN. If the schema is another, reading ends there. If the key is not
// trusted, signatures are not tried and all else is checked. If the genesis
// cannot be read, is not authentic or not the pinned one, the first event stands
// in for what events must agree with.
//
// A later line has at most one of E_FORMAT (E_LIMIT, E_SCHEMA_MISMATCH),
// E_EVENT_ID, E_SEQUENCE, E_RUN_ID, E_CHAIN_LINK and E_SIG_EVENT; how the chain
// goes on after it is said at the type chain. Too many of them end the reading:
// see CheckOptions.Faulty. A line without one of these is
// held to the genesis (E_ENVLOCK, E_CARD), to itself (E_DATA_MISMATCH,
// E_SEED_INVALID) and to the events before it (E_SEED_INVALID, E_TIME_ORDER, and
// E_SEQUENCE for one after trail.close or, in a trail that is whole so far, one
// that a run does not allow there). The end may be E_TRUNCATED or E_TRAIL_OPEN.
func Check(r io.Reader, o CheckOptions) (Summary, error) {
	return checkLines(newLineReader(r), o, chunkLines)
}

// checkLines is Check in chunks of that many lines.
func checkLines(lines *lineReader, o CheckOptions, chunk int) (Summary, error) {
	j := newJudge(o)
	line, err := lines.next()
	if err == io.EOF {
		j.end(0)
		return j.summary(), nil
	}
	if err != nil || !j.header(line) {
		return j.summary(), err
	}
	if err = j.events(lines, chunk); err == nil && !j.over {
		j.end(1)
	}
	return j.summary(), err
}

// A Checker is [Check] for a trail that comes line by line, such as one that is
// still being written.
type Checker struct {
	judge *judge
	lines int
	stop  bool
}

// NewChecker returns a Checker that has seen no line.
func NewChecker(o CheckOptions) *Checker { return &Checker{judge: newJudge(o)} }

// Add judges the next line and calls what CheckOptions name for it. After a line
// 0 of another schema it does nothing.
func (c *Checker) Add(l Line) {
	switch {
	case c.stop:
	case c.lines == 0:
		c.stop = !c.judge.header(l.raw)
	default:
		c.judge.line(l.raw)
	}
	c.lines++
}

// Key returns the trusted key, if a signature of it has verified so far.
func (c *Checker) Key() *sign.KeyID { return c.judge.trust.used }

// End judges how the trail ends, after which no line can follow, and returns what
// was learned of it.
func (c *Checker) End() Summary {
	if !c.stop && !c.judge.over {
		c.judge.end(c.lines)
	}
	c.stop = true
	return c.judge.summary()
}

// Events reads a trail and checks it on the way:
//
//	for r, err := range audit.Events(f, sign.Only(key)) {
//		if err != nil {
//			return err
//		}
//		use(r.E)
//	}
//
// It yields the events that follow from those before them and that a trusted key signed, in
// their order. Whatever is wrong is yielded as a [*DamagedError] with the finding and no
// record, before the events that come after it in the trail; so is what leaves the answer
// open, such as a key that is not trusted or a run that is not closed. After an error the
// loop may go on. An error of reading comes last. That a ledger goes on is no fault.
func Events(r io.Reader, keys sign.Verifiers) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		in := &stoppable{r: r}
		say := func(r Record, err error) {
			if !in.stopped && !yield(r, err) {
				in.stopped = true
			}
		}
		_, err := Check(in, CheckOptions{
			Keys:  keys,
			Bare:  true,
			Event: func(r Record) { say(r, nil) },
			Report: func(f finding.Finding) {
				if f.Verdict != finding.Note {
					say(Record{}, &DamagedError{Finding: f})
				}
			},
		})
		if err != nil {
			say(Record{}, err)
		}
	}
}

// errStopped ends the reading for a loop that was left.
var errStopped = errors.New("nobody reads on")

type stoppable struct {
	r       io.Reader
	stopped bool
}

func (s *stoppable) Read(p []byte) (int, error) {
	if s.stopped {
		return 0, errStopped
	}
	return s.r.Read(p)
}
