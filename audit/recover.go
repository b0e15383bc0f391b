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

// ActionRecover is the action of the event that a recovery appends. It says what was set
// aside behind the event before it; its details are an Aside.
const ActionRecover = "trail.recover"

// An Aside describes the bytes that a recovery takes out of a trail.
type Aside struct {
	Size   int64       `json:"size"`   // bytes
	Lines  int64       `json:"lines"`  // also counts a last one without LF
	Digest sign.Digest `json:"digest"` // of the bytes
	Why    string      `json:"why"`    // why no event could be appended

	// Acknowledged is the last event that was on disk according to the resume state, if
	// the trail lacks it; else nil.
	Acknowledged *Acknowledged `json:"acknowledged"`
}

// An Acknowledged event was on disk once, and Append said so.
type Acknowledged struct {
	K  int64       `json:"k"`
	HK sign.Digest `json:"H_k"`
}

// wrapDisk lets tests inject faults into the file of a recovery.
var wrapDisk func(disk) disk

// ErrSound reports a trail from which nothing has to be set aside.
var ErrSound = errors.New("the trail can be appended to as it is: there is nothing to recover")

// Recover makes a trail that Open refuses one to which events can be appended. It moves
// everything from the first line with a fault on to a file beside the trail, as [Torn]
// says, and appends an event that says what that was. Somebody may rely on events that
// are moved, so a person has to decide: confirm gets the number of the last event that
// stays and what would be set aside, and if it returns an error nothing happens. A trail
// that was closed is not recovered, and one that may have been only if it ends in the
// middle of its trail.close: a crash leaves that, too.
func Recover(ctx context.Context, path string, s sign.Signer, c Clock, d Draft, confirm func(k int64, a Aside) error) (r Record, t Torn, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return r, t, err
	}
	disk, err := openDisk(path, abs)
	if err != nil {
		return r, t, err
	}
	if wrapDisk != nil {
		disk = wrapDisk(disk)
	}
	l := &Log{ctx: ctx, path: path, abs: abs, disk: disk, signer: s, clock: c, recovering: true}
	defer l.Close()
	l.resetJudge()
	unlock, err := l.disk.Lock(ctx, nil)
	if err != nil {
		return r, t, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	why, err := l.readToFault()
	if err == nil {
		err = l.checkKey()
	}
	if err != nil {
		return r, t, err
	}
	size, err := l.disk.Size()
	if err != nil {
		return r, t, err
	}
	if r, t, a, ok := l.unfinished(size); ok {
		if err := confirm(r.E.K-1, a); err != nil {
			return r, t, err
		}
		if err := l.cut(); err != nil {
			return r, t, err
		}
		l.refreshState()
		return r, t, nil
	}
	a, err := l.describeRest(size, why)
	if err != nil {
		return r, t, err
	}
	// The event is prepared before anybody is asked to confirm, because it may be refused:
	// event 1 of a run, for example, has to be run.start.
	next, err := l.recoverEvent(a, d)
	if err == nil {
		err = confirm(l.judge.chain.at.k, a)
	}
	if err == nil {
		err = l.sign(&next)
	}
	if err != nil {
		return r, t, err
	}
	return l.replaceRest(size, a, next)
}

// unfinished reports whether the last event without a fault is of a recovery that a crash
// has broken off: what follows is the end of what that one has set aside, or nothing, and
// what is missing is what it says.
func (l *Log) unfinished(size int64) (r Record, t Torn, a Aside, ok bool) {
	line, err := io.ReadAll(l.section(l.size-l.lastSize, l.size))
	if err != nil {
		return r, t, a, false
	}
	r, err = ParseRecord(bytes.TrimSuffix(line, newline))
	if err != nil || r.E.Action != ActionRecover || canon.Unmarshal(r.E.Details, &a) != nil {
		return r, t, a, false
	}
	if l.missing != nil && (a.Acknowledged == nil || *a.Acknowledged != Acknowledged{l.missing.K, l.missing.HK}) {
		return r, t, a, false
	}
	t.K = r.E.K
	if a.Size > 0 {
		if t.Path = l.asideOf(a, l.lastSize, size); t.Path == "" {
			return r, t, a, false
		}
	}
	return r, t, a, size == l.size || size == l.size-l.lastSize+a.Size
}

