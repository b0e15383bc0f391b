package library

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/verify"
)

const vectors = "../../testdata/vectors"

func TestFetch(t *testing.T) {
	server := httptest.NewServer(http.FileServer(http.Dir(vectors)))
	defer server.Close()
	trusted, err := keys.LoadTrusted([]string{filepath.Join(vectors, "keys", "release.pub")})
	if err != nil {
		t.Fatal(err)
	}
	report, err := Fetch(context.Background(), server.URL+"/good-release.tar.zst", "demo", trusted)
	if err != nil || report.Verdict != verify.Verified {
		t.Fatalf("%v, %v", report, err)
	}
	for path, product := range map[string]string{"/container-cut.tar.zst": "demo", "/good-release.tar.zst": "another"} {
		_, err := Fetch(context.Background(), server.URL+path, product, trusted)
		if answer, ok := errors.AsType[*verify.AnswerError](err); !ok || answer.Verdict != verify.Reject {
			t.Errorf("%s of %s: %v", path, product, err)
		}
	}
	if _, err := Fetch(context.Background(), server.URL+"/nowhere", "demo", trusted); err == nil {
		t.Error("nothing was there, and that was VERIFIED")
	}
}

func TestTrail(t *testing.T) {
	key, err := private.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	if err := Start(path, "billing", key); err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"user.login", "invoice.cancel"} {
		if err := Record(path, key, "ann@example.test", action); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ann@example.test user.login", "ann@example.test invoice.cancel"}
	if got, err := Actions(strings.NewReader(string(data)), key.Public()); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	edited := strings.Replace(string(data), "invoice.cancel", "invoice.create", 1)
	got, err := Actions(strings.NewReader(edited), key.Public())
	var coded interface{ FindingCode() finding.Code }
	if !errors.As(err, &coded) || coded.FindingCode() != finding.EventID || !slices.Equal(got, want[:1]) {
		t.Errorf("edited: %q, %v", got, err)
	}
}

const policy = `
schema: relseal/gates/v1
mode: literal
r_canary: "0.05"
T_obs: 3m
T_rollback: 2m
stale_max: 2m
W_min: 3
N_LTS: 3
gap_max: 0s
skew_max: 1s
max_undecidable: 2
tau_score: "0.95"
gate_rep: "0.02"
tau_psd: {kind: rel_l1, max: "0.05"}
tau_tb: {kind: rms, unit: s, max: "0.001"}
tau_hb: "5"
tau_drop: "0.01"
tau_inc: "0.1"
`

func TestDecide(t *testing.T) {
	const head = "id,channel,start_ms,end_ms,score,delta_rep,delta_psd,r_tb,hb_lag,drop_rate\n"
	for rep, want := range map[string]gates.Outcome{"0.01": gates.Promote, "0.03": gates.Hold} {
		windows := head + "w1,canary,1767348000000,1767348060000,0.97,0.01,0.01,0.0002,1.5,0.001\n" +
			"w2,canary,1767348060000,1767348120000,0.97," + rep + ",0.01,0.0002,1.5,0.001\n" +
			"w3,canary,1767348120000,1767348180000,0.97,0.01,0.01,0.0002,1.5,0.001\n"
		d, err := Decide([]byte(policy), strings.NewReader(windows), 1_767_348_000_000, 1_767_348_180_000)
		if err != nil || d.Decision != want {
			t.Errorf("delta_rep %s: %v, %v, want %s", rep, d.Decision, err, want)
		}
	}
}
