package release

import (
	"bytes"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// snapshotMetrics are the names in TS.snapshot that are metrics of a window;
// others, such as makespan, are not.
var snapshotMetrics = []string{"score", "delta_rep", "delta_psd", "r_tb", "hb_lag", "drop_rate", "incident_rate"}

// readTrailWindows makes windows of the events of a trail that have details.window
// and TS.snapshot: the former says which time of which release was observed, the
// latter what was measured. The event's digest is the window's evidence.
func readTrailWindows(c *cli.Context, keys sign.Verifiers) (windowInput, error) {
	name := c.String("from-trail")
	file, err := ui.TrailFile(name)
	if err != nil {
		return windowInput{}, err
	}
	f, err := regular.Open(file)
	if err != nil {
		return windowInput{}, err
	}
	defer f.Close()
	var fault *finding.Finding
	var lines bytes.Buffer
	var events []int64
	sum, err := audit.Check(regular.UntilDone(c.Context, f), audit.CheckOptions{
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
		return windowInput{}, err
	}
	if fault != nil || sum.Key == nil {
		text := "no signature of a trusted key"
		if fault != nil {
			text = fmt.Sprintf("%s: %s", fault.Code, fault.Text)
		}
		return windowInput{}, &ui.Error{Code: ui.ExitNoInput, Err: fmt.Errorf("%s: %s", name, text), Hint: "relseal trail verify says what is wrong; --trust names the key that signs it"}
	}
	in, err := newWindowInput(name, "event", &lines)
	for i := range in.windows {
		in.windows[i].Line = int(events[in.windows[i].Line-1])
	}
	for i := range in.refused {
		if n := in.refused[i].Line; n >= 1 && n <= int64(len(events)) {
			in.refused[i].Line = events[n-1]
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
