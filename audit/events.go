package audit

import (
	"errors"
	"io"
	"iter"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/sign"
)

// SystemClock returns the clock of this machine.
func SystemClock() Clock { return clock.System() }

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
