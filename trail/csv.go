package trail

import (
	"strconv"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/escape"
)

// csvRows is a header and a row an event: RFC 4180, every cell in
// quotes, lines ending in CRLF.
//
// What a spreadsheet would take for a formula gets an apostrophe, as escape.Cell says.
type csvRows struct{ writer }

var csvColumns = []string{
	"k", "ts", "actor", "action", "path", "status", "error", "notes",
	"inputs.hash", "inputs.items", "outputs.hash", "outputs.items", "TS.snapshot", "details",
	"run.id", "code.hash", "rng.seed", "clock", "tau_mono_us", "id_k", "H_k",
}

func newCSV(w writer) Sink {
	x := csvRows{w}
	x.row(csvColumns)
	return x
}

func (x csvRows) Event(e Event) error {
	v := &e.E
	var documents []string // with the cells that are JSON, in the order of the columns
	for _, d := range []any{v.Inputs.Items, v.Outputs.Items, v.TimeSeries.Snapshot} {
		data, err := canon.Marshal(d)
		if err != nil {
			return err
		}
		if s := string(data); s != "[]" && s != "{}" {
			documents = append(documents, escape.JSONText(s))
		} else {
			documents = append(documents, "")
		}
	}
	code, seed := "", ""
	if v.Code.Hash != nil {
		code = v.Code.Hash.String()
	}
	if v.RNG.Seed != nil {
		seed = *v.RNG.Seed
	}
	return x.row([]string{
		strconv.FormatInt(v.K, 10), v.TS.String(), v.Actor.String(), v.Action, v.Path.String(), v.Status, v.Error.String(), v.Notes.String(),
		v.Inputs.Hash.String(), documents[0], v.Outputs.Hash.String(), documents[1], documents[2], escape.JSONText(string(v.Details)),
		v.Run.ID, code, seed, v.Clock, strconv.FormatInt(v.TauMonoUS, 10), e.ID.String(), e.H.String(),
	})
}

func (x csvRows) row(cells []string) error {
	for i, c := range cells {
		if i > 0 {
			x.WriteByte(',')
		}
		x.WriteByte('"')
		x.WriteString(strings.ReplaceAll(escape.Cell(c), `"`, `""`))
		x.WriteByte('"')
	}
	_, err := x.WriteString("\r\n")
	return err
}
