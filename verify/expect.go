package verify

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
)

// Expect is what the caller expects of a release; "" expects nothing.
type Expect struct {
	Product   string
	Version   string
	Channel   string
	NewerThan string // a version: the release must come after it
	Outcome   string // ok, failed or aborted: of the run, or of every run of a release
	Commit    string // 40 or 64 lower-case hexadecimal digits: the commit of the sources
	Source    string // clean, dirty or none: whether files differed from that commit
}

// The states of a source. None is that of a run outside version control.
const (
	SourceClean = "clean"
	SourceDirty = "dirty"
	SourceNone  = "none"
)

// judgeExpected compares the release with what the caller expects. That is how a
// rollback to an older, genuine release is found: the bundle itself cannot know.
func (b *check) judgeExpected() {
	e := b.o.Expect
	differ := func(what, want, got string) {
		if want != "" && want != got {
			b.add(checkRelease, finding.New(finding.DataMismatch, "manifest.json", "another "+what+" than expected").Differs(want, got))
		}
	}
	b.expectRuns()
	if b.release == nil {
		if b.audit != nil {
			differ("product", e.Product, b.audit.Product)
		}
		if e.Version != "" || e.Channel != "" || e.NewerThan != "" {
			b.add(checkRelease, finding.New(finding.DataMismatch, "manifest.json", "a release was expected").Differs("release", b.kind))
		}
		return
	}
	differ("product", e.Product, b.release.Product)
	differ("version", e.Version, b.release.Version)
	differ("channel", e.Channel, b.release.Channel)
	if e.NewerThan != "" && CompareVersions(b.release.Version, e.NewerThan) <= 0 {
		b.add(checkRelease, finding.New(finding.DataMismatch, "manifest.json",
			fmt.Sprintf("version %s is not newer than %s", b.release.Version, e.NewerThan)))
	}
}

// expectRuns compares the runs of the bundle with what the caller expects of them. What
// no run recorded is left open.
func (b *check) expectRuns() {
	e := b.o.Expect
	runs := []*check{b}
	if b.release != nil {
		runs = nil
		for _, id := range b.release.Provenance.Audit {
			if in := b.evidence[bundle.EvidencePath(id)]; in != nil {
				runs = append(runs, in)
			}
		}
	}
	differ := func(v Verdict, what, want, got string) {
		if want != "" && want != got {
			b.add(checkRelease, finding.New(finding.DataMismatch, bundle.ManifestPath, "another "+what+" than expected").As(v).Differs(want, got))
		}
	}
	for _, in := range runs {
		if in.audit == nil {
			continue // its own finding says why
		}
		differ(Reject, "outcome", e.Outcome, in.audit.Outcome)
		list := in.sources()
		switch {
		case in.startsElsewhere() && b.release == nil:
			list = append(list, recorded{unseen: true})
		case in.startsElsewhere(): // another run of the release has it, or leaves it open
		case len(list) == 0:
			list = []recorded{{clear: true}} // the run says nothing of it
		}
		for _, s := range list {
			state, v := s.state()
			if s.Commit != "" {
				differ(Reject, "commit", e.Commit, s.Commit)
			} else {
				differ(v, "commit", e.Commit, state)
			}
			differ(v, "state of the source", e.Source, state)
		}
	}
	if b.release != nil {
		differ(Reject, "commit", e.Commit, cmp.Or(deref(b.release.Commit), SourceNone))
	}
}

// state says what a run recorded of its source, and how bad another state is than the
// expected one: where nobody looked, nobody can say.
func (s recorded) state() (string, Verdict) {
	switch {
	case s.unseen:
		return "not in the bundle", Undecidable
	case !s.clear:
		return "of another form", Undecidable
	case s.Commit == "":
		return SourceNone, Reject
	case s.Dirty == nil:
		return "not looked at", Undecidable
	case *s.Dirty:
		return SourceDirty, Reject
	default:
		return SourceClean, Reject
	}
}

// CompareVersions compares two semantic versions by the precedence of Semantic
// Versioning 2.0.0, section 11; build metadata does not count.
func CompareVersions(a, b string) int {
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	coreA, preA, hasA := strings.Cut(a, "-")
	coreB, preB, hasB := strings.Cut(b, "-")
	if c := compareIdentifiers(coreA, coreB); c != 0 {
		return c
	}
	switch {
	case hasA && hasB:
		return compareIdentifiers(preA, preB)
	case hasA:
		return -1 // a pre-release comes before its release
	case hasB:
		return 1
	default:
		return 0
	}
}

func compareIdentifiers(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if c := compareIdentifier(as[i], bs[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// compareIdentifier compares numbers by value, text by bytes; a number comes
// before text. Numbers have no leading zero, so the longer one is the larger.
func compareIdentifier(a, b string) int {
	numA, numB := isDigits(a), isDigits(b)
	switch {
	case numA && numB:
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	case numA:
		return -1
	case numB:
		return 1
	default:
		return cmp.Compare(a, b)
	}
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
