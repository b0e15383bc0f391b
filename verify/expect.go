package verify

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/internal/limits"
)

// Expect is what the caller expects of a release; "" expects nothing.
type Expect struct {
	Product   string
	Version   string
	Channel   string
	NewerThan string // a version: the release must come after it
}

// judgeExpected compares the release with what the caller expects. That is how a
// rollback to an older, genuine release is found: the bundle itself cannot know.
func (b *check) judgeExpected() {
	e := b.o.Expect
	differ := func(what, want, got string) {
		if want != "" && want != got {
			b.add(checkRelease, finding.New(finding.DataMismatch, "manifest.json", "another "+what+" than expected").Differs(want, got))
		}
	}
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

// VersionOf returns the version that the release bundle called name states. It is
// the caller's own copy; nothing is verified.
func VersionOf(name string) (string, error) {
	src, err := bundle.Open(name, func(Finding) {})
	if err != nil {
		return "", err
	}
	defer src.Close()
	e, err := src.Next()
	if err != nil || e.Path != bundle.ManifestPath || e.Size > limits.Manifest {
		return "", fmt.Errorf("%s: neither a version nor a release bundle", name)
	}
	data, err := io.ReadAll(e.Body)
	if err != nil {
		return "", err
	}
	m, err := bundle.ReadReleaseManifest(data)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return m.Version, nil
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
