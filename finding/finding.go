// Package finding is what verification says: a stable code, where, what was
// wanted and what was found instead. Findings are collected; none ends a check.
//
// Codes are constants of type [Code] and never change their meaning. Each has a default
// [Verdict]; the worst verdict of all findings is the answer. [Explain] says what a code
// means, what causes it and what to do.
package finding

// A Verdict is one of the three answers.
type Verdict string

const (
	Verified    Verdict = "VERIFIED"
	Undecidable Verdict = "UNDECIDABLE"
	Reject      Verdict = "REJECT"
	Note        Verdict = "NOTE" // of a finding alone: it does not change the answer
)

// Worse returns the worse of two verdicts.
func (v Verdict) Worse(w Verdict) Verdict {
	if w.rank() > v.rank() {
		return w
	}
	return v
}

func (v Verdict) rank() int {
	switch v {
	case Reject:
		return 3
	case Undecidable:
		return 2
	case Verified:
		return 1
	default:
		return 0
	}
}

// A Finding is one fault and its place. K is the number of the event, where
// there is one; Want and Got are digests or short values, where they say more
// than Text alone.
type Finding struct {
	Code    Code    `json:"code"`
	Verdict Verdict `json:"verdict"`
	Path    *string `json:"path"`
	K       *int64  `json:"k"`
	Want    *string `json:"want"`
	Got     *string `json:"got"`
	Text    string  `json:"text"`

	Members []Member `json:"members,omitempty"` // that differ from another copy, where the caller has one
	Proves  *Proof   `json:"proves,omitempty"`  // of an event that does not follow: what the values beside it still prove
}

// A Member is one difference between two documents: its jq path and the two
// values as canonical JSON, or "absent".
type Member struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

// New returns a finding with the code's default verdict at path ("" for the
// bundle as a whole).
func New(code Code, path, text string) Finding {
	f := Finding{Code: code, Verdict: code.Default(), Text: text}
	if path != "" {
		f.Path = &path
	}
	return f
}

// At returns f at event k.
func (f Finding) At(k int64) Finding {
	f.K = &k
	return f
}

// As returns f with another verdict than its code's default.
func (f Finding) As(v Verdict) Finding {
	f.Verdict = v
	return f
}

// Differs returns f with what was wanted and what was found.
func (f Finding) Differs(want, got string) Finding {
	f.Want, f.Got = &want, &got
	return f
}

// Err returns f as an error, for a command that ends with it: the text is that of the
// code and of the finding, and FindingCode returns the code.
func (f Finding) Err() error { return &fault{f.Code, f.Text} }

type fault struct {
	code Code
	text string
}

func (e *fault) Error() string { return string(e.code) + ": " + e.text }

// FindingCode returns the code.
func (e *fault) FindingCode() Code { return e.code }
