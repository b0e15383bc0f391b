package audit

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A Log appends to a trail in a file. Several logs, in this process and in
// others on the same machine, may append to the same file; each append takes a
// lock on the file and first applies what the others wrote. A Log is safe for
// concurrent use.
type Log struct {
	mu     sync.Mutex
	ctx    context.Context
	o      Options
	path   string // as it was given
	abs    string // the process may change its directory
	disk   disk
	signer sign.Signer
	clock  Clock
	judge  *judge
	size   int64            // bytes of the lines that the judge has accepted
	last   int64            // of them in the last one, its LF included
	fault  *finding.Finding // the first that rejects
	found  bool             // there is one of any kind
	sum    hash.Hash        // of the bytes of size; nil without Digest
	torn   []Torn
	err    error // why nothing can be appended any more

	latest Time                   // the greatest ts
	open   map[sign.Digest]lineAt // the step.start of the steps that have not ended
	known  *resumeState           // how far others say that the trail was acknowledged; nil once it was found to be so
	saved  int64                  // the size that the state beside the trail has
	state  *os.File               // the file of it that this log has made

	// Of a trail that is to be recovered: what was acknowledged and is not there is kept
	// in lost, and reading ends at until, if that is not 0.
	forgive bool
	lost    *AcknowledgedError
	until   int64

	queue   queue     // of those who append
	buffers [2][]byte // of batches
	encoder encoder
	decoder *decoder // of what the encoder writes
}

// Create makes a new trail at path and opens it. It fills in Schema, Created and
// Verifier of g. The file appears with its first line or not at all; if path
// exists the error is fs.ErrExist.
func Create(path string, g Genesis, s sign.Signer, c Clock) (*Log, error) {
	now, _, _ := c.Now()
	g.Schema, g.Created, g.Verifier = Schema, NewTime(now), Key{s.Public().KeyID()}
	line, err := headerLine(g, s)
	if err != nil {
		return nil, fmt.Errorf("%s: genesis: %w", path, err)
	}
	if err := durable.WriteFile(path, append(line, '\n'), 0o644, false); err != nil {
		return nil, err
	}
	return Open(path, s, c)
}

func headerLine(g Genesis, s sign.Signer) ([]byte, error) {
	data, err := canon.Marshal(g)
	if err != nil {
		return nil, err
	}
	h := Header{H0: sign.Sum(data), Genesis: g}
	// Nothing is signed that a reader would refuse.
	if line, err := h.Marshal(); err != nil {
		return nil, err
	} else if _, err := ParseHeader(line); err != nil {
		return nil, err
	}
	if h.Sig, err = s.Sign(h.H0[:]); err != nil {
		return nil, err
	}
	return h.Marshal()
}

// Options say how a log is opened. The zero value is that of [Open].
type Options struct {
	// Resume lets the log go on from the state that the last one has left beside the
	// trail, if that fits: then of the lines before it none is read, and one that was
	// damaged since is found by whoever verifies. The first event costs as much as the
	// millionth. See docs/format.md.
	Resume bool

	// Event, if not nil, is called as [CheckOptions.Event] is, with every event that the
	// log reads: in Open, and later with what others have appended, before it answers a
	// call. Of those that it appends itself it is not called. What is to be told has to be
	// read: Resume counts for nothing then. It must not call the log.
	Event        func(Record)
	BriefActions []string // as in [CheckOptions]

	// Digest lets the log keep the digest of the lines, see [Log.Checked]. All of them have
	// to be read for that, too.
	Digest bool

	// Waiting, if not nil, is called when the lock is waited for, with what is known of
	// who has it.
	Waiting func(holder string)
}

// Open opens a trail to append to it. It checks every line; a trail with a
// finding that rejects is a [*DamagedError], one that lacks what was acknowledged an
// [*AcknowledgedError], a signer other than that of the
// genesis a [*KeyError]. What a crash left of a last append is cleared up first,
// see [Log.Torn].
func Open(path string, s sign.Signer, c Clock) (*Log, error) {
	return OpenWith(context.Background(), path, s, c, Options{})
}

// OpenWith is Open as o says. When ctx is done the log waits for no lock, reads on in no
// trail and appends nothing more; what is being written is finished.
func OpenWith(ctx context.Context, path string, s sign.Signer, c Clock, o Options) (*Log, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d, err := openDisk(path, abs)
	if err != nil {
		return nil, err
	}
	l, err := openLog(&Log{ctx: ctx, o: o, path: path, abs: abs, disk: d, signer: s, clock: c})
	if err != nil {
		d.Close()
		return nil, err
	}
	return l, nil
}

// begin gives the log a judge that has seen nothing.
func (l *Log) begin() {
	l.decoder = newDecoder(new(CheckOptions))
	l.judge = newJudge(CheckOptions{
		Bare:         true,
		Keys:         sign.Only(l.signer.Public()),
		Event:        l.o.Event,
		BriefActions: l.o.BriefActions,
		Report: func(f finding.Finding) {
			l.found = true
			// Of the keys before its own a log knows the names alone: see mine.
			if f.Verdict == finding.Reject && f.Code != finding.KeyUnknown && l.fault == nil {
				l.fault = &f
			}
		},
	})
}

