package verify_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

func vectorOptions(t *testing.T) verify.Options {
	t.Helper()
	trusted, err := keys.LoadTrusted([]string{filepath.Join(vectorDir, "keys", "release.pub")})
	if err != nil {
		t.Fatal(err)
	}
	return verify.Options{Keys: trusted}
}

// Whoever looks at the error alone gets the answer.
func TestErr(t *testing.T) {
	o := vectorOptions(t)
	for _, tt := range []struct {
		bundle  string
		verdict verify.Verdict
		code    verify.Code
	}{
		{"good-release", verify.Verified, ""},
		{"artifact-missing", verify.Undecidable, finding.ArtifactMissing},
		{"artifact-changed", verify.Reject, finding.ArtifactHash},
	} {
		name := filepath.Join(vectorDir, tt.bundle+".tar.zst")
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for way, check := range map[string]func() (*verify.Report, error){
			"File":   func() (*verify.Report, error) { return verify.File(context.Background(), name, o) },
			"Reader": func() (*verify.Report, error) { return verify.Reader(context.Background(), bytes.NewReader(data), o) },
		} {
			r, err := check()
			if r == nil || r.Verdict != tt.verdict {
				t.Fatalf("%s: %s: report %v, %v", tt.bundle, way, r, err)
			}
			if tt.verdict == verify.Verified {
				if err != nil || r.Err() != nil {
					t.Errorf("%s: %s: %v, %v", tt.bundle, way, err, r.Err())
				}
				continue
			}
			e, ok := errors.AsType[*verify.AnswerError](err)
			if !ok || e.Verdict != tt.verdict || e.FindingCode() != tt.code || !strings.HasPrefix(e.Error(), string(tt.verdict)+": "+string(tt.code)) {
				t.Errorf("%s: %s: %v, want %s %s", tt.bundle, way, err, tt.verdict, tt.code)
			}
		}
	}
}

// No report that nobody made is a yes.
func TestErrOfNothing(t *testing.T) {
	for name, r := range map[string]*verify.Report{"nil": nil, "zero": {}, "without a verdict": {Valid: true}, "not valid": {Verdict: verify.Verified}} {
		if r.Err() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNoTrust(t *testing.T) {
	name := filepath.Join(vectorDir, "good-release.tar.zst")
	if r, err := verify.File(context.Background(), name, verify.Options{}); r != nil || !errors.Is(err, verify.ErrNoTrust) {
		t.Errorf("File: %v, %v", r, err)
	}
	if r, err := verify.Reader(context.Background(), strings.NewReader(""), verify.Options{}); r != nil || !errors.Is(err, verify.ErrNoTrust) {
		t.Errorf("Reader: %v, %v", r, err)
	}
	if r, err := verify.Artifact(context.Background(), name, name, verify.Options{}); r != nil || !errors.Is(err, verify.ErrNoTrust) {
		t.Errorf("Artifact: %v, %v", r, err)
	}
	// Keys that trust nobody are keys: what they say is that the key is unknown.
	var nobody *keys.Trusted
	if _, err := verify.File(context.Background(), name, verify.Options{Keys: nobody}); !strings.Contains(err.Error(), "E_KEY_UNKNOWN") {
		t.Errorf("nobody: %v", err)
	}
}

func TestArtifact(t *testing.T) {
	o := vectorOptions(t)
	file := filepath.Join(t.TempDir(), "demo")
	for _, tt := range []struct{ bundle, content, want string }{
		{"good-release", "a small artifact\n", ""},
		{"good-release", "another artifact\n", "E_ARTIFACT_HASH"},
		{"good-audit", "a small artifact\n", "an AuditBundle, want a ReleaseBundle"},
		{"container-cut", "a small artifact\n", "REJECT"},
	} {
		if err := os.WriteFile(file, []byte(tt.content), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := verify.Artifact(context.Background(), file, filepath.Join(vectorDir, tt.bundle+".tar.zst"), o)
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) || r != nil && r.Product != "" {
				t.Errorf("%s of %q: %+v, %v, want %s", tt.bundle, tt.content, r, err, tt.want)
			}
			continue
		}
		if err != nil || r.Product != "demo" || r.Version != "1.0.0" || r.Channel != "canary" || strings.Join(r.URIs, " ") != "out/demo" {
			t.Errorf("%s: %+v, %v", tt.bundle, r, err)
		}
	}
}
