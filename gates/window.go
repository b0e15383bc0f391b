package gates

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// WindowSchema names the format of a window.
const WindowSchema = "relseal/window/v1"

// The channels of a release, in the order of its way up.
const (
	Canary = "canary"
	Stable = "stable"
	LTS    = "LTS"
)

// Channels are all of them.
var Channels = []string{Canary, Stable, LTS}

// Above is the next channel, "" after LTS.
func Above(channel string) string { return map[string]string{Canary: Stable, Stable: LTS}[channel] }

// A Window is what was measured of one release on one channel during
// [StartMS, EndMS). Times are integer milliseconds since 1970, UTC.
//
// In its canonical form, as a ledger records it, each metric is text or null. Two
// windows are byte-identical iff they are ==.
type Window struct {
	Schema  string `json:"schema"`
	ID      string `json:"id"`
	Channel string `json:"channel"`
	StartMS int64  `json:"start_ms"`
	EndMS   int64  `json:"end_ms"`

	Score        Value `json:"score"`
	DeltaRep     Value `json:"delta_rep"` // upper bound, or point estimate where the policy says so
	DeltaPSD     Value `json:"delta_psd"` // likewise
	RTB          Value `json:"r_tb"`      // in the unit of the policy's tau_tb
	HBLag        Value `json:"hb_lag"`    // s
	DropRate     Value `json:"drop_rate"` // ratio
	IncidentRate Value `json:"incident_rate"`

	// A ledger needs these two; a file of windows may go without.
	Seq     int64  `json:"seq,omitzero"`     // from 1, without holes for one release
	Release string `json:"release,omitzero"` // bundle.id of what was observed

	N          Int         `json:"n,omitzero"`            // events counted, and
	K          Int         `json:"k,omitzero"`            // how many of them were harmful
	LastBeatMS Int         `json:"last_beat_ms,omitzero"` // when the last heartbeat came; it can trigger a rollback where hb_lag has no value
	PSDKind    string      `json:"psd_kind,omitzero"`     // of delta_psd; compared with the policy's
	TBKind     string      `json:"tb_kind,omitzero"`      // of r_tb
	TBUnit     string      `json:"tb_unit,omitzero"`      // of r_tb
	Evidence   sign.Digest `json:"evidence,omitzero"`     // of the raw samples behind the values
}

// A metric is one of the measured values, by its name in a document.
type metric struct {
	name string
	of   func(*Window) *Value
}

var (
	metricScore    = &metric{"score", func(w *Window) *Value { return &w.Score }}
	metricDeltaRep = &metric{"delta_rep", func(w *Window) *Value { return &w.DeltaRep }}
	metricDeltaPSD = &metric{"delta_psd", func(w *Window) *Value { return &w.DeltaPSD }}
	metricRTB      = &metric{"r_tb", func(w *Window) *Value { return &w.RTB }}
	metricHBLag    = &metric{"hb_lag", func(w *Window) *Value { return &w.HBLag }}
	metricDropRate = &metric{"drop_rate", func(w *Window) *Value { return &w.DropRate }}
	metricIncident = &metric{"incident_rate", func(w *Window) *Value { return &w.IncidentRate }}

	// metrics is the fixed order in which reasons name them.
	metrics = []*metric{metricScore, metricDeltaRep, metricDeltaPSD, metricRTB, metricHBLag, metricDropRate, metricIncident}
)

// textMembers are the texts of a window that are neither metric nor digest, by their names.
var textMembers = map[string]func(*Window) *string{
	"schema":   func(w *Window) *string { return &w.Schema },
	"id":       func(w *Window) *string { return &w.ID },
	"channel":  func(w *Window) *string { return &w.Channel },
	"release":  func(w *Window) *string { return &w.Release },
	"psd_kind": func(w *Window) *string { return &w.PSDKind },
	"tb_kind":  func(w *Window) *string { return &w.TBKind },
	"tb_unit":  func(w *Window) *string { return &w.TBUnit },
}

