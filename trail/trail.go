// Package trail reads and writes trails as people use them. A [Source] yields the events
// of a trail, forwards, backwards or as they come, those that a [Filter] wants; a [Sink]
// takes them: as text, JSON, JSON lines, CSV or counts. A [Run] is a run directory to
// which events are appended, one by one or from a stream, and [Judge] answers whether a
// trail that is in no bundle is in order. The chain itself is package audit's.
package trail

import (
	"os"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
)

// File returns the trail that arg names: arg itself, or the trail of the run directory
// that it is.
func File(arg string) (string, error) {
	info, err := os.Stat(arg)
	if err != nil || !info.IsDir() {
		return arg, err
	}
	file := filepath.Join(arg, filepath.FromSlash(bundle.TrailPath))
	_, err = os.Stat(file)
	return file, err
}

// An Event is an event and the line that it was read from, valid until the next one.
type Event struct {
	audit.Record
	Line     []byte // without its LF; nil where the reading is brief
	Doubtful bool   // it was checked, and the key does not vouch for it
}
