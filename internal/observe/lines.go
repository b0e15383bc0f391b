package observe

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/trail"
)

// Lines are windows with the places that they stand in, and the places where there is none.
type Lines struct {
	Name    string // of the source
	What    string // of a place: line or event
	Windows []gates.NumberedWindow
	Refused []trail.RefusedLine // the first of them
	Faults  int                 // all
	Cut     bool                // what follows the last one could not be read
}

// ReadLines reads the windows of a file. The error is a [*trail.ReadError].
func ReadLines(name string, r io.Reader) (Lines, error) { return readLines(name, "line", r) }

func readLines(name, what string, r io.Reader) (Lines, error) {
	in := Lines{Name: name, What: what}
	n, err := gates.ReadNumbered(name, r)
	if err != nil {
		return in, &trail.ReadError{Err: err}
	}
	in.Windows, in.Faults, in.Cut = n.Windows, n.Faults, n.Cut
	for _, l := range n.Refused {
		in.Refused = append(in.Refused, trail.RefusedLine{Line: int64(l.Line), Why: l.Text})
	}
	return in, nil
}

// snapshotMetrics are the names in TS.snapshot that are metrics of a window;
// others, such as makespan, are not.
var snapshotMetrics = []string{"score", "delta_rep", "delta_psd", "r_tb", "hb_lag", "drop_rate", "incident_rate"}

// An UnverifiedError says why windows are not taken from a trail.
type UnverifiedError struct{ Text string }

func (e *UnverifiedError) Error() string { return e.Text }

// Trail makes windows of the events of a trail that have details.window
// and TS.snapshot: the former says which time of which release was observed, the
// latter what was measured. The event's digest is the window's evidence. The trail is
// verified; name is what it is called in errors.
func Trail(ctx context.Context, name, file string, keys sign.Verifiers) (Lines, error) {
	f, err := regular.Open(file)
	if err != nil {
		return Lines{}, err
	}
	defer f.Close()
	var fault *finding.Finding
	var lines bytes.Buffer
	var events []int64
	sum, err := audit.Check(regular.UntilDone(ctx, f), audit.CheckOptions{
		Keys: keys, Bare: true,
		Report: func(f finding.Finding) {
			if f.Verdict == finding.Reject && fault == nil {
				fault = &f
			}
		},
		Event: func(r audit.Record) {
			if line := snapshotWindow(r); line != nil {
				lines.Write(append(line, '\n'))
				events = append(events, r.E.K)
			}
		},
	})
	if err != nil {
		return Lines{}, err
	}
	if fault != nil {
		return Lines{}, &UnverifiedError{fmt.Sprintf("%s: %s: %s", name, fault.Code, fault.Text)}
	}
	if sum.Key == nil {
		return Lines{}, &UnverifiedError{name + ": no signature of a trusted key"}
	}
	in, err := readLines(name, "event", &lines)
	for i := range in.Windows {
		in.Windows[i].Line = int(events[in.Windows[i].Line-1])
	}
	for i := range in.Refused {
		if n := in.Refused[i].Line; n >= 1 && n <= int64(len(events)) {
			in.Refused[i].Line = events[n-1]
		}
	}
	return in, err
}

// snapshotWindow returns the window of an event as a line of JSON, nil if it has none.
func snapshotWindow(r audit.Record) []byte {
	var details struct {
		Window map[string]canon.Value `json:"window"`
	}
	if len(r.E.TimeSeries.Snapshot) == 0 || len(r.E.Details) == 0 || canon.Peek(r.E.Details, &details) != nil || details.Window == nil {
		return nil
	}
	w := map[string]any{"id": fmt.Sprintf("%s/%d", r.E.Run.ID, r.E.K), "evidence": r.ID.String()}
	for member, v := range details.Window {
		w[member] = v
	}
	for _, metric := range snapshotMetrics {
		if v, ok := r.E.TimeSeries.Snapshot[metric]; ok {
			w[metric] = v
		}
	}
	line, err := canon.Marshal(w)
	if err != nil {
		return nil
	}
	return line
}
