package finding

import "errors"

// Hint returns the next step that an error of this module suggests to people, "" if it
// suggests none: one line, which may hold a command of relseal. It is no part of the text
// of the error. Of several, the outermost counts.
func Hint(err error) string {
	if e, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		return e.Hint()
	}
	return ""
}