// recoverEvent prepares the event that says what is set aside.
func (l *Log) recoverEvent(a Aside, d Draft) (next prepared, err error) {
	a.Why = clipTo(a.Why, 4*limits.KiB)
	d.Action, d.Seed = ActionRecover, l.judge.seed // all events of a run have the same seed
	if d.Details, err = canon.Marshal(a); err != nil {
		return next, err
	}
	if next, err = l.prepare(d); err != nil {
		err = fmt.Errorf("%s: %s cannot be event %d: %w", l.path, ActionRecover, l.judge.chain.at.k+1, err)
	}
	return next, err
}

// readToFault reads a trail up to its first fault and returns that as why.
func (l *Log) readToFault() (why error, err error) {
	why = l.catchUp()
	if damaged, ok := errors.AsType[*DamagedError](why); ok && l.size > 0 {
		// A judge cannot forget the faulty line: a new one reads the lines before it.
		size, lost := l.size, l.missing
		l.size, l.fault, l.stopAt = 0, nil, size
		l.resetJudge()
		if err := l.catchUp(); err != nil {
			return nil, err
		}
		if l.missing == nil {
			l.missing = lost
		}
		if l.missing != nil {
			return l.missing, nil
		}
		return damaged, nil
	}
	switch {
	case why != nil:
		return nil, why
	case l.missing != nil:
		return l.missing, nil
	case l.judge.closed:
		return nil, ErrClosed
	}
	return nil, ErrSound
}

// describeRest describes what stands behind the last line without a fault.
func (l *Log) describeRest(size int64, why error) (Aside, error) {
	a := Aside{Size: size - l.size, Why: strings.TrimPrefix(why.Error(), l.path+": ")} // the path on this machine is nobody's business
	if l.judge.closed || l.missing != nil && l.missing.closed {
		return a, ErrClosed
	}
	if l.missing != nil {
		a.Acknowledged = &Acknowledged{l.missing.K, l.missing.HK}
	}
	closes := false
	n := &counter{each: func(b []byte) { closes = closes || bytes.Contains(b, closeMember) }}
	var err error
	a.Digest, _, err = sign.SumReader(io.TeeReader(l.section(l.size, size), n))
	a.Lines = n.lines
	if n.inLine {
		a.Lines++
	}
	if err == nil && closes && !l.tornClose {
		err = fmt.Errorf("after event %d comes what looks like a %s: %w", l.judge.chain.at.k, ActionTrailClose, ErrClosed)
	}
	return a, err
}

// A counter counts the lines that are written to it. It calls each with what is written,
// in pieces that overlap so that no closeMember is cut in two.
type counter struct {
	each   func([]byte)
	lines  int64
	inLine bool
	end    []byte // of the last piece
}

func (c *counter) Write(p []byte) (int, error) {
	if len(p) > 0 {
		c.lines += int64(bytes.Count(p, []byte{'\n'}))
		c.inLine = p[len(p)-1] != '\n'
		piece := append(c.end, p...)
		c.each(piece)
		c.end = bytes.Clone(piece[max(0, len(piece)-len(closeMember)):])
	}
	return len(p), nil
}

// replaceRest copies everything behind the last line without a fault to a file and writes
// the event of the recovery in its place.
func (l *Log) replaceRest(size int64, a Aside, next prepared) (r Record, t Torn, err error) {
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
		l.lastSize = int64(len(line))
		l.size += l.lastSize
		l.trackLine(&next.event, at, l.lastSize-1)
		err = l.cut()
	}
	if err != nil {
		return r, t, err
	}
	l.judge.chain = next.chain
	l.judge.add(&next.event.E)
	l.refreshState()
	return next.record, t, nil
}

func clipTo(s string, n int) string {
	if len(s) > n {
		return s[:n] + "..."
	}
	return s
}
