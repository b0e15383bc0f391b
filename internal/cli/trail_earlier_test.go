package cli

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// A trail that goes on from another one is not complete by itself, and its answer says so.
func TestVerifyContinuingTrail(t *testing.T) {
	t.Chdir(t.TempDir())
	r := testbundle.Demo(testbundle.NewKey("release"), "000102030405060708090a0b0c0d0e0f")
	for _, continues := range []testbundle.M{nil, {"H_0": testbundle.Digest([]byte("a")), "k": 4, "H_k": testbundle.Digest([]byte("b"))}} {
		r.Continues = continues
		for name, data := range map[string][]byte{"t.jsonl": r.Trail(), "k.pub": r.Key.PEM()} {
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var report struct {
			Claims    []verify.Claim    `json:"claims"`
			NonClaims []verify.NonClaim `json:"non_claims"`
		}
		out, _ := relseal(t, 0, "trail verify t.jsonl --key k.pub --json")
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatal(err)
		}
		complete := slices.ContainsFunc(report.Claims, func(c verify.Claim) bool { return c.ID == "trail.complete" })
		earlier := slices.ContainsFunc(report.NonClaims, func(n verify.NonClaim) bool { return n.ID == "trail.earlier" })
		if complete != (continues == nil) || earlier == complete {
			t.Errorf("continues %v: complete %v, earlier %v", continues, complete, earlier)
		}
	}
}
