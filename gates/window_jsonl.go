package gates

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/limits"
)

// readJSONL reads one JSON object a line; blank lines are skipped.
func (r *windowReader) readJSONL(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, limits.Line+1) // its line break
	for lines.Scan() && !r.full() {
		r.line++
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			r.object(line)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		r.line++
		r.report(nil, fmt.Sprintf("is longer than %d bytes", limits.Line), "")
		r.cut = true
	case err != nil:
		return fmt.Errorf("%s: %w", r.file, err)
	}
	return nil
}

// ReadWindow reads one window, an object as [ReadWindows] takes it.
func ReadWindow(object []byte) (Window, error) {
	var faults document.Faults
	var w Window
	if members, ok := flatObject(object, faults.Report); ok {
		w, _ = makeWindow(members, faults.Report)
	}
	return w, faults.Err()
}

func (r *windowReader) object(line []byte) {
	if members, ok := flatObject(line, r.report); ok {
		r.window(members)
	}
}

// flatObject returns the members of a JSON object as text: a string's content,
// a number as it is written, nothing for null. encoding/json on its own would
// take a repeated name, and correct what is not UTF-8.
func flatObject(data []byte, report document.Reporter) (map[string]string, bool) {
	if !utf8.Valid(data) {
		report(nil, "is not valid UTF-8", "")
		return nil, false
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		report(nil, "is not JSON: "+err.Error(), oneLine(data))
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		report(nil, "is not a JSON object", oneLine(data))
		return nil, false
	}
	members, ok := map[string]string{}, true
	for d.More() {
		tok, err := d.Token()
		if err != nil {
			report(nil, "is not JSON: "+err.Error(), "")
			return nil, false
		}
		name, _ := tok.(string)
		fault := func(text string) { ok = false; report(document.At(name), text, "") }
		if _, again := members[name]; again {
			fault("is there twice")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			report(document.At(name), err.Error(), "")
			return nil, false
		}
		members[name] = ""
		switch c := value[0]; {
		case c == '"':
			var s string
			err = json.Unmarshal(value, &s)
			if err != nil {
				fault(err.Error())
			}
			members[name] = s
		case c == '-' || '0' <= c && c <= '9':
			members[name] = string(value)
		case c != 'n':
			fault("want a text or a number")
		}
	}
	return members, ok
}

// oneLine is the hint for JSON that is laid out in another way.
func oneLine(data []byte) string {
	switch {
	case string(data) == "{":
		return "one object a line: jq -c ."
	case data[0] == '[':
		return "one object a line: jq -c '.[]'"
	}
	return ""
}
