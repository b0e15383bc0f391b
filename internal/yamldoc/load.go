package yamldoc

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/relseal/relseal/internal/lazyregexp"
)

// load parses text into the one node that the document holds, or reports why
// there is none.
//
// yaml.v3 never sees more than 64 KiB: on its own it takes a minute over 2 MB.
// It decodes into nodes only, so that no alias is followed and no scalar is
// interpreted.
func (d *Document) load(text string) *yaml.Node {
	var second *secondDocument
	node, err := decode(text)
	switch {
	case errors.As(err, &second):
		d.fault(second.line, nil, err.Error(), "keep one; a second belongs into a file of its own")
	case err != nil:
		problem := problemOf(err)
		d.fault(locate(text, problem), nil, fmt.Sprintf("%.200s", problem), syntaxHint(problem, text))
	case node == nil:
		d.fault(1, nil, "the document is empty", "")
	default:
		return node
	}
	return nil
}

// A secondDocument reports that a text has more than one document.
type secondDocument struct{ line int }

func (e *secondDocument) Error() string { return "a second document begins" }

// decode returns the root node of the only document of text, nil if there is
// none. A panic inside yaml.v3 becomes an error: it marks states of its scanner
// that its authors hold to be impossible, and a document is not worth a crash.
func decode(text string) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("yaml: malformed: %v", r)
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &secondDocument{second.Line}
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, nil
	}
	return doc.Content[0], nil
}

var yamlLine = lazyregexp.New(`^(yaml: )?(line \d+: )?`)

// problemOf returns what yaml.v3 says is wrong, without its idea of the line.
func problemOf(err error) string {
	s := err.Error()
	return s[len(yamlLine.FindString(s)):]
}

// locate returns the line at which problem arises. The line that yaml.v3 tells
// is one too low for one half of its errors, that of the enclosing block for
// others, and missing for the first line. The parser reads from left to right:
// a problem that is not about the end of the text stays when lines are added, so
// the first prefix of lines that has it ends where it arises.
func locate(text, problem string) int {
	lines := strings.SplitAfter(text, "\n")
	low, high := 1, len(lines)
	for low < high {
		mid := (low + high) / 2
		if _, err := decode(strings.Join(lines[:mid], "")); err != nil && problemOf(err) == problem {
			high = mid
		} else {
			low = mid + 1
		}
	}
	if low == len(lines) && lines[low-1] == "" && low > 1 {
		low-- // the empty string after the last line feed is no line
	}
	return low
}

// syntaxHint guesses the usual cause of a syntax error.
func syntaxHint(problem, text string) string {
	switch {
	case strings.Contains(problem, "tab character"), strings.Contains(problem, "cannot start any token") && strings.Contains("\n"+text, "\n\t"):
		return "indent with spaces, not with tabs"
	case strings.Contains(problem, "mapping values are not allowed"):
		return `quote a text that holds ": "`
	case strings.Contains(problem, "could not find expected ':'"):
		return "a member is written name: value"
	case strings.Contains(problem, "cannot start any token"):
		return "quote a text that begins with a special character"
	case strings.Contains(problem, "did not find expected"):
		return "check the indentation and the closing of brackets and quotes above"
	}
	return ""
}
