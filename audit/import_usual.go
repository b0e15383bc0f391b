package audit

import (
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

// importUsual is ImportDraft for the lines that most programs write: a flat object
// of texts without escapes, and details that are canonical as they stand. Of
// anything else it returns false, and ImportDraft has the last word.
func importUsual(line []byte) (d Draft, ok bool) {
	c := cursor{text: line}
	c.spaces()
	c.want("{")
	seen := 0
	for {
		c.spaces()
		name := c.name()
		c.spaces()
		c.want(":")
		c.spaces()
		bit := 0
		switch string(name) {
		case "action":
			bit, d.Action = 1, c.free()
		case "actor":
			bit, d.Actor = 2, Txt(c.free())
		case "path":
			bit, d.Path = 4, Txt(c.free())
		case "status":
			bit, d.Status = 8, c.free()
			c.bad = c.bad || d.Status == ""
		case "error":
			bit, d.Error = 16, Txt(c.free())
		case "notes":
			bit, d.Notes = 32, Txt(c.free())
		case "details":
			c.bad = c.bad || c.skip("null")
			bit, d.Details = 64, canon.Value(c.value(1))
		}
		if c.bad || bit == 0 || seen&bit != 0 {
			return Draft{}, false
		}
		seen |= bit
		if c.spaces(); !c.skip(",") {
			break
		}
	}
	c.want("}")
	c.spaces()
	if c.bad || c.at != len(line) || seen&3 != 3 {
		return Draft{}, false
	}
	d.Details = append(canon.Value(nil), d.Details...)
	return d, true
}

// spaces takes white space.
func (c *cursor) spaces() {
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}

// free takes a text without escapes.
func (c *cursor) free() string {
	c.want(`"`)
	rest, n := c.rest(), 0
	for n < len(rest) && rest[n] >= 0x20 && rest[n] != '"' && rest[n] != '\\' {
		n++
	}
	if n > limits.JSONString || !utf8.Valid(rest[:n]) {
		c.bad = true
	}
	s := string(c.take(n))
	c.want(`"`)
	return s
}
