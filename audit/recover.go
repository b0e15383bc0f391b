package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/sign"
)

// Torn is what a crash left of an append: a last line that is not whole. The
// event was never acknowledged.
type Torn struct {
	K    int64  // the number that the event has or would have had
	Path string // where the bytes were moved: PATH.torn-K; "" if the event was kept
}

// Torn returns what this log has cleared up, in Open or before an append when
// another process had crashed.
//
// A line that lacks nothing but its LF is completed and stays: it is signed, and
// a second event of the same number must not be. Any other is moved to a file
// beside the trail and cut off.
func (l *Log) Torn() []Torn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.torn)
}

// A DamagedError reports a trail that must not be appended to.
type DamagedError struct {
	Path    string
	Finding finding.Finding // the first that rejects; Check finds the others
}

func (e *DamagedError) Error() string {
	place := "line 0"
	if k := e.Finding.K; k != nil && *k > 0 {
		place = "event " + itoa(*k)
	}
	return fmt.Sprintf("%s: %s: %s: %s", e.Path, place, e.Finding.Code, e.Finding.Text)
}

// A KeyError reports a signer other than the one that the genesis names.
type KeyError struct {
	Path      string
	Want, Got sign.KeyID
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("%s: the trail is signed with key %s, not with %s", e.Path, e.Want, e.Got)
}

// catchUp applies the lines after l.size: all of them in Open, later those of
// other logs. The caller holds the lock, so a line that is not whole is not
// being written but was given up.
func (l *Log) catchUp() error {
	size, err := l.disk.Size()
	if err != nil {
		return err
	}
	switch {
	case size == 0:
		return fmt.Errorf("%s: the trail is empty", l.path)
	case size < l.size:
		return fmt.Errorf("%s: the trail was cut off after byte %d while it was open", l.path, size)
	}
	lines := newLineReader(io.NewSectionReader(l.disk, l.size, size-l.size))
	if l.size == 0 {
		line, err := lines.next()
		if err == nil {
			err = l.acceptHeader(line)
		}
		if err != nil {
			return err
		}
		l.size += line.size + 1
	}
	// As in Check, lines are examined many at a time.
	for c := new(chunk); ; {
		c.fill(lines, chunkLines, l.judge.many())
		c.examine(l.decoder)
		for i := range c.entries {
			e := &c.entries[i]
			if e.line.torn() {
				return l.clearUp(e.line)
			}
			if e.line.holed() {
				if done, err := l.clearUpBatch(size); done || err != nil {
					return err
				}
			}
			if err := l.accept(e); err != nil {
				return err
			}
			l.size += e.line.size + 1
		}
		if c.end != nil {
			return readError(c.end)
		}
	}
}

// accept gives one examined line to the judge.
func (l *Log) accept(e *entry) error {
	l.judge.entry(e)
	return l.damage()
}

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

// clearUp completes the last line or sets it aside.
func (l *Log) clearUp(line rawLine) error {
	k := l.judge.chain.at.k + 1
	if _, err := ParseRecord(line.text); err == nil {
		line.lf = true
		e := entry{line: line}
		e.parse(false)
		if err := l.accept(&e); err != nil {
			return err
		}
		if _, err := l.disk.WriteAt([]byte{'\n'}, l.size+line.size); err != nil {
			return err
		}
		if err := l.disk.Sync(); err != nil {
			return err
		}
		l.size += line.size + 1
		l.torn = append(l.torn, Torn{K: k})
		return nil
	}
	path, err := l.setAside(line, k)
	if err != nil {
		return err
	}
	// The bytes are safe from here; a crash before the cut sets them aside again,
	// in the same file.
	if err := l.cut(); err != nil {
		return err
	}
	l.torn = append(l.torn, Torn{k, path})
	return nil
}

// setAside writes a torn line to PATH.torn-K, or to PATH.torn-K-2 and so on if
// an earlier crash has left other bytes there.
func (l *Log) setAside(line rawLine, k int64) (string, error) {
	text := bytes.Clone(line.text)
	if line.lf {
		text = append(text, '\n')
	}
	suffix := fmt.Sprintf(".torn-%d", k)
	for n := 2; ; n++ {
		err := durable.WriteFile(l.abs+suffix, text, 0o644, false)
		if err == nil {
			return l.path + suffix, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		if there, err := os.ReadFile(l.abs + suffix); err == nil && bytes.Equal(there, text) {
			return l.path + suffix, nil
		}
		suffix = fmt.Sprintf(".torn-%d-%d", k, n)
	}
}
