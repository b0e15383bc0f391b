package ui

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// The exit codes. 0 to 2 are the three answers, the rest follows sysexits.
const (
	ExitOK          = 0
	ExitUndecidable = 1
	ExitReject      = 2
	ExitUsage       = 64
	ExitNoInput     = 66
	ExitInternal    = 70
	ExitCantCreate  = 73
	ExitIO          = 74
	ExitInterrupted = 130
)

// Answer ends a command whose answer, already printed, is not yes.
type Answer struct {
	Code int
	Hint string
}

func (e *Answer) Error() string { return "exit " + strconv.Itoa(e.Code) }

// Error is a failure that knows its exit code.
type Error struct {
	Code int
	Err  error
	Hint string // "": the one that err carries
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

func Usage(text string) error {
	return UsageHint(text, "")
}

func UsageHint(text, hint string) error {
	return &Error{ExitUsage, errors.New(text), hint}
}

// classify says what to print for err and how to exit.
func classify(ctx context.Context, err error) (code int, text, hintText string) {
	text, hintText = PlainText(err), hint.Of(err)
	var exit *Error
	var fault *signer.Fault // of another process, which knew what is behind it
	switch {
	case errors.As(err, &exit):
		code = exit.Code
		if exit.Hint != "" {
			hintText = exit.Hint
		}
	case errors.As(err, &fault):
		code = fault.Code
		if hintText == "" {
			hintText = fault.Hint
		}
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		code, text = ExitInterrupted, "interrupted"
	case ctx.Err() != nil:
		code, text = ExitInterrupted, "interrupted: "+text
	default:
		code = CodeOf(err)
	}
	if hintText == "" && damaged(err) {
		hintText = "relseal trail recover shows what would have to be set aside before anything can be appended"
	}
	if hintText == "" && errors.Is(err, sign.ErrWeakKey) {
		hintText = "relseal explain E_KEY_WEAK"
	}
	if hintText == "" && errors.Is(err, private.ErrWrongPassphrase) {
		hintText = "relseal key check tries a passphrase; without the right one nobody can open the key"
	}
	if hintText == "" {
		hintText = missingHint(err)
	}
	return code, text, hintText
}

// CodeOf tells by what the system was asked for whether an input is missing, an
// output cannot be made, or input and output failed. Where the system was not
// the one to say no, the input was there and is not acceptable. No error is an
// answer: 1 and 2 are what a command decided.
func CodeOf(err error) int {
	var path *fs.PathError
	var link *os.LinkError
	var git *cut.GitError
	var errno syscall.Errno
	switch {
	case errors.As(err, &git):
		if git.Ran {
			return ExitNoInput
		}
		return ExitIO
	case damaged(err):
		return ExitNoInput
	case errors.As(err, &link), errors.Is(err, fs.ErrExist):
		return ExitCantCreate
	case errors.Is(err, syscall.EISDIR): // found out by reading
		return ExitNoInput
	case errors.As(err, &path):
		switch path.Op {
		case "create", "mkdir", "mkdirat":
			return ExitCantCreate
		case "open", "openat", "stat", "lstat", "statat", "lstatat", "fstatat", "readlink", "GetFileAttributesEx", "CreateFile":
			return ExitNoInput
		}
		return ExitIO
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return ExitNoInput
	case errors.As(err, &errno):
		return ExitIO
	}
	return ExitNoInput
}

// FailedCode is the exit code of a run that failed: that is an answer, unless what
// ended it is that a file could not be read.
func FailedCode(medium error) int {
	if medium == nil {
		return ExitReject
	}
	return CodeOf(medium)
}

// damaged reports whether a trail cannot be appended to for what it holds or lacks.
func damaged(err error) bool {
	_, fault := errors.AsType[*audit.DamagedError](err)
	_, lacks := errors.AsType[*audit.AcknowledgedError](err)
	return fault || lacks
}

// faultCode returns the stable code of what err reports, "" if it has none.
func faultCode(err error) finding.Code {
	if e, ok := errors.AsType[*release.RefusedError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*audit.KeyError](err); ok && e != nil {
		return finding.KeyUnknown
	}
	if _, ok := errors.AsType[*audit.AcknowledgedError](err); ok {
		return finding.Truncated
	}
	if e, ok := errors.AsType[*audit.DamagedError](err); ok {
		return e.Finding.Code
	}
	return ""
}

// PlainText returns the text of err. Where it holds what the os package says of
// a file, the name of the system call is left out: it is nobody's business.
func PlainText(err error) string {
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

// PlainCause drops the operation and the path that os wraps around a cause.
func PlainCause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
