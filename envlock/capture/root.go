package capture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// maxRead bounds a file that is read whole. The largest are libc.so.6, at 2 MiB,
// and /proc/cpuinfo, at 1.5 KiB a CPU.
const maxRead = 32 * limits.MiB

// A root is the directory that stands for "/"; "" is "/" itself. Symbolic links
// in it are followed as the system follows them.
type root string

// path returns the real path of an absolute one.
func (r root) path(name string) string {
	return filepath.Join(string(r), filepath.FromSlash(name))
}

// note keeps that something is there and could not be read: a fact that follows from
// it is null. Where the medium failed, or this process may open no more, nobody knows
// what is there, and the first such error ends the capture.
func (m *machine) note(err error) error {
	if err == nil || isAbsent(err) {
		return err
	}
	m.unread++
	if m.failed == nil && regular.Failed(err) {
		m.failed = err
	}
	return err
}

// known calls f, and reports whether it could read all that it looked for.
func (m *machine) known(f func()) bool {
	before := m.unread
	f()
	return m.unread == before
}

// putList sets a fact to what list finds: null if some of it could not be read,
// absent if there is nothing.
func (m *machine) putList(c envlock.Component, fact, sep string, list func() []string) {
	var found []string
	switch {
	case !m.known(func() { found = list() }):
		c[fact] = nil
	case len(found) > 0:
		c[fact] = line(strings.Join(found, sep))
	}
}

// anyExists reports whether one of the files is there.
func (m *machine) anyExists(names []string) bool {
	return slices.ContainsFunc(names, m.exists)
}

func (m *machine) exists(name string) bool {
	_, err := regular.Stat(m.root.path(name))
	return m.note(err) == nil
}

// names returns the names of a directory's entries in order; none if it cannot be read.
func (m *machine) names(dir string) []string {
	entries, err := regular.ReadDir(m.root.path(dir))
	if m.note(err) != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

// read returns the content of a regular file; anything else might block.
func (m *machine) read(name string) ([]byte, error) { return m.view(m.root.path(name)) }

// view is read of a real path.
func (m *machine) view(file string) ([]byte, error) {
	data, err := readView(file)
	return data, m.note(err)
}

func readView(name string) ([]byte, error) {
	f, err := regular.OpenView(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRead+1))
	if err == nil && len(data) > maxRead {
		err = fmt.Errorf("%s: above %d bytes", name, maxRead)
	}
	return data, err
}

// put sets a fact to the one line that a file holds. It is absent if there is no
// such file and null if it cannot be read.
func (m *machine) put(c envlock.Component, fact, name string) {
	data, err := m.read(name)
	switch {
	case err == nil:
		c[fact] = line(string(data))
	case !isAbsent(err):
		c[fact] = nil
	}
}

// isAbsent reports whether err says that there is no such file, rather than that
// it cannot be read.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// digest returns the digest of a file as a fact, null if it cannot be read.
func (m *machine) digest(name string) *string {
	f, err := regular.OpenView(name)
	if m.note(err) != nil {
		return nil
	}
	defer f.Close()
	d, _, err := sign.SumReader(f)
	if m.note(err) != nil {
		return nil
	}
	return text(d.String())
}

func text(s string) *string { return &s }

// line returns s as the value of a fact: one line, white space collapsed. It is
// null if s is no text: not UTF-8, a control character, too long.
func line(s string) *string {
	if !utf8.ValidString(s) {
		return nil
	}
	s = strings.Join(strings.Fields(strings.Trim(s, "\x00")), " ") // the device tree ends texts with NUL
	if len(s) > limits.JSONString || strings.ContainsFunc(s, unicode.IsControl) {
		return nil
	}
	return &s
}
