package bundle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/relseal/relseal/finding"
)

// ErrBroken is wrapped by errors about faults that have been reported as
// findings: what was read so far is all that can be read. Any other error of a
// [Source] is one of input and output, about which nothing was reported.
var ErrBroken = errors.New("the container is broken")

// An Error is a fault of form and the code under which verification reports it.
type Error struct {
	Code finding.Code
	Path string // of the file, as findings show it; "" for the container as a whole
	Text string // the fault, without the path
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Text
	}
	return e.Path + ": " + e.Text
}

// Finding returns the fault as a finding with its code's default verdict.
func (e *Error) Finding() finding.Finding { return finding.New(e.Code, e.Path, e.Text) }

// FindingCode returns e.Code.
func (e *Error) FindingCode() finding.Code { return e.Code }

// Faults is an error about one document in which several things are wrong.
type Faults []*Error

func (f Faults) Error() string {
	switch len(f) {
	case 0:
		return "no fault"
	case 1:
		return f[0].Text
	default:
		return fmt.Sprintf("%s (and %d more faults)", f[0].Text, len(f)-1)
	}
}

// FindingCode returns the code of the first fault.
func (f Faults) FindingCode() finding.Code {
	if len(f) == 0 {
		return finding.Format
	}
	return f[0].Code
}

// err returns f as an error, nil if there is no fault.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// formatf returns an E_FORMAT fault of the container as a whole.
func formatf(format string, args ...any) *Error {
	return &Error{Code: finding.Format, Text: fmt.Sprintf(format, args...)}
}

// limitf returns an E_LIMIT fault of the container as a whole.
func limitf(format string, args ...any) *Error {
	return &Error{Code: finding.Limit, Text: fmt.Sprintf(format, args...)}
}

// at returns e as a fault of the file at path.
func (e *Error) at(path string) *Error {
	e.Path = shown(path)
	return e
}

// shown returns path as findings show it: as it is if it is clean, else quoted,
// so that no byte of a hostile name reaches a terminal.
func shown(path string) string {
	if path == "" || pathFault(path) == "" {
		return path
	}
	return quote(path)
}

// quote returns s in printable ASCII, cut where it is long.
func quote(s string) string {
	const most = 200
	if len(s) <= most {
		return fmt.Sprintf("%+q", s)
	}
	return fmt.Sprintf("%+q and %d bytes more", strings.ToValidUTF8(s[:most], "?"), len(s)-most)
}
