package pack

import (
	"strings"
	"testing"

	"github.com/relseal/relseal/sign"
)

func TestSettle(t *testing.T) {
	text := func(s string) *string { return &s }
	run := func(name, product, outcome string, commits ...string) Evidence {
		return Evidence{File: name, ID: sign.Sum([]byte(name)), Product: product, Outcome: outcome, Commits: commits}
	}
	for name, tt := range map[string]struct {
		r    Release
		runs []Evidence
		want string // product, commit and bundles, or the error
	}{
		"what the run says":     {Release{}, []Evidence{run("a", "demo", "ok", "c0")}, "demo c0 a"},
		"what the caller says":  {Release{Product: "demo", Commit: text("c0")}, []Evidence{run("a", "demo", "ok")}, "demo c0 a"},
		"nobody knows a commit": {Release{}, []Evidence{run("a", "demo", "ok")}, "demo - a"},
		"in another case":       {Release{Commit: text("C0")}, []Evidence{run("a", "demo", "ok", "c0")}, "demo c0 a"},
		"one of two knows":      {Release{}, []Evidence{run("b", "demo", "ok"), run("a", "demo", "ok", "c0")}, "demo c0 b a"},
		"they agree":            {Release{}, []Evidence{run("a", "demo", "ok", "c0"), run("b", "demo", "ok", "c0")}, "demo c0 a b"},
		"they differ":           {Release{}, []Evidence{run("a", "demo", "ok", "c0"), run("b", "demo", "ok", "c1")}, "b: its source was commit c1, not c0"},
		"in one bundle":         {Release{}, []Evidence{run("a", "demo", "ok", "c0", "c1")}, "a: its source was commit c1, not c0"},
		"another commit":        {Release{Commit: text("c1")}, []Evidence{run("a", "demo", "ok", "c0")}, "a: its source was commit c0, not c1"},
		"another product":       {Release{Product: "other"}, []Evidence{run("a", "demo", "ok")}, `a: the run is of product "demo", not of "other"`},
		"two products":          {Release{}, []Evidence{run("a", "demo", "ok"), run("b", "other", "ok")}, `b: the run is of product "other", not of "demo"`},
		"a run that failed":     {Release{}, []Evidence{run("a", "demo", "failed")}, "a: a release cannot rest on a run whose outcome is failed"},
		"twice":                 {Release{}, []Evidence{run("a", "demo", "ok"), run("b", "demo", "ok"), run("a", "demo", "ok")}, "a: the same audit bundle is given twice"},
	} {
		got := ""
		if err := tt.r.Settle(tt.runs); err != nil {
			got = err.Error()
		} else {
			commit := "-"
			if tt.r.Commit != nil {
				commit = *tt.r.Commit
			}
			got = strings.Join(append([]string{tt.r.Product, commit}, tt.r.Audit...), " ")
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestReadEvidence(t *testing.T) {
	name, _, o := verified(t, "good-audit")
	e, err := ReadEvidence(name, o.Keys)
	if err != nil || e.Product != "demo" || e.Outcome != "ok" || len(e.Commits) != 1 || e.Commits[0] != "0123456789abcdef0123456789abcdef01234567" {
		t.Errorf("%+v, %v", e, err)
	}
	name, _, o = verified(t, "good-release")
	if e, err := ReadEvidence(name, o.Keys); err == nil {
		t.Errorf("a release is evidence: %+v", e)
	}
}
