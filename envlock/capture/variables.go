package capture

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

const secretHint = "what is recorded is published: leave it out; if it is no credential, --allow-secret with its name, or an argument's number, records it"

// readVariables returns the listed variables exactly as they are set, null for
// those that are not. No problem ever holds a value.
func (m *machine) readVariables(names []string, problems *Problems) map[string]*string {
	vars := make(map[string]*string, len(names))
	for _, name := range sorted(names) {
		if !variableName(name) {
			problems.add(KindVariable, name, "not the name of a variable", `a name is printable and has no "="`, nil)
			continue
		}
		if !m.allowed(name) && secretName(name) {
			problems.add(KindVariable, name, "its name looks like that of a credential", secretHint, ErrSecret)
			continue
		}
		value, ok := m.lookup(name)
		if !ok {
			vars[name] = nil
			continue
		}
		// A credential that is also malformed is still reported as a credential.
		if what := secretValue(value); what != "" && !m.allowed(name) {
			problems.add(KindVariable, name, "its value looks like "+what, secretHint, ErrSecret)
			continue
		}
		if fault := valueFault(value); fault != "" {
			problems.add(KindVariable, name, "its value "+fault, "unset it or give it a value of one line of text", nil)
			continue
		}
		vars[name] = &value
	}
	return vars
}

func variableName(s string) bool {
	return s != "" && canon.Printable(s) && !strings.Contains(s, "=")
}

// valueFault says why a value cannot be recorded, "" if it can.
func valueFault(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "has a control character"
	case len(s) > limits.JSONString:
		return fmt.Sprintf("is longer than %d bytes", limits.JSONString)
	default:
		return ""
	}
}
