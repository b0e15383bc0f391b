// Package observe says where windows come from: files, the ledger of a product, and other
// trails.
package observe

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
)

// Windows are what a source has, by what they are of. Of a ledger it is known besides what
// became of their releases.
type Windows struct {
	Name string // of the source

	of     map[Of]*gates.Windows // in the order of the source
	ledger *ledger.State         // what it says of policies and bundles, if the source is one
	sealed map[string]int64      // when a bundle came to its channel
	moved  map[string][]string   // that a bundle went up, or was taken back for good
	ahead  map[string]int64      // by how many ms a window of a bundle ends after its event, at most
	latest int64                 // the time of the last event that was read
}

// Of is what windows are of.
type Of struct{ Channel, Release string }

// Read reads the windows of a file, as its format says; "" tells that by its first
// character. An error names the file.
func Read(name string, format gates.Format, r io.Reader) (*Windows, error) {
	s := &Windows{Name: name, of: map[Of]*gates.Windows{}}
	var ws []gates.Window
	var err error
	if format == "" {
		ws, err = gates.ReadWindows(name, r)
	} else {
		ws, err = gates.ReadWindowsAs(format, name, r)
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path // it names the file itself
	}
	for _, w := range ws {
		s.add(0, w)
	}
	return s, err
}

// add takes in a window and its event, and reports whether it is the first of its release.
func (s *Windows) add(k int64, w gates.Window) (first bool) {
	of := Of{w.Channel, w.Release}
	ws := s.of[of]
	if first = ws == nil; first {
		ws = gates.NewWindows(w.Release, w.Channel)
		s.of[of] = ws
	}
	ws.Add(k, &w)
	return first
}

// All returns the windows that are of what pick wants, those of one release in their order.
func (s *Windows) All(pick func(Of) bool) (all []gates.Window) {
	order := func(a, b Of) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Release, b.Release))
	}
	for _, of := range slices.SortedFunc(maps.Keys(s.of), order) {
		if pick(of) {
			all = slices.AppendSeq(all, s.of[of].All())
		}
	}
	return all
}

// Releases returns the releases that windows of a channel name, in order; "" for
// none.
func (s *Windows) Releases(channel string) []string {
	var ids []string
	for of := range s.of {
		if of.Channel == channel {
			ids = append(ids, of.Release)
		}
	}
	slices.Sort(ids)
	return ids
}

// Of returns the windows of a release on a channel.
func (s *Windows) Of(channel, release string) *gates.Windows {
	if ws := s.of[Of{channel, release}]; ws != nil {
		return ws
	}
	return gates.NewWindows(release, channel)
}

// Counts returns how many windows there are of what.
func (s *Windows) Counts() map[Of]int {
	n := map[Of]int{}
	for of, ws := range s.of {
		n[of] += ws.Len()
	}
	return n
}
