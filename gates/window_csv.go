package gates

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/limits"
)

// readCSV reads a table whose header is names of members. An empty cell is
// a missing value; NaN is text like any other and stays what it is.
func (r *windowReader) readCSV(in io.Reader) error {
	bounded := &rowReader{r: in}
	table := csv.NewReader(bounded)
	table.FieldsPerRecord = -1 // counted here, so that the fault names its line
	table.TrimLeadingSpace = true
	var header []string
	for !r.full() {
		bounded.n = 0
		row, err := table.Read()
		if err == io.EOF {
			break
		}
		if errors.Is(err, errLongRow) {
			r.line++
			r.report(nil, fmt.Sprintf("is longer than %d bytes", limits.Line), "")
			r.cut = true
			break
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			r.line = syntax.Line
			r.report(nil, "is not CSV: "+syntax.Err.Error(), "")
			r.cut = true
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.file, err)
		}
		r.line, _ = table.FieldPos(0)
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if header == nil {
			header = row
			if r.cut = !r.header(header); r.cut {
				break
			}
			continue
		}
		r.row(header, row)
	}
	return nil
}

// A rowReader ends the reading of a row that is longer than a line may be: package
// csv would take all of it into memory.
type rowReader struct {
	r io.Reader
	n int // bytes since the last row
}

var errLongRow = errors.New("a row is too long")

func (r *rowReader) Read(b []byte) (int, error) {
	if r.n > limits.Line {
		return 0, errLongRow
	}
	n, err := r.r.Read(b)
	r.n += n
	return n, err
}

// header reports what is wrong with the names of the columns: once, not in each line.
func (r *windowReader) header(names []string) bool {
	before := len(r.faults)
	for i, name := range names {
		switch _, known := windowMembers[name]; {
		case !known:
			r.report(document.At(name), "unknown column", document.Suggest(name, windowNames))
		case slices.Contains(names[:i], name):
			r.report(document.At(name), "is there twice", "")
		}
	}
	for _, name := range []string{"id", "channel", "start_ms", "end_ms"} {
		if !slices.Contains(names, name) {
			r.report(document.At(name), "has no column", "the first line names the columns")
		}
	}
	return len(r.faults) == before
}

func (r *windowReader) row(header, row []string) {
	if len(row) != len(header) {
		r.report(nil, fmt.Sprintf("has %d cells, the header has %d", len(row), len(header)), "")
		return
	}
	members := make(map[string]string, len(row))
	for i, name := range header {
		if !utf8.ValidString(row[i]) {
			r.report(document.At(name), "is not valid UTF-8", "")
			return
		}
		members[name] = row[i]
	}
	r.window(members)
}
