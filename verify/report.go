// Package verify checks a bundle and says everything that was found.
//
// [File] and [Reader] check a bundle, [Artifact] a file that somebody released. Their error
// is nil only if the answer is VERIFIED:
//
//	trusted, err := keys.LoadTrusted([]string{"release.pub"})
//	…
//	report, err := verify.File(ctx, "greetd-1.0.0.release.tar.zst", verify.Options{Keys: trusted})
//	if err != nil {
//		return err // an *AnswerError for UNDECIDABLE and REJECT, any other if it could not be read
//	}
//
// The report says what a VERIFIED shows and what it does not. Codes of findings are the
// constants of package finding.
//
// It reads no clock, opens no network and needs no private key. Trust comes
// from the caller's keys alone; what a bundle says of itself is a hint. Every
// check runs even when an earlier one failed, and each fault is one finding.
// A report is a function of the bundle and the keys: the same bytes on every
// machine, from a tar.zst or from the unpacked directory.
package verify

import (
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// ReportSchema names the format of a report.
const ReportSchema = "relseal/report/v1"

// The words of package finding, for those who import this package.
type (
	Finding = finding.Finding
	Code    = finding.Code
	Verdict = finding.Verdict
)

// The three answers, and the verdict of a finding that changes none of them.
const (
	Verified    = finding.Verified
	Undecidable = finding.Undecidable
	Reject      = finding.Reject
	Note        = finding.Note
)

// A Report is the answer about one bundle.
type Report struct {
	Schema    string     `json:"schema"`
	Valid     bool       `json:"valid"` // Verdict is VERIFIED
	Verdict   Verdict    `json:"verdict"`
	Bundle    Identity   `json:"bundle"`
	Keys      []KeyUse   `json:"keys"` // the trusted keys that verified something, by id
	Claims    []Claim    `json:"claims"`
	NonClaims []NonClaim `json:"non_claims"`
	Diag      Diag       `json:"diag"`

	Root      *RootUse   `json:"root,omitempty"`      // where the caller gave a trust root
	Built     time.Time  `json:"-"`                   // the latest time in the evidence of a release
	Decisions []Decision `json:"decisions,omitempty"` // by which a release came to its channel, made again
	Held      []HeldFile `json:"held,omitempty"`      // where the caller asked about files
	Artifacts []Location `json:"artifacts,omitempty"` // where the caller gave files by name
}

// HeldFile is a file that the caller asked about, and which artifacts it is, by uri: none
// if it was not released with this bundle.
type HeldFile struct {
	Hash sign.Digest `json:"hash"`
	Size int64       `json:"size"`
	URIs []string    `json:"uris"`
}

// A Location says where the bytes of an artifact were found.
type Location struct {
	URI    string   `json:"uri"`
	Bundle *string  `json:"bundle"` // the path of the copy in the bundle, null without one
	Given  []string `json:"given"`  // the files that the caller has, below the directory given
}

// Identity says which bundle it is, as far as its manifest could be read.
type Identity struct {
	ID   *sign.Digest `json:"id"`
	Kind *string      `json:"kind"`

	Outcome *string `json:"outcome,omitempty"` // failed or aborted: of an AuditBundle whose run did not end well
}

// KeyUse is a trusted key and the files in which a signature of it verified.
type KeyUse struct {
	ID     sign.KeyID `json:"id"`
	Signed []string   `json:"signed"`
}

// The grades of a claim.
const (
	Proved = "proved" // follows from the bytes and the key
	Stated = "stated" // the holder of the key says so
)

// A Claim is something that the evidence supports.
type Claim struct {
	ID    string `json:"id"`
	Grade string `json:"grade"`
	Text  string `json:"text"`
}

// A NonClaim is something that the evidence does not show, and why.
type NonClaim struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// Diag says where the differences are.
type Diag struct {
	Findings      []Finding     `json:"findings"`
	FailingEvents FailingEvents `json:"failing_events"`
	Checks        []CheckStatus `json:"checks"`

	Totals map[Code]int64 `json:"totals,omitempty"` // of the codes whose findings were capped
}

// FailingEvents is the exact set of events with a rejecting finding.
type FailingEvents struct {
	Count  int64      `json:"count"`
	Ranges [][2]int64 `json:"ranges"` // first and last k, of all trails together

	Trails []FailingTrail `json:"trails,omitempty"` // where more than one trail has some
}

// FailingTrail is the part of the set that one trail has.
type FailingTrail struct {
	Path   string     `json:"path"`
	Ranges [][2]int64 `json:"ranges"`
}

// CheckStatus is the outcome of one group of checks: pass, fail, open or skipped.
type CheckStatus struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

// JSON returns the report in canonical form: what --json and --certificate write.
func (r *Report) JSON() ([]byte, error) { return canon.Marshal(r) }
