package verify_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// The order of Semantic Versioning 2.0.0, section 11.
func TestCompareVersions(t *testing.T) {
	ascending := []string{"0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
		"1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.10", "1.2.0", "2.0.0", "18446744073709551617.0.0"}
	for i, a := range ascending {
		for j, b := range ascending {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			if got := verify.CompareVersions(a, b+"+build.7"); got != want {
				t.Errorf("%s against %s: %d, want %d", a, b, got, want)
			}
		}
	}
}

// What the source was of a run whose beginning is not in the bundle is not known.
func TestExpectUnseenSource(t *testing.T) {
	r := demo()
	r.Continues = M{"H_0": testbundle.Digest([]byte("a")), "k": 4, "H_k": testbundle.Digest([]byte("b"))}
	r.Events = r.Events[1:]
	for _, e := range []verify.Expect{{Source: verify.SourceNone}, {Source: verify.SourceClean}, {Commit: "0123456789abcdef0123456789abcdef01234567"}} {
		report, err := verify.Reader(context.Background(), bytes.NewReader(r.Seal().Tar()), verify.Options{Keys: damage{}.trusted(t), Expect: e})
		if report == nil {
			t.Fatal(err)
		}
		if report.Verdict != verify.Undecidable {
			t.Errorf("%+v: %s", e, report.Summary())
		}
	}
}
