package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Fault is one thing that is wrong with a document. File is empty and Line 0
// where the document is canonical JSON; Member is empty where the fault is not
// about one. Hint is what to do about it, or empty.
type Fault struct {
	File   string
	Line   int // from 1
	Member string
	Text   string
	Hint   string

	At Path // leads to Member; nil where that is known as text alone
}

// String returns `file:line: member: text (hint)` without the parts that are empty.
func (f Fault) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		b.WriteByte(':')
	}
	if f.Line > 0 {
		fmt.Fprintf(&b, "%d:", f.Line)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if f.Member != "" {
		b.WriteString(f.Member + ": ")
	}
	b.WriteString(f.Text)
	if f.Hint != "" {
		b.WriteString(" (" + f.Hint + ")")
	}
	return b.String()
}

// Faults are all faults of one document, in the order of its lines.
type Faults []Fault

// maxFaults bounds what a hostile document makes us say about it.
const maxFaults = 1000

// Error returns one line per fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns fs as an error, nil if there are none.
func (fs Faults) Err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// Report adds a fault of a document that has no lines; it is a [Reporter].
func (fs *Faults) Report(at Path, text, hint string) {
	fs.Add(Fault{Member: at.String(), Text: text, Hint: hint, At: slices.Clone(at)})
}

// Add adds a fault, unless there are a thousand already.
func (fs *Faults) Add(f Fault) {
	switch {
	case len(*fs) < maxFaults:
		*fs = append(*fs, f)
	case len(*fs) == maxFaults:
		f.Member, f.Text, f.Hint = "", fmt.Sprintf("more than %d faults; the rest is not listed", maxFaults), ""
		*fs = append(*fs, f)
	}
}

// A Reporter takes a fault of meaning: where, what, and what to do about it
// (or ""). Checks that run over YAML and over canonical JSON alike are written
// against it; see [Faults.Report] and what reads YAML.
type Reporter func(at Path, text, hint string)

// A Path leads to a member: names of mappings and indices of lists, from 0.
type Path []any

// At returns a path; its elements are strings and ints.
func At(elements ...any) Path { return slices.Clone(elements) }

// String returns the path as steps[2].run[0], at most about 200 bytes of it and
// in printable ASCII.
func (p Path) String() string {
	var b strings.Builder
	for _, e := range p {
		switch e := e.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", e)
		case string:
			if !IsWord(e) {
				fmt.Fprintf(&b, "[%s]", Quote(e))
				continue
			}
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(Clip(e))
		}
	}
	if s := b.String(); len(s) > 200 {
		return "..." + s[len(s)-200:]
	}
	return b.String()
}

// IsWord reports whether s can stand in a path as it is.
func IsWord(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return s != ""
}

// Quote returns s as it may stand in an error line: in double quotes, printable
// ASCII, and cut where it is long.
func Quote(s string) string {
	if c := Clip(s); c != s {
		return strconv.QuoteToASCII(s[:longest]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// longest is how many bytes of one value an error line shows.
const longest = 60

// Clip returns s, cut where it is long.
func Clip(s string) string {
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}
