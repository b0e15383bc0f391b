package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// Torn is what a crash left of an append: a last line that is not whole, or a hole. The
// event was never acknowledged.
type Torn struct {
	K    int64  // the number that the event has or would have had
	Path string // where the bytes were moved: PATH.torn-K; "" if the event was kept
}

// Torn returns what this log has cleared up, in Open or before an append when
// another process had crashed.
//
// A line that lacks nothing but its LF is completed and stays, because it is signed and
// there must be no second signed event of the same number. Anything else is copied to a
// file beside the trail and cut off.
func (l *Log) Torn() []Torn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.torn)
}

// block is the smallest unit that a disk writes. What did not reach the disk when the
// machine crashed is missing from a multiple of it on.
const block = 512

// hasZero reports whether a line has a zero byte, which no log writes.
func (l rawLine) hasZero() bool { return bytes.IndexByte(l.text, 0) >= 0 }

// A tail is what the file has behind the last whole line.
type tail struct {
	text  []byte // without the zeros at its end
	zeros int64
	at    int64 // where text begins in the trail
}

// fault returns "" if the tail is what a crash of the program or the machine leaves of an
// append. That is the beginning of a line and, if the rest of it did not reach the disk,
// zeros up to the end of the file. The zeros begin right behind the last acknowledged
// line or at the start of a block after it. Otherwise fault says what is wrong: the tail
// was not left by an append then, and may be part of events that somebody relies on.
func (t tail) fault() string {
	switch {
	case bytes.IndexByte(t.text, 0) >= 0:
		return "zero bytes with others after them: not what a crash leaves"
	case t.zeros > 0 && len(t.text) > 0 && (t.at+int64(len(t.text)))%block != 0:
		return "zero bytes from the middle of a block: not what a crash leaves"
	case !startsLine(t.text):
		return "the trail ends in what is not the beginning of a line"
	}
	return ""
}

// startsLine reports whether text may be the beginning of a line.
func startsLine(text []byte) bool {
	const start, hash, mid = `{"H_k":"sha256:`, digestLen - len("sha256:"), `","e":{`
	n := min(len(text), len(start))
	if string(text[:n]) != start[:n] {
		return false
	}
	rest := text[n:]
	n = min(len(rest), hash)
	for _, c := range rest[:n] {
		if nibble[c] > 0xf {
			return false
		}
	}
	rest = rest[n:]
	n = min(len(rest), len(mid))
	if string(rest[:n]) != mid[:n] {
		return false
	}
	for _, c := range text {
		if c < ' ' {
			return false
		}
	}
	end := canon.Prefix(text, 1)
	return end == 0 || end == len(text)
}

// readTail reads what stands behind the last whole line of a file of size bytes.
func (l *Log) readTail(size int64) (tail, error) {
	t := tail{at: l.size}
	if size-l.size > maxWrite+limits.Line {
		return t, l.refuse("more than an append writes stands behind the last whole line")
	}
	var err error
	if t.text, err = io.ReadAll(l.section(l.size, size)); err != nil {
		return t, err
	}
	text := bytes.TrimRight(t.text, "\x00")
	t.text, t.zeros = text, int64(len(t.text)-len(text))
	return t, nil
}

// refuse returns the error for a trail whose tail must not be cleared up.
func (l *Log) refuse(why string) error {
	return &DamagedError{l.path, finding.New(finding.Format, "", why).At(l.judge.chain.at.k + 1)}
}

