// Package exit says how our programs end: the codes, and what of an error is shown.
package exit

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
)

// The exit codes. 0 to 2 are the three answers, the rest follows sysexits.
const (
	OK          = 0
	Undecidable = 1
	Reject      = 2
	BadUsage    = 64
	NoInput     = 66
	Unavailable = 69
	Internal    = 70
	CantCreate  = 73
	IO          = 74
	Interrupted = 130
)

// A UsageError is an error in what the command line says.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

// Usage returns a UsageError with a hint, "" for none.
func Usage(text, next string) error { return hint.With(&UsageError{text}, next) }

// Code tells by what the system was asked for whether an input is missing, an output
// cannot be made, or input and output failed. Where the system was not the one to say no,
// the input was there and is not acceptable. No error is an answer: 1 and 2 are what a
// command decided.
func Code(err error) int {
	var usage *UsageError
	var path *fs.PathError
	var link *os.LinkError
	var errno syscall.Errno
	switch {
	case errors.As(err, &usage):
		return BadUsage
	case errors.As(err, &link), errors.Is(err, fs.ErrExist):
		return CantCreate
	case errors.Is(err, syscall.EISDIR): // found out by reading
		return NoInput
	case errors.As(err, &path):
		switch path.Op {
		case "create", "mkdir", "mkdirat":
			return CantCreate
		case "open", "openat", "stat", "lstat", "statat", "lstatat", "fstatat", "readlink", "GetFileAttributesEx", "CreateFile":
			if !errors.Is(err, syscall.EIO) {
				return NoInput
			}
		}
		return IO
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return NoInput
	case errors.As(err, &errno):
		return IO
	}
	return NoInput
}

// Text returns the text of err. Where it holds what the os package says of a file, the
// name of the system call is left out: it is nobody's business.
func Text(err error) string {
	text := err.Error()
	visit(err, func(e error) {
		if path, ok := e.(*fs.PathError); ok {
			text = strings.ReplaceAll(text, path.Error(), path.Path+": "+path.Err.Error())
		}
	})
	return text
}

// visit calls f for err and for every error that it wraps.
func visit(err error, f func(error)) {
	f(err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			visit(inner, f)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			visit(inner, f)
		}
	}
}

// A Refusal is what a command prints as JSON that had nothing else to print.
type Refusal struct {
	Schema string  `json:"schema"`
	Exit   int     `json:"exit"`
	Code   *string `json:"code"` // null where no code says it
	Text   string  `json:"text"`
	Hint   *string `json:"hint"`
}

// RefusalSchema names its format.
const RefusalSchema = "relseal/error/v1"

// JSON returns r with what does not print escaped. A text that is longer than JSON may hold
// is cut: who asked for JSON gets some whatever was refused.
func (r Refusal) JSON() ([]byte, error) {
	shown := func(s string) string { return escape.Clip(escape.Text(s), limits.JSONString/utf8.UTFMax) }
	if r.Text = shown(r.Text); r.Hint != nil {
		next := shown(*r.Hint)
		r.Hint = &next
	}
	return canon.Marshal(r)
}
