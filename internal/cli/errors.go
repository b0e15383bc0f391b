package cli

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
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// The exit codes. 0 to 2 are the three answers, the rest follows sysexits.
const (
	exitOK          = 0
	exitUndecidable = 1
	exitReject      = 2
	exitUsage       = 64
	exitNoInput     = 66
	exitInternal    = 70
	exitCantCreate  = 73
	exitIO          = 74
	exitInterrupted = 130
)

// answerError ends a command whose answer, already printed, is not yes.
type answerError struct {
	code int
	hint string
}

func (e *answerError) Error() string { return "exit " + strconv.Itoa(e.code) }

// exitError is a failure that knows its exit code.
type exitError struct {
	code int
	err  error
	hint string // "": the one that err carries
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(text string) error {
	return usageErrorHint(text, "")
}

func usageErrorHint(text, hint string) error {
	return &exitError{exitUsage, errors.New(text), hint}
}

// classify says what to print for err and how to exit.
func classify(ctx context.Context, err error) (code int, text, hintText string) {
	text, hintText = plainText(err), hint.Of(err)
	var exit *exitError
	var fault *signer.Fault // of another process, which knew what is behind it
	switch {
	case errors.As(err, &exit):
		code = exit.code
		if exit.hint != "" {
			hintText = exit.hint
		}
	case errors.As(err, &fault):
		code = fault.Code
		if hintText == "" {
			hintText = fault.Hint
		}
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		code, text = exitInterrupted, "interrupted"
	case ctx.Err() != nil:
		code, text = exitInterrupted, "interrupted: "+text
	default:
		code = codeOf(err)
	}
	if hintText == "" && damaged(err) {
		hintText = "relseal trail recover shows what would have to be set aside before anything can be appended"
	}
	if hintText == "" && errors.Is(err, sign.ErrWeakKey) {
		hintText = "relseal explain E_KEY_WEAK"
	}
	return code, text, hintText
}

// codeOf tells by what the system was asked for whether an input is missing, an
// output cannot be made, or input and output failed. Where the system was not
// the one to say no, the input was there and is not acceptable. No error is an
// answer: 1 and 2 are what a command decided.
func codeOf(err error) int {
	var path *fs.PathError
	var link *os.LinkError
	var git *cut.GitError
	var errno syscall.Errno
	switch {
	case errors.As(err, &git):
		if git.Ran {
			return exitNoInput
		}
		return exitIO
	case damaged(err):
		return exitNoInput
	case errors.As(err, &link), errors.Is(err, fs.ErrExist):
		return exitCantCreate
	case errors.Is(err, syscall.EISDIR): // found out by reading
		return exitNoInput
	case errors.As(err, &path):
		switch path.Op {
		case "create", "mkdir", "mkdirat":
			return exitCantCreate
		case "open", "openat", "stat", "lstat", "statat", "lstatat", "fstatat", "readlink", "GetFileAttributesEx", "CreateFile":
			return exitNoInput
		}
		return exitIO
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return exitNoInput
	case errors.As(err, &errno):
		return exitIO
	}
	return exitNoInput
}

// failedCode is the exit code of a run that failed: that is an answer, unless what
// ended it is that a file could not be read.
func failedCode(medium error) int {
	if medium == nil {
		return exitReject
	}
	return codeOf(medium)
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

// plainText returns the text of err. Where it holds what the os package says of
// a file, the name of the system call is left out: it is nobody's business.
func plainText(err error) string {
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

// plainCause drops the operation and the path that os wraps around a cause.
func plainCause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
