package audit

import (
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A DamagedError reports a finding: of a trail to which nothing can be appended, or of one
// that is read with [Events].
type DamagedError struct {
	Path    string          // "" where it is not known
	Finding finding.Finding // the first that rejects; Check finds the others
}

// FindingCode returns the code of the finding.
func (e *DamagedError) FindingCode() finding.Code { return e.Finding.Code }

func (e *DamagedError) Error() string {
	place := "line 0"
	if k := e.Finding.K; k != nil && *k > 0 {
		place = "event " + itoa(*k)
	}
	if e.Path != "" {
		place = e.Path + ": " + place
	}
	return fmt.Sprintf("%s: %s: %s", place, e.Finding.Code, e.Finding.Text)
}

// A KeyError reports a signer with another key than the one that signs the next event.
type KeyError struct {
	Path      string
	Want, Got sign.KeyID
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("%s: the trail is signed with key %s, not with %s", e.Path, e.Want, e.Got)
}

// catchUp reads and applies the lines after l.size: in Open all of them, or those after
// the resume state, and later those that other logs have appended. The caller holds the
// lock on the file, so nobody is writing a line that is not whole: a crash has left it.
func (l *Log) catchUp() error {
	if l.size > 0 {
		return l.readOn()
	}
	return l.readAll()
}

// readAll reads line 0 and everything after it or after the resume state.
func (l *Log) readAll() error {
	size, err := l.disk.Size()
	if err != nil {
		return err
	}
	if size == 0 {
		return l.empty()
	}
	line, err := newLineReader(l.section(0, size)).next()
	if err == nil {
		err = l.acceptHeader(line)
	}
	if err != nil {
		return err
	}
	l.size, l.lastSize, l.latest = line.size+1, line.size+1, l.judge.genesis.Created
	if l.o.Digest {
		l.sum = sha256.New()
		l.hash(line.text)
		l.hash(newline)
	}
	if l.acknowledged, err = l.loadState(l.judge.h0); err != nil {
		return err
	}
	if l.acknowledged != nil {
		l.savedSize = l.acknowledged.Size
		if l.o.Resume && l.o.Event == nil && !l.o.Digest {
			if err := l.resume(l.acknowledged, size); err != nil {
				return err
			}
		}
	}
	return l.readOn()
}

func (l *Log) empty() error { return fmt.Errorf("%s: the trail is empty", l.path) }

// section reads the trail from one byte to another, until the context is done.
func (l *Log) section(start, end int64) io.Reader {
	return regular.UntilDone(l.ctx, io.NewSectionReader(l.disk, start, end-start))
}

// readOn applies the lines after l.size.
func (l *Log) readOn() error {
	size, err := l.disk.Size()
	if err != nil {
		return err
	}
	switch {
	case size == 0:
		return l.empty()
	case size < l.size:
		return fmt.Errorf("%s: the trail was cut off after byte %d while it was open", l.path, size)
	}
	if l.stopAt > 0 {
		size = l.stopAt
	}
	lines := newLineReader(l.section(l.size, size))
	// As in Check, lines are examined a chunk at a time.
	for c := new(chunk); ; {
		c.fill(lines, chunkLines, l.judge.batchVerifier())
		c.examine(l.decoder)
		for i := range c.entries {
			if err := l.checkAcknowledged(); err != nil {
				return err
			}
			e := &c.entries[i]
			if !e.line.lf || e.line.hasZero() {
				return l.clearTail(size)
			}
			if err := l.accept(e); err != nil {
				return err
			}
		}
		if c.end == io.EOF {
			if err := l.checkAcknowledged(); err != nil {
				return err
			}
			return l.checkComplete()
		}
		if c.end != nil {
			return c.end
		}
	}
}

// checkAcknowledged compares the trail with the resume state, once it was read as far as
// that goes. It does nothing before.
func (l *Log) checkAcknowledged() error {
	s, at := l.acknowledged, l.judge.chain.at
	if s == nil || l.size < s.Size {
		return nil
	}
	if l.size > s.Size || at.k != s.K || at.head != s.HK {
		return l.reportMissing()
	}
	l.acknowledged = nil
	return nil
}

// checkComplete returns an error if the trail has ended before the last event that was
// acknowledged.
func (l *Log) checkComplete() error {
	if l.acknowledged != nil {
		return l.reportMissing()
	}
	return nil
}

// reportMissing returns the error for a trail that lacks acknowledged events. If the
// trail is being recovered, it records them in l.missing instead.
func (l *Log) reportMissing() error {
	s := l.acknowledged
	e := &AcknowledgedError{l.path, s.K, s.HK, l.judge.chain.at.k, s.Closed}
	if !l.recovering {
		return e
	}
	l.missing, l.acknowledged = e, nil
	return nil
}

// accept gives one examined line to the judge and counts it.
func (l *Log) accept(e *entry) error {
	l.judge.entry(e)
	if err := l.damageError(); err != nil {
		return err
	}
	l.trackLine(&e.parsed, l.size, e.line.size)
	l.lastSize = e.line.size + 1
	l.size += l.lastSize
	l.hash(e.line.text)
	l.hash(newline)
	return nil
}

var newline = []byte("\n")

func (l *Log) acceptHeader(line rawLine) error {
	l.judge.header(line)
	if !line.lf && l.fault == nil { // no crash leaves this: Create writes the LF with it
		f := finding.New(finding.Format, "", "line 0 has no LF").At(0)
		l.fault = &f
	}
	return l.damageError()
}

// damageError returns the first finding that rejects as an error, or nil.
func (l *Log) damageError() error {
	switch {
	case l.fault == nil:
		return nil
	case l.fault.Code == finding.KeyUnknown:
		return &KeyError{l.path, l.judge.trust.ref, l.signer.Public().KeyID()}
	default:
		return &DamagedError{l.path, *l.fault}
	}
}
