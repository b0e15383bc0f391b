package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// ErrNoTrust says that Options name nobody to trust: neither Keys nor a Root.
var ErrNoTrust = errors.New("nobody is trusted: neither keys nor a root are given")

// trust returns why nothing can be verified with o, or nil.
func (o *Options) trust() error {
	if o.Keys == nil && o.Root == nil {
		return ErrNoTrust
	}
	return nil
}

// An AnswerError is an answer other than VERIFIED.
type AnswerError struct {
	Verdict Verdict  // Undecidable or Reject
	First   *Finding // the worst finding, nil if there is none
	More    int      // how many further findings there are
}

func (e *AnswerError) Error() string {
	var w strings.Builder
	w.WriteString(string(e.Verdict))
	if e.First != nil {
		fmt.Fprintf(&w, ": %s", place(*e.First))
	}
	if e.More > 0 {
		fmt.Fprintf(&w, " (and %s)", plural(e.More, "more finding"))
	}
	return w.String()
}

// FindingCode returns the code of the first finding, "" if there is none.
func (e *AnswerError) FindingCode() Code {
	if e.First == nil {
		return ""
	}
	return e.First.Code
}

// Err returns nil if the report says VERIFIED, and an [*AnswerError] in every other case.
// It is what [File] and [Reader] return beside the report.
func (r *Report) Err() error {
	if r == nil {
		return &AnswerError{Verdict: Undecidable}
	}
	if r.Verdict == Verified && r.Valid {
		return nil
	}
	e := &AnswerError{Verdict: r.Verdict}
	if e.Verdict != Reject {
		e.Verdict = Undecidable
	}
	if n := len(r.Diag.Findings); n > 0 {
		e.First, e.More = &r.Diag.Findings[0], n-1
	}
	return e
}

// Explain returns what a code means, what causes it and what to do about it; false if
// there is no such code.
func Explain(c Code) (finding.Explanation, bool) { return finding.Explain(c) }

// Released says which artifact of which release a file is. All but Report is set only if
// that is VERIFIED.
type Released struct {
	URIs    []string // of the artifacts that have its bytes
	Product string
	Version string
	Channel string
	ID      sign.Digest // of the bundle

	Report *Report
}

// Artifact asks a ReleaseBundle, which is called release, about the file called file: which
// of its artifacts is it? The other artifacts need not be there. The error is nil only if
// the file is one and the report says VERIFIED; an AuditBundle is refused, since it shows
// that a run made a file and not that anybody released it.
func Artifact(ctx context.Context, file, release string, o Options) (*Released, error) {
	held, err := Hold(ctx, file)
	if err != nil {
		return nil, err
	}
	o.Held = []Held{held}
	b, err := verifyFile(ctx, release, o)
	if err != nil {
		return nil, err
	}
	if b.audit != nil {
		return nil, fmt.Errorf("%s: an AuditBundle, want a ReleaseBundle", release)
	}
	r := &Released{Report: b.report()}
	if err := r.Report.Err(); err != nil {
		return r, err
	}
	r.URIs, r.ID = r.Report.Held[0].URIs, b.id
	r.Product, r.Version, r.Channel = b.release.Product, b.release.Version, b.release.Channel
	return r, nil
}

// verifyFile reads and judges the bundle at name.
func verifyFile(ctx context.Context, name string, o Options) (*check, error) {
	if err := o.trust(); err != nil {
		return nil, err
	}
	b := newCheck(ctx, o, newCollector(), "")
	src, err := bundle.Open(name, b.container)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return b, b.read(src)
}
