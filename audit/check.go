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

// CheckOptions say what Check compares a trail with, and where its results go.
type CheckOptions struct {
	// Path is the path that findings carry, "" for none.
	Path string

	// Keys are the keys that the caller trusts. The genesis says which of them
	// signs; nothing in a trail adds one.
	Keys sign.Verifiers

	// Report, if not nil, is called with each finding, in the order of the lines.
	Report func(finding.Finding)

	// Event, if not nil, is called with each event that has none of E_EVENT_ID,
	// E_SEQUENCE, E_RUN_ID, E_CHAIN_LINK, E_SIG_EVENT and whose link to the event
	// before it was checked. If Summary.Key is set in the end, that key has signed all
	// of them. Findings about the content of an event are reported before the call.
	Event func(Record)

	// EventActions, if not nil, are the actions for which Event is called; it is called
	// for the first event whatever its action. Decoding an event for the call costs
	// twice as much as checking it.
	EventActions []string

	// BriefActions are actions that come by the hundred thousand. Of such an event, the
	// record that Event is called with may have no more than k, ts, tau_mono_us, clock,
	// action, verifier and details, and it is valid until Event returns.
	BriefActions []string

	// Head, if not nil, is called for each event for which Event would be called if there
	// were no EventActions. It gets the number of the event, the greatest ts up to it and
	// the head after it, for which nothing has to be decoded.
	Head func(k int64, ts Time, head sign.Digest)

	// Doubtful, if not nil, is called with every other well-formed event.
	Doubtful func(Record)

	// Each, if not nil, is called with every well-formed event. The event has its number,
	// ts, actor, action, path, status and details alone, because decoding more would
	// cost more than checking. It is valid until Each returns.
	Each func(*Event)

	// Bare says that the trail is not part of a bundle, so that it may still be being
	// written.
	Bare bool

	// Workers is the number of goroutines that examine lines; 0 stands for one a
	// processor. What Check returns and reports does not depend on it. The goroutine of
	// the caller alone reads r and calls these functions.
	Workers int

	// Pinned, if not nil, is the H_0 that a signed manifest gives for this trail. Another
	// one is E_GENESIS. After a line 0 with a finding the chain may go on from Pinned,
	// too: if only the genesis was replaced, the events follow from that.
	Pinned *sign.Digest

	// Plain turns off every short cut: each signature is checked by crypto/ed25519 alone,
	// and each line is decoded in full, encoded again and compared. The results are the
	// same; only the time differs.
	Plain bool

	// Faulty, if not nil, counts the lines with a finding of the chain. Several trails may
	// share one counter. A line counts once for each limits.FaultyPart bytes that it has.
	// When the counter is above limits.Faulty, E_LIMIT is reported and reading ends.
	Faulty *int64

	// Judged, if not nil, counts the lines that were judged so far.
	Judged *atomic.Int64

	oneByOne bool // check each signature alone, as Plain does; for measurements
}

// wants reports whether Event is to be called for an action.
func (o *CheckOptions) wants(action string) bool {
	return o.Event != nil && (o.EventActions == nil || slices.Contains(o.EventActions, action))
}

// wantsWhole reports whether Event is to be called for an action with the whole event.
func (o *CheckOptions) wantsWhole(action string) bool {
	return o.wants(action) && !slices.Contains(o.BriefActions, action)
}

// A Summary is what Check learned of a trail as a whole.
type Summary struct {
	Genesis *Genesis    // nil if line 0 cannot be read
	H0      sign.Digest // the head after line 0, from which the chain goes on

	K      int64       // the number of the last event; 0 if there is none
	HK     sign.Digest // the head after it; zero if its line cannot be read
	Closed bool        // the last event is trail.close and has no finding

	Failing      []Range // the events with a finding that rejects, ascending
	FailingCount int64   // how many these are

	Key     *sign.KeyID // the trusted key, if one of its signatures has verified; the last one of several
	Signers []Signer    // all such keys, in their order: a ledger may change its key

	First, Last *Time // ts of the first event without a finding of the chain, and the greatest of all of them
}

// Check reads a trail and reports everything that is wrong with it. It returns an
// error only if r could not be read. Memory is bounded by a few chunks of lines for
// each worker and a few dozen bytes for each step, clock and range of failing events.
//
// Line 0 has at most one of E_FORMAT, E_SCHEMA_MISMATCH, E_GENESIS and
// E_KEY_UNKNOWN. If the schema is another, reading ends there. If the key is not
// trusted, signatures are not tried and all else is checked. If the genesis
// cannot be read, is not authentic or not the pinned one, the other events must agree
// with the first event instead.
//
// A later line has at most one of E_FORMAT (E_LIMIT, E_SCHEMA_MISMATCH),
// E_EVENT_ID, E_SEQUENCE, E_RUN_ID, E_CHAIN_LINK and E_SIG_EVENT. The type chain says
// how the chain goes on after it. After too many of them reading ends, see
// CheckOptions.Faulty. A line without one of these is compared with the genesis
// (E_ENVLOCK, E_CARD), with itself (E_DATA_MISMATCH, E_SEED_INVALID) and with the
// events before it (E_SEED_INVALID, E_TIME_ORDER). It is E_SEQUENCE if it comes after
// trail.close or, in a trail without a fault so far, where a run does not allow it.
// The end of the trail may be E_TRUNCATED or E_TRAIL_OPEN.
func Check(r io.Reader, o CheckOptions) (Summary, error) {
	return checkLines(newLineReader(r), o, chunkLines)
}

// checkLines is Check with chunks of another size.
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
	if err = j.events(lines, chunk); err == nil && !j.stopped {
		j.end(1)
	}
	return j.summary(), err
}

// A Checker does the same as [Check] for a trail that comes line by line, such as one
// that is still being written.
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

// Key returns the trusted key, if one of its signatures has verified so far.
func (c *Checker) Key() *sign.KeyID { return c.judge.trust.verifiedKey }

// End judges how the trail ends and returns what was learned of it. No line may be
// added after that.
func (c *Checker) End() Summary {
	if !c.stop && !c.judge.stopped {
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
// It yields in their order the events that follow from those before them and that a trusted
// key signed. A fault is yielded as a [*DamagedError] with the finding and no record, before
// the events that come after it in the trail. So is a finding that leaves open whether the
// trail is right, such as a key that is not trusted or a run that is not closed. After an
// error the loop may go on. An error of reading comes last. A ledger that goes on has no
// fault.
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

// errStopped ends the reading after the loop was left.
var errStopped = errors.New("nobody reads on")

// A stoppable reads from r until it is stopped.
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