// clearTail completes the last line if it lacks only its LF, or else moves to a file what
// a crash has left of an append.
func (l *Log) clearTail(size int64) error {
	// Another log may have appended events and written its state since this one read it.
	known, err := l.loadState(l.judge.h0)
	if err != nil {
		return err
	}
	if known != nil && l.acknowledged == nil && known.Size >= l.size {
		l.acknowledged = known
		if err := l.checkAcknowledged(); err != nil {
			return err
		}
	}
	if err := l.checkComplete(); err != nil {
		return err
	}
	if l.missing != nil {
		return l.refuse("what was acknowledged is damaged")
	}
	t, err := l.readTail(size)
	if err != nil {
		return err
	}
	if why := t.fault(); why != "" {
		return l.refuse(why)
	}
	k := l.judge.chain.at.k + 1
	if _, err := ParseRecord(t.text); err == nil {
		return l.complete(t, k)
	}
	if known == nil && bytes.Contains(t.text, closeMember) {
		l.tornClose = true
		return l.refuse("the trail ends in the middle of a " + ActionTrailClose + ", and nothing shows that it was not acknowledged")
	}
	if err := l.acceptable(); err != nil {
		return err
	}
	path, err := l.setAside(l.size, size, k)
	if err != nil {
		return err
	}
	// The bytes are safe from here. After a crash before the cut, the next log finds the
	// same bytes and the file that already has them.
	if err := l.cut(); err != nil {
		return err
	}
	l.torn = append(l.torn, Torn{k, path})
	return nil
}

// closeMember stands in the line of trail.close, and in no other except within details.
var closeMember = []byte(`"action":"` + ActionTrailClose + `"`)

// complete gives the last line its LF. The line is signed, so it has to stay: there must
// be no second signed event of the same number.
func (l *Log) complete(t tail, k int64) error {
	e := entry{line: rawLine{text: t.text, size: int64(len(t.text)), lf: true, last: true}}
	e.parse(false)
	end := t.at + e.line.size
	if err := l.accept(&e); err != nil {
		return err
	}
	if err := l.acceptable(); err != nil {
		return err
	}
	if _, err := l.disk.WriteAt([]byte{'\n'}, end); err != nil {
		return err
	}
	if t.zeros > 1 {
		if err := l.disk.Truncate(end + 1); err != nil {
			return err
		}
	}
	if err := l.disk.Sync(); err != nil {
		return err
	}
	l.torn = append(l.torn, Torn{K: k})
	return nil
}

// setAside writes the bytes from one to another to PATH.torn-K, or to PATH.torn-K-2 and
// so on if an earlier crash has left other bytes there.
func (l *Log) setAside(start, end int64, k int64) (string, error) {
	suffix := fmt.Sprintf(".torn-%d", k)
	for n := 2; ; n++ {
		err := l.copyRange(l.abs+suffix, start, end)
		if err == nil {
			return l.path + suffix, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		if same, err := l.sameBytes(l.abs+suffix, start, end); same || err != nil {
			return l.path + suffix, err
		}
		suffix = fmt.Sprintf(".torn-%d-%d", k, n)
	}
}

// asideOf returns the file to which the bytes of a were moved, "" if there is none that
// has them, or if the trail has from l.size up to size anything else than they have from
// one byte on.
func (l *Log) asideOf(a Aside, from, size int64) string {
	suffix := fmt.Sprintf(".torn-%d", l.judge.chain.at.k)
	for n := 2; ; n++ {
		f, err := regular.OpenSelf(l.abs + suffix)
		if err != nil {
			return ""
		}
		all, _, err := sign.SumReader(f)
		if err == nil && all == a.Digest {
			there, _, err := sign.SumReader(io.NewSectionReader(f, from, size-l.size))
			f.Close()
			here, _, e := sign.SumReader(l.section(l.size, size))
			if err != nil || e != nil || there != here {
				return ""
			}
			return l.path + suffix
		}
		f.Close()
		suffix = fmt.Sprintf(".torn-%d-%d", l.judge.chain.at.k, n)
	}
}

func (l *Log) copyRange(path string, start, end int64) error {
	f, err := durable.Create(path, 0o644, false)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := io.Copy(f, l.section(start, end)); err != nil {
		return err
	}
	return f.Commit()
}

// sameBytes reports whether a file holds the bytes of the trail from one to another.
func (l *Log) sameBytes(path string, start, end int64) (bool, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != end-start {
		return false, nil
	}
	f, err := regular.OpenSelf(path)
	if err != nil {
		return false, nil
	}
	defer f.Close()
	there, _, err := sign.SumReader(f)
	if err != nil {
		return false, nil
	}
	here, _, err := sign.SumReader(l.section(start, end))
	return there == here, err
}
