package ui

import (
	"fmt"

	"github.com/relseal/relseal/trail"
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
func AnswerTo(r *verify.Report) error { return answerTo(r.Verdict, r.Diag) }

// AnswerToTrail is AnswerTo for the report about a trail.
func AnswerToTrail(r *trail.Report) error { return answerTo(r.Verdict, r.Diag) }

func answerTo(v verify.Verdict, d verify.Diag) error {
	a := &Answer{Code: ExitReject}
	switch v {
	case verify.Verified:
		return nil
	case verify.Undecidable:
		a.Code = ExitUndecidable
	}
	if len(d.Findings) > 0 { // the worst comes first
		a.Hint = fmt.Sprintf("relseal explain %s says what to do", d.Findings[0].Code)
	}
	return a
}
