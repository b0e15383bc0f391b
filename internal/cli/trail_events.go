package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
)

// A trailSource yields the events of a trail, in memory that does not grow with
// it. Without keys it holds them to their form alone and says so.
type trailSource struct {
	name   string
	file   *regular.File
	size   int64         // of the trail, as far as it is known
	keys   *keys.Trusted // nil: nothing is verified
	filter eventFilter
	limit  int64 // of the events, 0 for none
	follow bool  // wait for those to come, until trail.close

	idle  func() error // is called when there is nothing more for now; may be nil
	yield func(trailEvent) error

	faults  *trailFaults
	checker *audit.Checker // nil without keys
	read    *trailEvent    // what checker found in the current line
	noTrail error          // line 0 is none, and the next has not been read
	given   int64          // events that were yielded
	closed  bool
}

// A trailEvent is an event and the line that it was read from, valid until the
// next one.
type trailEvent struct {
	audit.Record
	line     []byte // without its LF
	doubtful bool   // it was checked, and the key does not vouch for it
}

// openTrailSource opens the trail that the command names.
func openTrailSource(env *ui.Env, c *cli.Context) (*trailSource, error) {
	s := &trailSource{faults: newTrailFaults(env), limit: c.Int64("limit"), follow: c.Bool("follow")}
	var err error
	if s.filter, err = newEventFilter(c); err != nil {
		return nil, err
	}
	if c.IsSet("key") {
		if s.keys, err = keys.LoadTrusted(c.StringSlice("key")); err != nil {
			return nil, err
		}
	}
	if s.name, err = trailFile(c.Args().First()); err != nil {
		return nil, err
	}
	if s.file, err = regular.Open(s.name); err != nil {
		return nil, err
	}
	info, err := s.file.Stat()
	if err != nil {
		s.file.Close()
		return nil, err
	}
	s.size = info.Size()
	return s, nil
}

// errEnough ends the reading of a trail of which no more is wanted.
var errEnough = errors.New("enough")

// each yields the events in their order. What is wrong with the trail is in
// s.faults; the error is of reading, or of yield.
func (s *trailSource) each(ctx context.Context, yield func(trailEvent) error) error {
	s.yield = yield
	if s.keys != nil {
		s.checker = audit.NewChecker(s.checkOptions())
	}
	err := s.forward(ctx)
	switch {
	case err == errEnough:
		return nil
	case err == nil && s.checker != nil:
		s.checker.End()
	case err == nil && s.size == 0:
		return fmt.Errorf("%s: the trail is empty", s.name)
	case err == nil:
		return s.noTrail
	}
	return err
}

func (s *trailSource) checkOptions() audit.CheckOptions {
	return audit.CheckOptions{
		Bare: true, Keys: s.keys,
		Report:   func(f finding.Finding) { s.faults.finding(s.name, f) },
		Event:    func(r audit.Record) { s.read = &trailEvent{Record: r} },
		Doubtful: func(r audit.Record) { s.read = &trailEvent{Record: r, doubtful: true} },
	}
}

// forward reads line after line and, where the trail is followed, those to come.
func (s *trailSource) forward(ctx context.Context) error {
	for offset, number := int64(0), int64(0); ; {
		lines := audit.NewLineReader(regular.UntilDone(ctx, io.NewSectionReader(s.file, offset, s.size-offset)))
		for {
			l, err := lines.Next()
			if err == io.EOF || err == nil && s.follow && l.Torn() {
				break
			}
			if err == nil {
				err = s.line(l, number)
			}
			if err != nil {
				return err
			}
			offset, number = offset+l.Size(), number+1
		}
		if !s.follow || s.closed {
			return nil
		}
		if err := s.await(ctx, offset); err != nil {
			return err
		}
	}
}

// line reads the line of a number.
func (s *trailSource) line(l audit.Line, number int64) error {
	text, err := l.Text()
	if s.checker != nil {
		s.read = nil
		s.checker.Add(l)
		if s.read == nil {
			return nil
		}
		s.read.line = text
		s.read.doubtful = s.read.doubtful || s.checker.Key() == nil
		return s.offer(*s.read)
	}
	if number == 0 {
		if err == nil {
			_, err = audit.ParseHeader(text)
		}
		if err != nil {
			s.noTrail = fmt.Errorf("%s: not a trail: line 0: %w", s.name, err)
		}
		return nil
	}
	var r audit.Record
	if err == nil {
		r, err = audit.ParseRecord(text)
	}
	return s.record(l, number, trailEvent{Record: r, line: text}, err)
}

// eachBrief is each for those who need no more of an event than number, ts, actor, action,
// path, status and details. It costs what checking does, or less.
func (s *trailSource) eachBrief(ctx context.Context, yield func(trailEvent) error) error {
	s.yield = yield
	in := regular.UntilDone(ctx, io.NewSectionReader(s.file, 0, s.size))
	if s.keys != nil {
		var fault error
		o := s.checkOptions()
		o.Event, o.Doubtful = nil, nil
		o.Each = func(e *audit.Event) {
			if fault == nil {
				fault = s.offer(trailEvent{Record: audit.Record{E: *e}})
			}
		}
		_, err := audit.Check(in, o)
		return errors.Join(err, fault)
	}
	err := audit.Brief(in, func(number int64, l audit.Line, e *audit.Event, err error) error {
		if number == 0 {
			return s.line(l, 0)
		}
		return s.record(l, number, trailEvent{Record: audit.Record{E: *e}}, err)
	})
	switch {
	case err != nil:
		return err
	case s.size == 0:
		return fmt.Errorf("%s: the trail is empty", s.name)
	}
	return s.noTrail
}

// record takes the event that a line after the first holds, or why it holds none.
func (s *trailSource) record(l audit.Line, number int64, e trailEvent, err error) error {
	if s.noTrail != nil {
		if err != nil {
			return s.noTrail // a damaged trail has a good line next to a bad one
		}
		s.faults.reject(s.noTrail)
		s.noTrail = nil
	}
	if !l.LF() || l.Torn() {
		s.faults.torn(s.name)
	} else if err != nil {
		s.faults.reject(fmt.Errorf("%s: event %d: %w", s.name, number, err))
	}
	if err != nil {
		return nil
	}
	return s.offer(e)
}

// offer yields an event if it is wanted.
func (s *trailSource) offer(e trailEvent) error {
	s.closed = s.closed || e.E.Action == audit.ActionTrailClose
	if !s.filter.wants(&e.E) || s.limit > 0 && s.given == s.limit {
		return nil
	}
	if s.given++; s.given == 1 && s.keys == nil {
		s.faults.env.Say("hint", "nothing was verified; --key release.pub checks the chain")
	}
	if err := s.yield(e); err != nil {
		return err
	}
	// A trail that is verified is read to its end: that is part of the answer.
	if s.given == s.limit && (s.checker == nil || s.follow) {
		return errEnough
	}
	return nil
}
