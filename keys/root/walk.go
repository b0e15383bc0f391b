package root

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// FileName returns the name of a version's file.
func FileName(version int64) string { return strconv.FormatInt(version, 10) + ".root.json" }

// VersionOf returns the version that the last element of a path names.
func VersionOf(name string) (int64, bool) {
	digits, ok := strings.CutSuffix(path.Base(name), ".root.json")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, ok && err == nil && n >= 1 && n <= MaxVersion && strconv.FormatInt(n, 10) == digits
}

// Offer gives the chain the file of a version for its walks; it is judged there.
func (c *Chain) Offer(version int64, data []byte) {
	if c.offered == nil {
		c.offered = map[int64][]byte{}
	}
	c.offered[version] = data
}

// Walk goes as far as the offered versions and copies lead and returns who may sign
// in the end; c stays as it is. Copies are named by their paths, sig/root/N.root.json,
// and need no trust: those of versions before the pinned one are not looked at. What
// is wrong with a version is one finding, and the walk ends there; where only the way
// to it is missing, it is UNDECIDABLE.
func (c *Chain) Walk(copies map[string][]byte) (sign.Authority, []finding.Finding) {
	w := walk{&Chain{roots: slices.Clone(c.roots)}}
	steps := map[int64][]step{}
	for version, data := range c.offered {
		steps[version] = append(steps[version], step{"", version, data})
	}
	for _, name := range slices.Sorted(maps.Keys(copies)) {
		if version, ok := VersionOf(name); ok {
			steps[version] = append(steps[version], step{name, version, copies[name]})
		}
	}
	for _, version := range slices.Sorted(maps.Keys(steps)) {
		for _, s := range steps[version] {
			if f := w.take(s); f != nil {
				return w.chain, []finding.Finding{*f}
			}
		}
	}
	return w.chain, nil
}

// Learn takes those of the copies that follow into the chain, which it changes; they are
// named as in [Chain.Walk] and need no trust. What does not follow is left to the walk over
// the bundle that brings it. Of a version that the chain has otherwise, and that counts as
// well, every later walk says that the root has forked. Learn reports whether a copy is of
// a version to which the way is missing, whatever that holds: others may bring it.
func (c *Chain) Learn(copies map[string][]byte) (missing bool) {
	versions := map[int64][]byte{}
	for name, data := range copies {
		if version, ok := VersionOf(name); ok {
			versions[version] = data
		}
	}
	for _, version := range slices.Sorted(maps.Keys(versions)) {
		_, last := c.Versions()
		if version > last+1 {
			return true // and not looked into: a bundle may bring thousands that nobody signed
		}
		data := versions[version]
		r, err := Parse(data)
		switch {
		case err != nil, r.Version() != version:
		case version == last+1:
			_ = c.Add(data)
		case c.forks(r):
			c.Offer(version, data)
		}
	}
	return false
}

// forks reports whether r is another version than the chain's own of that number, and may
// follow as well.
func (c *Chain) forks(r *Root) bool {
	own, ok := c.At(r.Version())
	prev, after := c.At(r.Version() - 1)
	return ok && after && own.hash != r.hash && follows(&prev.file.Signed, &r.file.Signed) == nil && complete(prev, r) == nil
}

type step struct {
	path    string
	version int64
	data    []byte
}

type walk struct{ chain *Chain }

func (w walk) take(s step) *finding.Finding {
	first, last := w.chain.Versions()
	switch {
	case s.version < first:
		return nil
	case s.version > last+1:
		f := finding.New(finding.Root, s.path, fmt.Sprintf("there is version %d of the root; the way to it, version %d, is missing",
			s.version, last+1)).As(finding.Undecidable)
		return &f
	}
	r, err := Parse(s.data)
	if err == nil && r.Version() != s.version { // and so it is not taken either
		err = &Error{r.Version(), fmt.Errorf("its file says that it is version %d", s.version)}
	}
	if err == nil {
		err = w.chain.Add(s.data)
	}
	if err == nil {
		return nil
	}
	code := finding.Root
	var e *Error
	if errors.As(err, &e) {
		code = e.FindingCode()
	}
	f := finding.New(code, s.path, err.Error())
	return &f
}
