package docs

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// The table of codes has every code once, every code anywhere on the page
// exists, and the verdicts that the vectors expect are among those of the table.
func TestCodes(t *testing.T) {
	known := finding.Codes()
	listed := map[string]string{}
	for _, row := range rowsOf(t, "The codes", "code,verdict,about") {
		code := spans(row[0])[0]
		if listed[code] != "" {
			t.Errorf("%s stands in the table twice", code)
		}
		listed[code] = row[1]
	}
	for _, c := range known {
		if listed[string(c)] == "" {
			t.Errorf("the table of codes lacks %s", c)
		}
	}
	for _, code := range regexp.MustCompile(`\bE_[A-Z_]+`).FindAllString(read(t, formatPage), -1) {
		if !slices.Contains(known, finding.Code(code)) {
			t.Errorf("the page speaks of %s, which is no code", code)
		}
	}
	for _, v := range vectors(t) {
		for _, f := range v.Expect.Findings {
			if f.Code == "E_ARTIFACT_MISSING" && v.Strict {
				continue // raised by the option
			}
			if !strings.Contains(listed[f.Code], f.Verdict) {
				t.Errorf("%s: %s is %s in the vector %s, and %q on the page", f.Path, f.Code, f.Verdict, v.Name, listed[f.Code])
			}
		}
	}
}

// The table of claims has every claim with its grade, and the names of the
// non-claims stand below it.
func TestClaims(t *testing.T) {
	onPage := map[string]string{}
	for _, row := range rowsOf(t, "Claims", "claim,grade,rests on") {
		onPage[spans(row[0])[0]] = row[1]
	}
	made := map[string]string{}
	others := map[string]bool{}
	for _, r := range reports(t) {
		for _, c := range r.Claims {
			made[c.ID] = c.Grade
		}
		for _, n := range r.NonClaims {
			others[n.ID] = true
		}
	}
	if !maps.Equal(onPage, made) {
		t.Errorf("the page has the claims %v; the reports of the vectors make %v", onPage, made)
	}
	page := read(t, formatPage)
	for id := range others {
		if !strings.Contains(page, "`"+id+"`") {
			t.Errorf("the page lacks the non-claim %s", id)
		}
	}
}

// The reports of all vectors are as the table says.
func TestReports(t *testing.T) {
	f := form{shapes(t), isLeaf}
	for name, r := range reports(t) {
		data, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		v, ok := readCanonical(data)
		if !ok {
			t.Fatalf("%s: the report is not canonical: %s", name, data)
		}
		if fault := f.check("the report", v); fault != "" {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// reports verifies every vector whose keys load, by the name of the vector, and
// a release with a gate policy and a bundle held against another copy, of which
// there are no vectors.
func reports(t *testing.T) map[string]*verify.Report {
	t.Helper()
	all := map[string]*verify.Report{}
	for _, v := range vectors(t) {
		if v.Expect.Error == "" {
			all[v.Name] = report(t, filepath.Join(vectorDir, v.Bundle), v.options(t))
		}
	}
	name := filepath.Join(t.TempDir(), "policy.tar")
	withPolicy := demo().Release(releaseKey, func(m testbundle.M) { m["gates"] = policy() })
	if err := os.WriteFile(name, withPolicy.Tar(), 0o644); err != nil {
		t.Fatal(err)
	}
	all["a release with a policy"] = report(t, name, verify.Options{Keys: trusted(t)})
	other, err := verify.LoadReference(filepath.Join(vectorDir, "good-audit.tar.zst"))
	if err != nil {
		t.Fatal(err)
	}
	all["against another copy"] = report(t, filepath.Join(vectorDir, "event-edited.tar.zst"), verify.Options{Keys: trusted(t), Against: other})
	return all
}

func report(t *testing.T, name string, o verify.Options) *verify.Report {
	t.Helper()
	r, err := verify.File(context.Background(), name, o)
	if r == nil {
		t.Fatal(err)
	}
	return r
}