func openLog(l *Log) (*Log, error) {
	l.begin()
	unlock, err := l.disk.Lock(l.ctx, l.o.Waiting)
	if err != nil {
		return nil, err
	}
	err = l.catchUp()
	if err == nil {
		err = l.mine()
	}
	if err == nil {
		l.keep()
	}
	if err := errors.Join(err, unlock()); err != nil {
		return nil, err
	}
	return l, nil
}

// under calls f with the lock on the file, after what others wrote was applied.
// The caller holds l.mu.
func (l *Log) under(f func() error) error {
	if l.err != nil {
		return l.err
	}
	if err := l.ctx.Err(); err != nil {
		return context.Cause(l.ctx)
	}
	unlock, err := l.disk.Lock(l.ctx, l.o.Waiting)
	if err != nil {
		return err
	}
	whole := false
	defer func() {
		if !whole && l.err == nil {
			l.err = errUnfinished // a signer panicked: what the judge knows is not what is on disk
		}
		if e := unlock(); e != nil && l.err == nil {
			l.err = e
		}
	}()
	if err = l.catchUp(); err == nil {
		err = l.mine()
	}
	if err != nil {
		l.err = err
		return err
	}
	err = f()
	whole = true
	if l.err == nil {
		l.keep()
	}
	return err
}

// keep writes the resume state, if the trail has grown since.
func (l *Log) keep() {
	if l.size != l.saved {
		l.saveState()
		l.saved = l.size
	}
}

// write appends lines, each with its LF. On an error the trail ends where it did,
// or l.err is set.
func (l *Log) write(lines []byte) error {
	n, err := l.disk.WriteAt(lines, l.size)
	if err == nil && n < len(lines) {
		err = io.ErrShortWrite
	}
	if err != nil {
		if back := l.cut(); back != nil {
			l.err = fmt.Errorf("%w; and it could not be undone: %w", err, back)
			return l.err
		}
		return err
	}
	if err := l.disk.Sync(); err != nil {
		// After a failed sync the system forgets which pages were not written:
		// a later sync that succeeds says nothing about them.
		l.cut()
		l.err = err
		return err
	}
	// The events are on disk from here: a crash leaves them readable and signed.
	l.size += int64(len(lines))
	l.hash(lines)
	return nil
}

// hash takes in bytes that size has come to count.
func (l *Log) hash(lines []byte) {
	if l.sum != nil {
		l.sum.Write(lines)
	}
}

// cut ends the file after the last accepted line.
func (l *Log) cut() error {
	if err := l.disk.Truncate(l.size); err != nil {
		return err
	}
	return l.disk.Sync()
}

// Genesis returns what line 0 says.
func (l *Log) Genesis() Genesis {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *l.judge.genesis
}

// H0 returns the digest of the genesis.
func (l *Log) H0() sign.Digest {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.judge.h0
}

// Head returns the number of the last event, 0 for none, and the head after it,
// as far as this log has written or read.
func (l *Log) Head() (k int64, h sign.Digest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.judge.chain.at.k, l.judge.chain.at.head
}

// Close closes the file; the trail itself is closed by the action trail.close.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.disk == nil {
		return nil
	}
	l.closeState()
	err := l.disk.Close()
	l.disk = nil
	l.err = &fs.PathError{Op: "append", Path: l.path, Err: fs.ErrClosed}
	return err
}

// Checked is what [Check] would return and report of a trail in a bundle, by somebody who
// trusts the key of the log alone.
type Checked struct {
	Summary  Summary
	Findings []finding.Finding // of how it ends
	Size     int64             // bytes of its lines
	Digest   sign.Digest       // of these
}

// Checked returns what the log has found while it read and wrote the trail, up to the last
// event that it knows. It is false for a log that was opened without Digest, and for a
// trail with a finding, another key or no event.
func (l *Log) Checked() (c Checked, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sum == nil || l.found || l.err != nil || l.judge.trust.used == nil {
		return c, false
	}
	j := *l.judge
	j.o = CheckOptions{Report: func(f finding.Finding) { c.Findings = append(c.Findings, f) }}
	j.end(1)
	c.Summary, c.Size, c.Digest = j.summary(), l.size, sign.Digest(l.sum.Sum(nil))
	last := *j.to
	c.Summary.Last = &last
	return c, true
}

// A disk is what a log asks of its file. Tests put faults in between.
type disk interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Size() (int64, error) // an error too if the path no longer names the file
	Lock(ctx context.Context, waiting func(holder string)) (unlock func() error, err error)
	Close() error
}

// errReplaced reports that events would go to a file that nobody sees.
var errReplaced = errors.New("the trail was removed or replaced while it was open")

type osDisk struct {
	*os.File
	abs string
}

// openDisk opens a trail for reading and writing, not for appending: Windows
// cannot cut a file that was opened that way. Writes go to an offset that was
// read under the lock.
func openDisk(path, abs string) (disk, error) {
	f, err := regular.OpenUpdate(path)
	if err != nil {
		return nil, err
	}
	return &osDisk{f, abs}, nil
}

func (d *osDisk) Lock(ctx context.Context, waiting func(holder string)) (func() error, error) {
	return durable.LockFile(ctx, d.File, waiting)
}

func (d *osDisk) Size() (int64, error) {
	same, err := durable.Same(d.File, d.abs)
	if err == nil && !same {
		err = &fs.PathError{Op: "append", Path: d.Name(), Err: errReplaced}
	}
	if err != nil {
		return 0, err
	}
	info, err := d.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
