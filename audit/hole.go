package audit

import (
	"bytes"
	"io"
)

// holed reports whether a line that others follow looks like what a crash of the
// machine leaves of a batch: its pages reach the disk in any order, and one that
// did not reads as zeros. No line that was ever written has a zero byte.
func (l rawLine) holed() bool { return bytes.IndexByte(l.text, 0) >= 0 }

// clearUpBatch sets aside everything from a line with a hole to the end, if that
// is no more than a batch writes at once: had it been acknowledged, all of it
// would have been on disk. It returns false if it is more. Then the damage has
// another cause, and events that somebody relies on come after it.
func (l *Log) clearUpBatch(size int64) (bool, error) {
	if size-l.size > maxWrite {
		return false, nil
	}
	tail, err := io.ReadAll(io.NewSectionReader(l.disk, l.size, size-l.size))
	if err != nil {
		return false, err
	}
	k := l.judge.chain.at.k + 1
	path, err := l.setAside(rawLine{text: tail}, k)
	if err != nil {
		return false, err
	}
	// The bytes are safe from here, as in clearUp.
	if err := l.cut(); err != nil {
		return false, err
	}
	l.torn = append(l.torn, Torn{k, path})
	return true, nil
}
