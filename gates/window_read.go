package gates

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/limits"
)

// A Format is how a file of windows is written.
type Format string

const (
	JSONL Format = "jsonl" // one JSON object a line
	CSV   Format = "csv"   // RFC 4180, the first line names the columns
)

// Formats are all of them.
var Formats = []Format{JSONL, CSV}

// ReadWindows reads windows that other programs wrote to a file: JSON, one object a
// line, if the file starts with a brace, else CSV. file is the name that faults
// carry; the error holds all of them, each with line and member.
//
// Such a file may leave out metrics, seq, release and schema, and may write
// numbers as numbers. A member that is no member of a window is a fault all the same:
// it may be a metric's name with a slip in it, and a metric that is missing
// by mistake decides as much as one that is missing.
func ReadWindows(file string, r io.Reader) ([]Window, error) {
	all := &windowReader{file: file}
	return all.result(all.read(withoutMark(r)))
}

// ReadWindowsAs is [ReadWindows] of a file whose format is known.
func ReadWindowsAs(format Format, file string, r io.Reader) ([]Window, error) {
	all, in := &windowReader{file: file}, withoutMark(r)
	switch format {
	case JSONL:
		return all.result(all.readJSONL(in))
	case CSV:
		return all.result(all.readCSV(in))
	}
	return nil, fmt.Errorf("want jsonl or csv, got %s", document.Quote(string(format)))
}

// A NumberedWindow is a window and the line that it stands in, from 1.
type NumberedWindow struct {
	Line   int
	Window Window
}

// A RefusedLine is a line that is no window, and why.
type RefusedLine struct {
	Line int // from 1
	Text string
}

// Numbered are the windows of a file that also has lines that are none.
type Numbered struct {
	Windows []NumberedWindow
	Refused []RefusedLine // the first hundred, in order
	Faults  int           // all of them
	Cut     bool          // the rest of the file could not be told from a line that is none
}

// ReadNumbered is [ReadWindows] for those who go on after a line that is no window. The
// error is of reading.
func ReadNumbered(file string, r io.Reader) (Numbered, error) {
	all := &windowReader{file: file, goesOn: true}
	if err := all.read(withoutMark(r)); err != nil {
		return Numbered{}, err
	}
	all.err() // puts them in order
	n := Numbered{Faults: len(all.faults) + all.more, Cut: all.cut}
	for i, w := range all.out {
		n.Windows = append(n.Windows, NumberedWindow{all.lines[i], w})
	}
	for _, f := range all.faults {
		line := f.Line
		f.File, f.Line = "", 0
		n.Refused = append(n.Refused, RefusedLine{line, f.String()})
	}
	return n, nil
}

func (r *windowReader) read(in *bufio.Reader) error {
	for {
		c, err := in.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.file, err)
		}
		if c == ' ' || c == '\t' {
			continue // a blank line counts, so line breaks stay
		}
		in.UnreadByte()
		if c == '{' || c == '[' || c == '\n' || c == '\r' {
			return r.readJSONL(in)
		}
		return r.readCSV(in)
	}
}

func withoutMark(r io.Reader) *bufio.Reader {
	in := bufio.NewReader(r)
	if head, err := in.Peek(len(byteOrderMark)); err == nil && bytes.Equal(head, byteOrderMark) {
		in.Discard(len(byteOrderMark))
	}
	return in
}

// byteOrderMark is what spreadsheets put before a CSV.
var byteOrderMark = []byte("\ufeff")

// maxFaults ends the reading of a file that is something else; who goes on all the same
// keeps as many.
const maxFaults = 100

// A windowReader collects windows and faults of one file.
type windowReader struct {
	file   string
	line   int
	out    []Window
	lines  []int // of out
	faults document.Faults

	goesOn bool // after maxFaults
	more   int  // faults that were not kept
	cut    bool // a fault ended the reading
}

// report adds a fault at the current line; it is a document.Reporter.
func (r *windowReader) report(at document.Path, text, hint string) {
	if r.goesOn && len(r.faults) >= maxFaults {
		r.more++
		return
	}
	r.faults = append(r.faults, document.Fault{File: r.file, Line: r.line, Member: at.String(), Text: text, Hint: hint})
}

func (r *windowReader) full() bool { return !r.goesOn && len(r.faults) >= maxFaults }

// err returns all faults, nil if there are none.
func (r *windowReader) err() error {
	if r.full() {
		r.report(nil, fmt.Sprintf("%d faults; the rest of the file was not read", len(r.faults)), "")
	}
	slices.SortStableFunc(r.faults, func(a, b document.Fault) int { return cmp.Compare(a.Line, b.Line) })
	return r.faults.Err()
}

// result is what was read: whole or nothing.
func (r *windowReader) result(err error) ([]Window, error) {
	if err == nil {
		err = r.err()
	}
	if err != nil {
		return nil, err
	}
	return r.out, nil
}

// window makes a window of members by name; an empty text is a member that is not set.
func (r *windowReader) window(members map[string]string) {
	if w, ok := makeWindow(members, r.report); ok {
		r.out, r.lines = append(r.out, w), append(r.lines, r.line)
	}
}

// makeWindow reports at most one fault a member: the first says what to do.
func makeWindow(members map[string]string, report document.Reporter) (Window, bool) {
	faulty := map[any]bool{}
	fault := func(at document.Path, text, hint string) {
		if !faulty[at[0]] {
			report(at, text, hint)
		}
		faulty[at[0]] = true
	}
	w := Window{Schema: WindowSchema}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		member, known := windowMembers[name]
		if !known {
			fault(document.At(name), "unknown member", document.Suggest(name, windowNames))
		} else if members[name] != "" {
			if err := member(&w, members[name]); err != nil {
				fault(document.At(name), err.Error(), "")
			}
		}
	}
	for _, name := range []string{"id", "channel", "start_ms", "end_ms"} {
		if members[name] == "" {
			fault(document.At(name), "is missing", "")
		}
	}
	w.check(fault)
	return w, len(faulty) == 0
}

// windowMembers sets a member from what is written, by its name.
var windowMembers = func() map[string]func(*Window, string) error {
	m := map[string]func(*Window, string) error{}
	for _, metric := range metrics {
		m[metric.name] = func(w *Window, s string) error { *metric.of(w) = Value(s); return nil }
	}
	for name, of := range textMembers {
		m[name] = func(w *Window, s string) error { *of(w) = s; return nil }
	}
	for name, set := range intMembers {
		m[name] = func(w *Window, s string) error {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil || n > limits.JSONInt || n < -limits.JSONInt {
				return fmt.Errorf("want an integer, got %s", document.Quote(s))
			}
			set(w, n)
			return nil
		}
	}
	m["evidence"] = func(w *Window, s string) error { return w.Evidence.UnmarshalText([]byte(s)) }
	return m
}()

var windowNames = slices.Sorted(maps.Keys(windowMembers))
