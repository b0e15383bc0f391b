// Package hint carries, beside an error, the next step to suggest to whoever
// reads it. The hint is no part of the error's text: a command prints it on a
// line of its own.
package hint

import (
	"strings"

	"github.com/relseal/relseal/finding"
)

// An Error is an error with a hint. Its text is that of Err alone.
type Error struct {
	Err  error
	Next string // one line, lower case, no final stop; may hold a command to paste
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Hint makes the hint one for finding.Hint, which anybody can ask.
func (e *Error) Hint() string { return e.Next }

// With returns err carrying hint, or nil if err is nil. An empty hint adds
// nothing.
func With(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &Error{Err: err, Next: hint}
}

// Of returns the hint of err, however deep it was wrapped; the outermost wins,
// since it knows most of what the user was doing. It is empty if there is none.
func Of(err error) string { return finding.Hint(err) }

// Quote returns s as it can be pasted into a shell as one argument.
func Quote(s string) string {
	if strings.HasPrefix(s, "-") {
		s = "./" + s // a file, not a flag
	}
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+@%:,./-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
