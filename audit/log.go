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
	mu         sync.Mutex
	ctx        context.Context
	o          Options
	path       string // as it was given
	abs        string // absolute, because the process may change its directory
	disk       disk
	signer     sign.Signer
	clock      Clock
	judge      *judge
	size       int64            // bytes of the lines that the judge has accepted
	lastSize   int64            // bytes of the last one, its LF included
	fault      *finding.Finding // the first finding that rejects
	hasFinding bool             // there is a finding of any kind
	sum        hash.Hash        // of these lines; nil without Options.Digest
	torn       []Torn
	err        error // why nothing can be appended any more

	latest       Time                   // the greatest ts
	openSteps    map[sign.Digest]lineAt // the step.start of the steps that have not ended
	acknowledged *resumeState           // how far the trail was acknowledged by the state beside it; nil once it was read that far
	savedSize    int64                  // the size of the trail by the state beside it
	stateFile    *os.File               // the file of that state, if this log has made it

	// Recover sets recovering: then it is no error if acknowledged events are missing, and
	// missing says which. Reading ends at stopAt, if that is not 0.
	recovering bool
	missing    *AcknowledgedError
	tornClose  bool // the trail ends in the middle of a trail.close, and there is no resume state
	stopAt     int64

	queue   queue     // of the calls of Append
	buffers [2][]byte // for the lines of batches
	encoder encoder
	decoder *decoder // of lines that are read and that the encoder writes
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
	// Resume lets the log continue from the state that the last log has left beside the
	// trail, if that fits the trail. Then the lines before it are not read, and the
	// millionth event costs as much as the first. Whoever verifies the trail reads all
	// lines and finds one that was damaged. See docs/format.md.
	Resume bool

	// Event, if not nil, is called as [CheckOptions.Event] is, with every event that the
	// log reads: in Open with those of the trail, and later, before a call of the log
	// returns, with those that others have appended. It is not called with events that
	// the log appends itself. Resume has no effect then, because all events are read.
	// Event must not call the log.
	Event        func(Record)
	BriefActions []string // as in [CheckOptions]

	// Accept, if not nil, is called in Open when the trail was read, with H_0 and the last
	// event that stays, and before anything is changed: what a crash has left is cleared up
	// after it. If it returns an error, Open does.
	Accept func(h0 sign.Digest, k int64, head sign.Digest) error

	// Digest lets the log compute the digest of the lines, see [Log.Checked]. Resume has
	// no effect then, either.
	Digest bool

	// Waiting, if not nil, is called when the log has to wait for the lock, with what is
	// known of its holder.
	Waiting func(holder string)
}

// Open opens a trail to append to it. It checks every line. The error is a
// [*DamagedError] for a trail with a finding that rejects, an [*AcknowledgedError] for
// one that lacks events that were acknowledged, and a [*KeyError] for a signer that
// may not sign the next event. What a crash has left of the last append is cleared up
// first, see [Log.Torn].
func Open(path string, s sign.Signer, c Clock) (*Log, error) {
	return OpenWith(context.Background(), path, s, c, Options{})
}

// OpenWith is Open with options. Once ctx is done, the log stops waiting for the lock and
// reading, and appends nothing more; a write that has begun is finished.
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

// resetJudge gives the log a new judge, to which no line was given yet.
func (l *Log) resetJudge() {
	l.decoder = newDecoder(new(CheckOptions))
	l.judge = newJudge(CheckOptions{
		Bare:         true,
		Keys:         sign.Only(l.signer.Public()),
		Event:        l.o.Event,
		BriefActions: l.o.BriefActions,
		Report: func(f finding.Finding) {
			l.hasFinding = true
			// A log trusts its own key alone, and an older ledger has others before it.
			// checkKey finds out whether its own is the one that signs now.
			if f.Verdict == finding.Reject && f.Code != finding.KeyUnknown && l.fault == nil {
				l.fault = &f
			}
		},
	})
}

func openLog(l *Log) (*Log, error) {
	l.resetJudge()
	unlock, err := l.disk.Lock(l.ctx, l.o.Waiting)
	if err != nil {
		return nil, err
	}
	err = l.catchUp()
	if err == nil {
		err = l.checkKey()
	}
	if err == nil {
		err = l.acceptable()
	}
	if err == nil {
		l.refreshState()
	}
	if err := errors.Join(err, unlock()); err != nil {
		return nil, err
	}
	return l, nil
}

// acceptable asks once whether the trail is the right one, before anything is changed.
func (l *Log) acceptable() error {
	accept := l.o.Accept
	if accept == nil {
		return nil
	}
	l.o.Accept = nil
	at := l.judge.chain.at
	return accept(l.judge.h0, at.k, at.head)
}

// withLock takes the lock on the file, applies what others have appended, and calls f.
// The caller holds l.mu.
func (l *Log) withLock(f func() error) error {
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
			l.err = errUnfinished // a signer panicked: the judge may know events that are not on disk
		}
		if e := unlock(); e != nil && l.err == nil {
			l.err = e
		}
	}()
	if err = l.catchUp(); err == nil {
		err = l.checkKey()
	}
	if err != nil {
		l.err = err
		return err
	}
	err = f()
	whole = true
	if l.err == nil {
		l.refreshState()
	}
	return err
}

// refreshState writes the resume state if the trail has grown since it was written.
func (l *Log) refreshState() {
	if l.size != l.savedSize {
		l.saveState()
		l.savedSize = l.size
	}
}

// write appends lines, each with its LF, to the file. After an error the file ends where
// it did before, or l.err is set.
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

// hash adds bytes to the digest of the lines, if the log computes it.
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

// Checked is what [Check] would return and report if the trail were in a bundle and the
// key of the log the only one that is trusted.
type Checked struct {
	Summary  Summary
	Findings []finding.Finding // about its end; there are no others
	Size     int64             // bytes of its lines
	Digest   sign.Digest       // of those bytes
}

// Checked returns what the log has found out while it read and wrote the trail, up to the
// last event that it knows. It returns false if the log was opened without Digest, or if
// the trail has a finding, an earlier key or no event.
func (l *Log) Checked() (c Checked, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sum == nil || l.hasFinding || l.err != nil || l.judge.trust.verifiedKey == nil || l.judge.latestTS == nil {
		return c, false
	}
	j := *l.judge
	j.o = CheckOptions{Report: func(f finding.Finding) { c.Findings = append(c.Findings, f) }}
	j.end(1)
	c.Summary, c.Size, c.Digest = j.summary(), l.size, sign.Digest(l.sum.Sum(nil))
	last := *j.latestTS
	c.Summary.Last = &last
	return c, true
}

// A disk is the file of a log with what the log does to it. Tests inject faults here.
type disk interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Size() (int64, error) // an error too if the path no longer names the file
	Lock(ctx context.Context, waiting func(holder string)) (unlock func() error, err error)
	Close() error
}

// errReplaced reports that the path names another file by now, so that nobody would see
// what is appended.
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
