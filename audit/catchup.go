package audit

import (
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A DamagedError reports a trail that must not be appended to, or what is wrong with one
// that is read.
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

// A KeyError reports a signer other than the one that the genesis names.
type KeyError struct {
	Path      string
	Want, Got sign.KeyID
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("%s: the trail is signed with key %s, not with %s", e.Path, e.Want, e.Got)
}

// catchUp applies the lines after l.size: all of them in Open, or those after the
// resume state, later those of other logs. The caller holds the lock, so a line that is
// not whole is not being written but was given up.
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
	l.size, l.last, l.latest = line.size+1, line.size+1, l.judge.genesis.Created
	if l.o.Digest {
		l.sum = sha256.New()
		l.hash(line.text)
		l.hash(newline)
	}
	if l.known, err = l.loadState(l.judge.h0); err != nil {
		return err
	}
	if l.known != nil {
		l.saved = l.known.Size
		if l.o.Resume && l.o.Event == nil && !l.o.Digest {
			if err := l.resume(l.known, size); err != nil {
				return err
			}
		}
	}
	return l.readOn()
}

func (l *Log) empty() error { return fmt.Errorf("%s: the trail is empty", l.path) }

// section is the trail from one byte to another; reading it ends with the context.
func (l *Log) section(from, to int64) io.Reader {
	return regular.UntilDone(l.ctx, io.NewSectionReader(l.disk, from, to-from))
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
	if l.until > 0 {
		size = l.until
	}
	lines := newLineReader(l.section(l.size, size))
	// As in Check, lines are examined many at a time.
	for c := new(chunk); ; {
		c.fill(lines, chunkLines, l.judge.many())
		c.examine(l.decoder)
		for i := range c.entries {
			if err := l.agree(); err != nil {
				return err
			}
			e := &c.entries[i]
			if !e.line.lf || e.line.holed() {
				return l.clearUp(size)
			}
			if err := l.accept(e); err != nil {
				return err
			}
		}
		if c.end == io.EOF {
			if err := l.agree(); err != nil {
				return err
			}
			return l.lacks()
		}
		if c.end != nil {
			return c.end
		}
	}
}

// agree compares the place with what was acknowledged up to it.
func (l *Log) agree() error {
	s, at := l.known, l.judge.chain.at
	if s == nil || l.size < s.Size {
		return nil
	}
	if l.size > s.Size || at.k != s.K || at.head != s.HK {
		return l.lack()
	}
	l.known = nil
	return nil
}

// lacks returns an error if more was acknowledged than the trail has.
func (l *Log) lacks() error {
	if l.known != nil {
		return l.lack()
	}
	return nil
}

func (l *Log) lack() error {
	s := l.known
	e := &AcknowledgedError{l.path, s.K, s.HK, l.judge.chain.at.k, s.Closed}
	if !l.forgive {
		return e
	}
	l.lost, l.known = e, nil
	return nil
}

// accept gives one examined line to the judge.
func (l *Log) accept(e *entry) error {
	l.judge.entry(e)
	if err := l.damage(); err != nil {
		return err
	}
	l.took(&e.parsed, l.size, e.line.size)
	l.last = e.line.size + 1
	l.size += l.last
	l.hash(e.line.text)
	l.hash(newline)
	return nil
}

var newline = []byte("\n")

func (l *Log) acceptHeader(line rawLine) error {
	l.judge.header(line)
	if !line.lf && l.fault == nil { // Create does not leave this
		f := finding.New(finding.Format, "", "line 0 has no LF").At(0)
		l.fault = &f
	}
	return l.damage()
}

// damage returns the first fault as an error.
func (l *Log) damage() error {
	switch {
	case l.fault == nil:
		return nil
	case l.fault.Code == finding.KeyUnknown:
		return &KeyError{l.path, l.judge.trust.ref, l.signer.Public().KeyID()}
	default:
		return &DamagedError{l.path, *l.fault}
	}
}
