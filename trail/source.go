package trail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A Source yields the events of a trail, in memory that does not grow with it. It is read
// once, in one of four ways. What is wrong with the trail is told to [Options.Fault] while
// it is read; the error that comes last, if there is one, is of the reading itself.
type Source struct {
	name string
	file *regular.File
	size int64 // of the trail, as far as it is known
	o    Options

	yield   func(Event) error
	checker *audit.Checker // nil without keys
	read    *Event         // what checker found in the current line
	noTrail error          // line 0 is none, and the next has not been read
	given   int64          // events that were yielded
	follow  bool
	closed  bool
}

// Options say what is read of a trail.
type Options struct {
	Keys   sign.Verifiers // nil: the events are held to their form alone
	Filter Filter
	Limit  int64        // of the events, 0 for none
	Fault  func(Fault)  // is told what is wrong with the trail; may be nil
	Idle   func() error // is called by Follow when there is nothing more for now; may be nil
}

// A Fault is something that is wrong with a trail, or a note about it.
type Fault struct {
	Verdict finding.Verdict
	Code    finding.Code // "" where nothing is verified
	Text    string       // names the trail and the place in it
}

// Open opens the trail in a file.
func Open(name string, o Options) (*Source, error) {
	file, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	if o.Fault == nil {
		o.Fault = func(Fault) {}
	}
	return &Source{name: name, file: file, size: info.Size(), o: o}, nil
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }

// errEnough ends the reading of a trail of which no more is wanted.
var errEnough = errors.New("enough")

// seq makes what read yields to s.yield a sequence, with the error of read at its end.
func (s *Source) seq(read func() error) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		left := false
		s.yield = func(e Event) error {
			if left = !yield(e, nil); left {
				return errEnough
			}
			return nil
		}
		if err := read(); err != nil && err != errEnough && !left {
			yield(Event{}, err)
		}
	}
}

// Forward yields the events in their order. With keys a trail is read to its end, whatever
// the limit: that is part of the answer.
func (s *Source) Forward(ctx context.Context) iter.Seq2[Event, error] {
	return s.seq(func() error { return s.each(ctx) })
}

// Follow is Forward, and then waits for events to come until the trail is closed.
func (s *Source) Follow(ctx context.Context) iter.Seq2[Event, error] {
	s.follow = true
	return s.Forward(ctx)
}

func (s *Source) each(ctx context.Context) error {
	if s.o.Keys != nil {
		s.checker = audit.NewChecker(s.checkOptions())
	}
	err := s.forward(ctx)
	switch {
	case err == nil && s.checker != nil:
		s.checker.End()
	case err == nil && s.size == 0:
		return s.empty()
	case err == nil:
		return s.noTrail
	}
	return err
}

func (s *Source) empty() error { return fmt.Errorf("%s: the trail is empty", s.name) }

func (s *Source) checkOptions() audit.CheckOptions {
	return audit.CheckOptions{
		Bare: true, Keys: s.o.Keys,
		Report:   func(f finding.Finding) { s.o.Fault(Fault{f.Verdict, f.Code, s.name + ": " + findingLine(f)}) },
		Event:    func(r audit.Record) { s.read = &Event{Record: r} },
		Doubtful: func(r audit.Record) { s.read = &Event{Record: r, Doubtful: true} },
	}
}

// forward reads line after line and, where the trail is followed, those to come.
func (s *Source) forward(ctx context.Context) error {
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

// pollEvery is how often a trail that is followed is looked at. Asking for its
// size costs microseconds, and works on every file system.
const pollEvery = 200 * time.Millisecond

// await returns when there may be more than the offset bytes that were read.
func (s *Source) await(ctx context.Context, offset int64) error {
	if s.o.Idle != nil {
		if err := s.o.Idle(); err != nil {
			return err
		}
	}
	for seen := s.size; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		info, err := s.file.Stat()
		if err != nil {
			return err
		}
		switch s.size = info.Size(); {
		case s.size < offset:
			return fmt.Errorf("%s: was cut off at byte %d while it was followed", s.name, s.size)
		case s.size != seen:
			return nil
		}
	}
}

// line reads the line of a number.
func (s *Source) line(l audit.Line, number int64) error {
	text, err := l.Text()
	if s.checker != nil {
		s.read = nil
		s.checker.Add(l)
		if s.read == nil {
			return nil
		}
		s.read.Line = text
		s.read.Doubtful = s.read.Doubtful || s.checker.Key() == nil
		return s.offer(*s.read)
	}
	if number == 0 {
		if err == nil {
			_, err = audit.ParseHeader(text)
		}
		if err != nil {
			s.noTrail = s.notTrail(err)
		}
		return nil
	}
	var r audit.Record
	if err == nil {
		r, err = audit.ParseRecord(text)
	}
	return s.record(l, number, Event{Record: r, Line: text}, err)
}

func (s *Source) notTrail(err error) error {
	return fmt.Errorf("%s: not a trail: line 0: %w", s.name, err)
}

// Brief is Forward for those who need no more of an event than number, ts, actor, action,
// path, status and details. It costs what checking does, or less.
func (s *Source) Brief(ctx context.Context) iter.Seq2[Event, error] {
	return s.seq(func() error { return s.brief(ctx) })
}

func (s *Source) brief(ctx context.Context) error {
	in := regular.UntilDone(ctx, io.NewSectionReader(s.file, 0, s.size))
	if s.o.Keys != nil {
		var enough error
		o := s.checkOptions()
		o.Event, o.Doubtful = nil, nil
		o.Each = func(e *audit.Event) {
			if enough == nil {
				enough = s.offer(Event{Record: audit.Record{E: *e}})
			}
		}
		_, err := audit.Check(in, o)
		return err
	}
	err := audit.Brief(in, func(number int64, l audit.Line, e *audit.Event, err error) error {
		if number == 0 {
			return s.line(l, 0)
		}
		return s.record(l, number, Event{Record: audit.Record{E: *e}}, err)
	})
	switch {
	case err != nil:
		return err
	case s.size == 0:
		return s.empty()
	}
	return s.noTrail
}

// record takes the event that a line after the first holds, or why it holds none.
func (s *Source) record(l audit.Line, number int64, e Event, err error) error {
	if s.noTrail != nil {
		if err != nil {
			return s.noTrail // a damaged trail has a good line next to a bad one
		}
		s.reject(s.noTrail)
		s.noTrail = nil
	}
	if !l.LF() || l.Torn() {
		s.torn()
	} else if err != nil {
		s.reject(fmt.Errorf("%s: event %d: %w", s.name, number, err))
	}
	if err != nil {
		return nil
	}
	return s.offer(e)
}

func (s *Source) reject(err error) { s.o.Fault(Fault{Verdict: finding.Reject, Text: err.Error()}) }

func (s *Source) torn() {
	s.o.Fault(Fault{Verdict: finding.Undecidable, Text: s.name + ": ends in the middle of a line: it is being written, or a crash cut it off"})
}

// offer yields an event if it is wanted.
func (s *Source) offer(e Event) error {
	s.closed = s.closed || e.E.Action == audit.ActionTrailClose
	if !s.o.Filter.Wants(&e.E) || s.o.Limit > 0 && s.given == s.o.Limit {
		return nil
	}
	s.given++
	if err := s.yield(e); err != nil {
		return err
	}
	if s.given == s.o.Limit && (s.checker == nil || s.follow) {
		return errEnough
	}
	return nil
}
