package ui

import (
	"fmt"

	"github.com/relseal/relseal/verify"
)

// FindingsOf returns the part of a report that says why a bundle was refused. What
// it shows and does not show is for those who asked for the report.
func FindingsOf(r *verify.Report) string {
	why := *r
	why.Claims, why.NonClaims = nil, nil
	return why.Summary()
}

// AnswerTo returns the error that carries the verdict of a report to the exit code.
func AnswerTo(r *verify.Report) error {
	a := &Answer{Code: ExitReject}
	switch r.Verdict {
	case verify.Verified:
		return nil
	case verify.Undecidable:
		a.Code = ExitUndecidable
	}
	if len(r.Diag.Findings) > 0 { // the worst comes first
		a.Hint = fmt.Sprintf("relseal explain %s says what to do", r.Diag.Findings[0].Code)
	}
	return a
}
