package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// ActionRecover is the event that says that what stood behind the event before it was
// set aside; details are an Aside.
const ActionRecover = "trail.recover"

// An Aside is what a recovery takes out of a trail.
type Aside struct {
	Size   int64       `json:"size"`   // bytes
	Lines  int64       `json:"lines"`  // the last one counts if it has no LF
	Digest sign.Digest `json:"digest"` // of the bytes
	Why    string      `json:"why"`    // no event could be appended

	// Acknowledged is the last event that was on disk by the resume state, if the trail
	// lacks it; else nil.
	Acknowledged *Acknowledged `json:"acknowledged"`
}

// An Acknowledged event was on disk once.
type Acknowledged struct {
	K  int64       `json:"k"`
	HK sign.Digest `json:"H_k"`
}

// openFaulty is what tests put between a recovery and its file.
var openFaulty func(disk) disk

// ErrSound reports a trail from which nothing has to be set aside.
var ErrSound = errors.New("the trail can be appended to as it is: there is nothing to recover")

// Recover makes a trail that Open refuses one that can be appended to: everything from
// the first line with a fault on is kept in a file beside it, as [Torn] says, and an
// event in its place says what that was. Other events than those that somebody may rely
// on follow then, so it is for a person to decide: confirm is told what would be set
// aside, behind which event, and nothing happens if it returns an error. A closed trail
// is not opened again, nor one whose end cannot be told from a closed one's.
func Recover(ctx context.Context, path string, s sign.Signer, c Clock, d Draft, confirm func(k int64, a Aside) error) (r Record, t Torn, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return r, t, err
	}
	disk, err := openDisk(path, abs)
	if err != nil {
		return r, t, err
	}
	if openFaulty != nil {
		disk = openFaulty(disk)
	}
	l := &Log{ctx: ctx, path: path, abs: abs, disk: disk, signer: s, clock: c, forgive: true}
	defer l.Close()
	l.begin()
	unlock, err := l.disk.Lock(ctx, nil)
	if err != nil {
		return r, t, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	why, err := l.readSound()
	if err == nil {
		err = l.mine()
	}
	if err != nil {
		return r, t, err
	}
	size, err := l.disk.Size()
	if err != nil {
		return r, t, err
	}
	a, err := l.aside(size, why)
	if err != nil {
		return r, t, err
	}
	// Nothing is offered that would be refused, such as an event 1 of a run that does not
	// start it.
	next, err := l.recovery(a, d)
	if err == nil {
		err = confirm(l.judge.chain.at.k, a)
	}
	if err == nil {
		err = l.sign(&next)
	}
	if err != nil {
		return r, t, err
	}
	return l.replace(size, a, next)
}

// recovery makes the event that says what is set aside.
func (l *Log) recovery(a Aside, d Draft) (next step, err error) {
	a.Why = clipTo(a.Why, 4*limits.KiB)
	d.Action, d.Seed = ActionRecover, l.judge.seed // in a run, that of its first event
	if d.Details, err = canon.Marshal(a); err != nil {
		return next, err
	}
	if next, err = l.draw(d); err != nil {
		err = fmt.Errorf("%s: %s cannot be event %d: %w", l.path, ActionRecover, l.judge.chain.at.k+1, err)
	}
	return next, err
}

// readSound reads a trail as far as it has no fault, and returns the first one.
func (l *Log) readSound() (why error, err error) {
	why = l.catchUp()
	if damaged, ok := errors.AsType[*DamagedError](why); ok && l.size > 0 {
		// What the judge has learned from the faulty line cannot be taken out again.
		size, lost := l.size, l.lost
		l.size, l.fault, l.until = 0, nil, size
		l.begin()
		if err := l.catchUp(); err != nil {
			return nil, err
		}
		if l.lost == nil {
			l.lost = lost
		}
		if l.lost != nil {
			return l.lost, nil
		}
		return damaged, nil
	}
	switch {
	case why != nil:
		return nil, why
	case l.lost != nil:
		return l.lost, nil
	case l.judge.closed:
		return nil, ErrClosed
	}
	return nil, ErrSound
}

// aside describes what stands behind the last sound line.
func (l *Log) aside(size int64, why error) (Aside, error) {
	a := Aside{Size: size - l.size, Why: strings.TrimPrefix(why.Error(), l.path+": ")} // where it lay is nobody's business
	if l.judge.closed || l.lost != nil && l.lost.closed {
		return a, ErrClosed
	}
	if l.lost != nil {
		a.Acknowledged = &Acknowledged{l.lost.K, l.lost.HK}
	}
	closes := false
	n := &counter{see: func(b []byte) { closes = closes || bytes.Contains(b, closing) }}
	var err error
	a.Digest, _, err = sign.SumReader(io.TeeReader(l.section(l.size, size), n))
	a.Lines = n.lines
	if n.inLine {
		a.Lines++
	}
	if err == nil && closes {
		err = fmt.Errorf("after event %d comes what looks like a %s: %w", l.judge.chain.at.k, ActionTrailClose, ErrClosed)
	}
	return a, err
}

// A counter counts lines and shows what goes by, in pieces that overlap.
type counter struct {
	see    func([]byte)
	lines  int64
	inLine bool
	end    []byte // of the last piece
}

func (c *counter) Write(p []byte) (int, error) {
	if len(p) > 0 {
		c.lines += int64(bytes.Count(p, []byte{'\n'}))
		c.inLine = p[len(p)-1] != '\n'
		piece := append(c.end, p...)
		c.see(piece)
		c.end = bytes.Clone(piece[max(0, len(piece)-len(closing)):])
	}
	return len(p), nil
}

// replace sets everything behind the last sound line aside and puts an event there.
func (l *Log) replace(size int64, a Aside, next step) (r Record, t Torn, err error) {
	t.K = l.judge.chain.at.k + 1
	if a.Size > 0 {
		if t.Path, err = l.setAside(l.size, size, t.K); err != nil {
			return r, t, err
		}
	}
	// The bytes are safe from here. The event is written over them before the rest is cut
	// off: a crash in between leaves a trail that still has to be recovered.
	line := append(next.line, '\n')
	n, err := l.disk.WriteAt(line, l.size)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = l.disk.Sync()
	}
	if err == nil {
		at := l.size
		l.last = int64(len(line))
		l.size += l.last
		l.took(&next.event, at, l.last-1)
		err = l.cut()
	}
	if err != nil {
		return r, t, err
	}
	l.judge.chain = next.chain
	l.judge.add(&next.event.E)
	l.keep()
	return next.record, t, nil
}

func clipTo(s string, n int) string {
	if len(s) > n {
		return s[:n] + "..."
	}
	return s
}
