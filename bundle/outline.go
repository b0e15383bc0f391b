package bundle

import (
	"encoding/json"
	"fmt"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
)

// What a manifest may hold, beside its size. Three bytes of JSON, {}, become
// an entry of 72 bytes and a member name stays in memory as long as its object
// is open, so a reader counts before it parses.
const maxName = 64 // bytes of a member's name, with its quotes

// outline returns the schema that a document names, after it has looked at the
// sizes. It is lenient about everything else: what is not canonical fails when
// the document itself is read.
func outline(data []byte) (schema string, err error) {
	if len(data) > limits.Manifest {
		return "", fault(finding.Limit, fmt.Sprintf("%d bytes, the limit is %d", len(data), limits.Manifest))
	}
	found := false
	s := scanner{data: data}
	for n := 0; s.member(); n++ {
		if text := s.tooLarge(); text != "" {
			return "", fault(finding.Limit, text)
		}
		if n == limits.Members {
			return "", fault(finding.Limit, fmt.Sprintf("more than %d members", limits.Members))
		}
		if s.name == `"schema"` {
			found = true
			if json.Unmarshal(s.value, &schema) != nil || s.value[0] != '"' {
				return "", fault(finding.Format, "schema is not a text")
			}
		}
	}
	switch {
	case s.malformed || s.at != len(data)-1:
		return "", fault(finding.Format, malformed(data))
	case !found:
		return "", fault(finding.SchemaMismatch, "names no schema")
	default:
		return schema, nil
	}
}

// malformed says why data is no object in canonical form. Where looking closer
// would cost too much, it only says so.
func malformed(data []byte) string {
	if len(data) <= limits.Details {
		if err := canon.Check(data); err != nil {
			return err.Error()
		}
	}
	return "not a JSON object in canonical form"
}

// scanner walks over the members of a JSON object without looking into them
// further than quotes and brackets.
type scanner struct {
	data []byte
	at   int

	name      string // as it is written, with its quotes; cut after maxName bytes
	value     []byte // likewise
	elements  int    // of value, if it is an array
	largest   int    // bytes of the largest of them
	malformed bool   // there is no further member to be found
}

// member goes to the next member.
func (s *scanner) member() bool {
	if s.at > 0 && s.at < len(s.data) && s.data[s.at] == '}' {
		return false
	}
	open := byte(',')
	if s.at == 0 {
		open = '{'
		if string(s.data) == "{}" {
			s.at = 1
			return false
		}
	}
	s.malformed = true // until its end is found
	if !s.skip(open) {
		return false
	}
	from := s.at
	if !s.text() {
		return false
	}
	s.name = string(s.data[from:min(s.at, from+maxName+1)])
	if !s.skip(':') || !s.measure() {
		return false
	}
	s.malformed = false
	return true
}

func (s *scanner) skip(c byte) bool {
	if s.at >= len(s.data) || s.data[s.at] != c {
		return false
	}
	s.at++
	return true
}

// text goes to the end of a string.
func (s *scanner) text() bool {
	if !s.skip('"') {
		return false
	}
	for ; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return true
		}
	}
	return false
}

// measure goes to the end of a value.
func (s *scanner) measure() bool {
	from, element, depth := s.at, s.at, 0
	s.elements, s.largest = 0, 0
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case '"':
			if !s.text() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']', ',':
			if depth == 0 {
				s.value = s.data[from:s.at]
				return s.at > from
			}
			if depth == 1 {
				s.elements++
				s.largest = max(s.largest, s.at-element)
				element = s.at + 1
			}
			if c != ',' {
				depth--
			}
		}
		s.at++
	}
	return false
}

// tooLarge says what of the member is above its limit, or "".
func (s *scanner) tooLarge() string {
	most := limits.Details
	if len(s.name) > maxName {
		return fmt.Sprintf("a member's name has more than %d bytes", maxName-2)
	}
	switch s.name {
	case `"files"`, `"artifacts"`, `"trails"`:
		switch {
		case s.elements > limits.Files:
			return fmt.Sprintf("%s has more than %d elements", s.name, limits.Files)
		case s.name == `"trails"` && s.elements > limits.Trails:
			return fmt.Sprintf("trails has more than %d elements", limits.Trails)
		case s.largest > limits.Element:
			return fmt.Sprintf("an element of %s has %d bytes, the limit is %d", s.name, s.largest, limits.Element)
		}
		return ""
	case `"provenance"`:
		most = limits.Provenance
	case `"decision"`:
		most = limits.Decision
	}
	if len(s.value) > most {
		return fmt.Sprintf("the member %s has %d bytes, the limit is %d", quote(s.name), len(s.value), most)
	}
	return ""
}
