package ui

import (
	"context"
	"errors"
	"io/fs"
	"strconv"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/internal/exit"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// The exit codes of package exit.
const (
	ExitOK          = exit.OK
	ExitUndecidable = exit.Undecidable
	ExitReject      = exit.Reject
	ExitUsage       = exit.BadUsage
	ExitNoInput     = exit.NoInput
	ExitUnavailable = exit.Unavailable
	ExitInternal    = exit.Internal
	ExitCantCreate  = exit.CantCreate
	ExitIO          = exit.IO
	ExitInterrupted = exit.Interrupted
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

// Usage is an error in what the command line says.
func Usage(text string) error {
	return UsageHint(text, "")
}

// UsageHint is Usage with the next step.
func UsageHint(text, hint string) error {
	return &Error{ExitUsage, errors.New(text), hint}
}

// classify says what to print for err and how to exit.
func classify(ctx context.Context, err error) (code int, text, hintText string) {
	text, hintText = exit.Text(err), hint.Of(err)
	canceled := ctx.Err() != nil && errors.Is(err, context.Canceled)
	interrupted := canceled || ctx.Err() != nil && errors.Is(err, context.Cause(ctx))
	var known *Error
	var usage *exit.UsageError
	var fault *signer.Fault // of another process, which knew what is behind it
	switch {
	case errors.As(err, &known) && !(interrupted && known.Code != ExitInterrupted):
		code = known.Code
		if known.Hint != "" {
			hintText = known.Hint
		}
	case errors.As(err, &usage):
		code = ExitUsage
	case errors.As(err, &fault) && !interrupted:
		code = fault.Code
		if hintText == "" {
			hintText = fault.Hint
		}
	case canceled:
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

// CodeOf returns the exit code of what is no answer.
func CodeOf(err error) int {
	var git *cut.GitError
	switch {
	case errors.As(err, &git):
		if git.Ran {
			return ExitNoInput
		}
		return ExitIO
	case damaged(err):
		return ExitNoInput
	}
	return exit.Code(err)
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
	var coded interface{ FindingCode() finding.Code }
	if errors.As(err, &coded) {
		return coded.FindingCode()
	}
	return ""
}

// PlainCause drops the operation and the path that os wraps around a cause.
func PlainCause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
