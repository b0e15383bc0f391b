package trail

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/escape"
)

// A Sink takes the events of a trail in their order. What it writes may be kept in memory
// until Flush or End.
type Sink interface {
	Event(Event) error
	Flush() error
	End() error // writes what comes after the last event
}

// formats make a sink each.
var formats = []struct {
	name string
	make func(writer) Sink
}{
	{"json", newJSON},
	{"jsonl", func(w writer) Sink { return jsonl{w} }},
	{"csv", newCSV},
	{"none", func(w writer) Sink { return nothing{w} }},
}

// Formats returns the names that [NewSink] takes: json is an array of the trail's lines,
// jsonl is the lines without the first, csv is a row an event, and none is nothing.
func Formats() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// NewSink returns what writes events in a format, nil if there is none of the name.
func NewSink(format string, w io.Writer) Sink {
	for _, f := range formats {
		if f.name == format {
			return f.make(writer{bufio.NewWriter(w)})
		}
	}
	return nil
}

// Copy gives events to a sink and returns how many there were. At an error it stops, and
// the sink is not ended.
func Copy(to Sink, events iter.Seq2[Event, error]) (n int64, err error) {
	for e, err := range events {
		if err == nil {
			err = to.Event(e)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, to.End()
}

// writer is what the sinks have in common.
type writer struct{ *bufio.Writer }

func (w writer) End() error { return w.Flush() }

type nothing struct{ writer }

func (nothing) Event(Event) error { return nil }

type jsonl struct{ writer }

func (x jsonl) Event(e Event) error {
	x.Write(e.Line)
	return x.WriteByte('\n')
}

// A jsonArray is an array, one event a line.
type jsonArray struct {
	writer
	some bool
}

func newJSON(w writer) Sink {
	w.WriteByte('[')
	return &jsonArray{writer: w}
}

func (x *jsonArray) Event(e Event) error {
	if x.some {
		x.WriteByte(',')
	}
	x.some = true
	x.WriteByte('\n')
	_, err := x.Write(e.Line)
	return err
}

func (x *jsonArray) End() error {
	x.WriteString("\n]\n")
	return x.Flush()
}

// NewText returns a sink that writes events for people, one a line of at most 80
// characters, the narrowest terminal in use.
func NewText(w io.Writer) Sink { return text{writer{bufio.NewWriter(w)}} }

type text struct{ writer }

func (x text) Event(e Event) error {
	_, err := x.WriteString(row(e) + "\n")
	return err
}

const rowWidth = 80

// row says an event in one line. What is cut off ends in a mark; an event that the key does
// not vouch for begins with one.
func row(e Event) string {
	mark := " "
	if e.Doubtful {
		mark = "!"
	}
	row := fmt.Sprintf("%s%5d %s %-10s %-11s ", mark, e.E.K, e.E.TS.Format("2006-01-02T15:04:05Z"),
		escape.Clip(escape.Line(e.E.Actor.String()), 10), escape.Clip(e.E.Action, 11))
	return strings.TrimRight(row+escape.Clip(saying(&e.E), rowWidth-len([]rune(row))), " ")
}

// saying is what an event says beyond who and what: build failed: exit status 1.
func saying(e *audit.Event) string {
	var words []string
	for _, w := range []string{escape.Line(e.Path.String()), e.Status} {
		if w != "" {
			words = append(words, w)
		}
	}
	text := strings.Join(words, " ")
	if more := escape.Line(cmp.Or(e.Error.String(), e.Notes.String())); more != "" && text != "" {
		text += ": " + more
	} else {
		text += more
	}
	return text
}