// intMembers set the integers of a window, by their names.
var intMembers = map[string]func(*Window, int64){
	"start_ms":     func(w *Window, n int64) { w.StartMS = n },
	"end_ms":       func(w *Window, n int64) { w.EndMS = n },
	"seq":          func(w *Window, n int64) { w.Seq = n },
	"n":            func(w *Window, n int64) { w.N = Some(n) },
	"k":            func(w *Window, n int64) { w.K = Some(n) },
	"last_beat_ms": func(w *Window, n int64) { w.LastBeatMS = Some(n) },
}

// ParseWindow reads the canonical form of a window as a ledger records it: with
// seq and with the bundle.id of the release.
func ParseWindow(canonical []byte) (Window, error) {
	w, plain := scanWindow(canonical)
	if !plain {
		w = Window{}
		if err := document.Unmarshal(canonical, WindowSchema, &w); err != nil {
			return Window{}, err
		}
	}
	return w.recorded()
}

// recorded returns w if a ledger may have recorded it.
func (w Window) recorded() (Window, error) {
	var faults document.Faults
	w.check(faults.Report)
	if w.Seq == 0 {
		faults.Report(document.At("seq"), "is missing", "")
	}
	if _, err := sign.ParseDigest(w.Release); err != nil {
		faults.Report(document.At("release"), "want a bundle.id; "+err.Error(), "")
	}
	if err := faults.Err(); err != nil {
		return Window{}, err
	}
	return w, nil
}

// Marshal returns the canonical form of w, or what Check says is wrong with it.
func (w Window) Marshal() ([]byte, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	return canon.Marshal(w)
}

// Check returns nil if w can be recorded, else all faults, one a line. Whether
// anything follows from it is for Decide to say: a window without values, or one
// that ends before it starts, is recorded like any other.
func (w Window) Check() error {
	var faults document.Faults
	w.check(faults.Report)
	return faults.Err()
}

const maxName = limits.Name

func (w *Window) check(report document.Reporter) {
	c := checker{report}
	if w.Schema != WindowSchema {
		report(document.At("schema"), fmt.Sprintf("want %s, got %s", WindowSchema, document.Quote(w.Schema)), "")
	}
	if w.ID == "" {
		report(document.At("id"), "is missing", "")
	}
	c.name(w.ID, "id")
	c.name(w.Release, "release")
	c.word(w.Channel, Channels, "channel")
	c.time(w.StartMS, 0, "start_ms")
	c.time(w.EndMS, 0, "end_ms")
	for _, m := range metrics {
		if v := *m.of(w); !utf8.ValidString(string(v)) || len(v) > limits.Value {
			report(document.At(m.name), fmt.Sprintf("is not text of at most %d bytes in UTF-8", limits.Value), "")
		}
	}
	if w.Seq < 0 || w.Seq > limits.JSONInt {
		report(document.At("seq"), fmt.Sprintf("must count from 1, got %d", w.Seq), "")
	}
	if w.N.set != w.K.set || w.K.n < 0 || w.K.n > w.N.n || w.N.n > limits.JSONInt {
		report(document.At("k"), "n and k go together, with 0 <= k <= n", "")
	}
	c.time(w.LastBeatMS.n, 0, "last_beat_ms")
	for _, k := range []struct {
		got, name string
		known     []string
	}{{w.PSDKind, "psd_kind", psdKinds}, {w.TBKind, "tb_kind", tbKinds}, {w.TBUnit, "tb_unit", tbUnitWords}} {
		if k.got != "" {
			c.word(k.got, k.known, k.name)
		}
	}
}

var tbUnitWords = slices.Concat(tbUnits, []string{"1"})

func (c checker) name(s, at string) {
	if !canon.Printable(s) || len(s) > maxName {
		c.report(document.At(at), fmt.Sprintf("is not text of at most %d characters within U+0020 to U+007E", maxName), "")
	}
}
