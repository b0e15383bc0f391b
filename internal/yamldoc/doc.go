// Package yamldoc reads YAML that means one thing: the cards, policies and
// configuration that people write.
//
// A document is at most 64 KiB of UTF-8 without byte order mark: one mapping
// whose keys are text. It has no anchor, alias, merge key, tag, directive or
// repeated key, and is nested at most 64 deep. Of the plain (unquoted) scalars
//
//	true  false                 are booleans,
//	null  and nothing at all    are null,
//	-?(0|[1-9][0-9]*)           within ±(2^53−1), not -0, is an integer,
//
// and every other one is text, unless some version of YAML reads it as
// something else: yes, 1.10, 1e3, 0x10, 010, 1_000, 12:30, 2001-12-14, .inf, ~
// must be quoted. So the version of YAML, and the parser, do not matter. (y, Y,
// n and N must be quoted as well, except as items of a list.)
//
// What such a document says has exactly one canonical JSON form ([Canonical]);
// that is what is hashed. Comments, layout, quoting style and the order of
// members are not part of it.
//
// A program opens a document, reads the members it knows by name and type, and
// ends with [Document.Finish], which reports the members nobody asked for. Every
// fault of the file comes out in one run, each with its line, member and, where
// there is one, the next step to take.
package yamldoc

import (
	"errors"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/relseal/relseal/internal/document"
)

// A Document is a document that is being read, with the faults found so far.
type Document struct {
	file   string
	root   *value // nil where the text is not a mapping
	faults document.Faults
	opened []*Mapping
}

// Open parses data; file is the name that faults carry. It always returns a
// document that can be read: where the text is malformed, the members that could
// not be made out are not reported as missing on top of it.
func Open(file string, data []byte) *Document {
	d := &Document{file: file}
	text, ok := d.scan(data)
	if !ok {
		return d
	}
	node := d.load(text)
	if node == nil {
		return d
	}
	if node.Kind != yaml.MappingNode {
		d.fault(node.Line, nil, "the document is "+aNode(node)+", not a mapping of members", "")
		return d
	}
	d.root = d.build(text, node)
	return d
}

// Root returns the mapping that the document is.
func (d *Document) Root() *Mapping { return d.open(d.root) }

// Err returns the faults found so far as [document.Faults], ordered by line, or nil.
func (d *Document) Err() error {
	slices.SortStableFunc(d.faults, func(a, b document.Fault) int { return a.Line - b.Line })
	return d.faults.Err()
}

// Finish reports the members that nobody asked for and returns Err.
func (d *Document) Finish() error {
	for _, m := range d.opened {
		m.reportUnknown()
	}
	d.opened = nil
	return d.Err()
}

// Report adds a fault of meaning at a member; it is a [document.Reporter]. Its line is
// the member's, or that of the nearest mapping or list around it. A fault about
// a member that could not be read is dropped, since it follows from the first.
//
// Durations are text in YAML and integers named …_ms in canonical JSON; a path
// may use the canonical name.
func (d *Document) Report(at document.Path, text, hint string) {
	if d.root == nil {
		return
	}
	at = slices.Clone(at)
	v := d.root
	for i, key := range at {
		next := v.child(key)
		if name, ok := key.(string); ok {
			short := strings.TrimSuffix(name, "_ms")
			if v.missing[short] {
				return
			}
			if next == nil {
				at[i], next = short, v.child(short)
			}
		}
		if next == nil {
			break
		}
		v = next
	}
	if !v.broken {
		d.fault(v.line, at, text, hint)
	}
}

// ReportAll reports the [document.Faults] that a check of the value found.
func (d *Document) ReportAll(found error) {
	var faults document.Faults
	errors.As(found, &faults)
	for _, f := range faults {
		d.Report(f.At, f.Text, f.Hint)
	}
}

func (d *Document) fault(line int, at document.Path, text, hint string) {
	d.faults.Add(document.Fault{File: d.file, Line: line, Member: at.String(), Text: text, Hint: hint})
}

// broken reports a fault at v, after which nothing further is said about it.
func (d *Document) broken(v *value, text, hint string) {
	if !v.broken {
		d.fault(v.line, v.path(), text, hint)
	}
	v.broken = true
}
