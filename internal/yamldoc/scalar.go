package yamldoc

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/limits"
)

// integers of canonical JSON; the value is checked apart.
var jsonInteger = lazyregexp.New(`^-?(0|[1-9][0-9]*)$`)

// A word is a text that YAML 1.1, YAML 1.2 or a parser in use takes for
// something else.
type word struct{ reading, hint string }

var words = map[string]word{
	"<<": {"a merge key", ""},
	"=":  {"a default value", ""},
	"-0": {"a negative zero", "write 0, or "},
}

func init() {
	add := func(reading, instead string, spellings ...string) {
		for _, s := range spellings {
			words[s] = word{reading, "write " + instead + ", or "}
		}
	}
	add("null", "null", "~", "Null", "NULL")
	add("a boolean", "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON")
	add("a boolean", "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF")
}

// isLetter reports whether s is one of the letters that the YAML 1.1 type
// repository calls booleans. Parsers in common use take them for text. They are
// refused where somebody may mean yes or no, as the name or the value of
// a member, and are text in a list, where nobody does: [x, y].
func isLetter(s string) bool { return s == "y" || s == "Y" || s == "n" || s == "N" }

// forms are the patterns of the YAML 1.1 type repository and of the YAML 1.2
// core schema, together with what parsers in use add to them: yaml.v3 takes 0X,
// 0O and underscores anywhere, Psych takes commas. Where they differ, the wider
// one stands here. A point without a digit, as in "go build .", is a number by
// the letter of YAML 1.1 only, and text to all parsers.
var forms = []struct {
	reading string
	pattern *lazyregexp.Regexp
}{
	{"an octal number", lazyregexp.New(`^[-+]?0[0-7_,]+$`)},
	{"a number", lazyregexp.New(`^[-+]?[0-9][0-9_,]*$`)},
	{"a number", lazyregexp.New(`^[-+]?0([bB][01_,]+|[oO][0-7_,]+|[xX][0-9a-fA-F_,]+)$`)},
	{"a floating-point number, which is not exact", lazyregexp.New(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)},
	{"a number", lazyregexp.New(`^[-+]?([0-9][0-9_,]*(\.[0-9._]*)?|\.[._]*[0-9][0-9._]*)([eE][-+]?[0-9_]+)?$`)},
	{"a number", lazyregexp.New(`^[-+]?\.[eE][-+]?[0-9]+$`)},
	{"a number in base 60", lazyregexp.New(`^[-+]?[0-9][0-9_,]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)},
	{"a number that JSON does not have", lazyregexp.New(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)},
	{"a date", lazyregexp.New(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([Tt]|[ \t]+)[0-9].*)?$`)},
}

// A plain is what an unquoted scalar means; fault is not empty where that
// depends on who reads it, and then the kind is text.
type plain struct {
	kind        Kind
	integer     int64
	fault, hint string
}

func readPlain(s string) plain {
	switch s {
	case "", "null":
		return plain{kind: Null}
	case "true", "false":
		return plain{kind: Bool}
	}
	if w, ok := words[s]; ok {
		return ambiguous(s, w.reading, w.hint)
	}
	if strings.HasSuffix(s, ":") { // [a::, b]: the parsers in use do not agree
		return ambiguous(s, "a name", "")
	}
	if first := s[0]; first != '-' && first != '+' && first != '.' && (first < '0' || first > '9') {
		return plain{kind: Text}
	}
	if jsonInteger.MatchString(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n > limits.JSONInt || n < -limits.JSONInt {
			return plain{kind: Text, fault: show(s) + " is beyond ±(2^53-1), where numbers are not exact", hint: quoteHint(s)}
		}
		return plain{kind: Integer, integer: n}
	}
	for _, f := range forms {
		if f.pattern.MatchString(s) {
			return ambiguous(s, f.reading, "")
		}
	}
	// yaml.v3 has readings of its own, such as -_1 and 0_x1.
	if n := (yaml.Node{Kind: yaml.ScalarNode, Value: s}); n.ShortTag() != "!!str" {
		return ambiguous(s, "a number", "")
	}
	return plain{kind: Text}
}

func ambiguous(s, reading, hint string) plain {
	return plain{kind: Text, fault: fmt.Sprintf("%s without quotes can be read as %s", show(s), reading), hint: hint + quoteHint(s)}
}

// show returns a plain scalar for an error line, in quotes only if it needs them.
func show(s string) string {
	if canon.Printable(s) {
		return document.Clip(s)
	}
	return document.Quote(s)
}

func quoteHint(s string) string {
	if len(document.Clip(s)) != len(s) {
		return "quote it"
	}
	return "quote it: " + document.Quote(s)
}
