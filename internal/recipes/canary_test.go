package recipes

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

// TestCanary plays the example and verifies what it leaves: a release that went up
// to LTS by what was measured, and one that was taken back.
func TestCanary(t *testing.T) {
	bin := relseal(t)
	unix(t)
	need(t, "go")
	dir := copyExample(t, "canary")
	e := execute(t, dir, nil, "go", "run", ".", "-relseal", filepath.Join(bin, "relseal"))
	if e.code != 0 {
		t.Fatalf("exit %d\n%s", e.code, e)
	}
	for _, said := range []string{"PROMOTE: 1.1.0 is stable", "PROMOTE: 1.1.0 is LTS", "ROLLBACK: TRIGGER:drop_rate"} {
		if !strings.Contains(e.stdout, said) {
			t.Errorf("nothing says %q:\n%s", said, e)
		}
	}
	play := filepath.Join(dir, "play")
	trusted, err := keys.LoadTrusted([]string{filepath.Join(play, "release.pub")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.File(context.Background(), filepath.Join(play, "1.1.0-LTS.release.tar.zst"), verify.Options{Keys: trusted})
	if r == nil {
		t.Fatal(err)
	}
	if !r.Valid || len(r.Decisions) != 2 || r.Decisions[0].Windows.Count < 3 || r.Decisions[1].To != "LTS" {
		t.Errorf("%s", r.Summary())
	}
	if _, err := os.Stat(filepath.Join(play, "1.2.0-stable.release.tar.zst")); err == nil {
		t.Error("the release that was taken back is on stable")
	}
	trail := must(t, play, nil, "relseal", "trail", "show", "ledger", "--action", "rollback", "--json")
	if strings.Count(trail, `"action":"rollback`) != 2 || !strings.Contains(trail, `"ok":true`) {
		t.Errorf("the rollback and its end:\n%s", trail)
	}
}
