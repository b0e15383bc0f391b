package cut

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/internal/pack"
)

// TestSettle ends a cut that takes the place of an earlier one after each of its steps:
// the bundles of one of the two are there, and nothing else.
func TestSettle(t *testing.T) {
	const vector = "../../testdata/vectors/good-audit.tar.zst"
	m, err := pack.ReadAudit(vector)
	if err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(vector)
	if err != nil {
		t.Fatal(err)
	}
	for end := range 5 {
		dir := t.TempDir()
		audit, release := filepath.Join(dir, "p.audit.tar.zst"), filepath.Join(dir, "p.release.tar.zst")
		write := func(file, text string) {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write(audit, "old")
		write(release, "old")
		switch {
		case end == 1: // setAside was killed in its middle
			if err := os.Rename(release, aside(release, m.Run.ID)); err != nil {
				t.Fatal(err)
			}
		case end > 1:
			if err := setAside(audit, release, m.Run.ID); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"old", "old"}
		if end > 2 {
			write(audit, string(made))
		}
		if end > 3 {
			write(release, "new")
			want = []string{string(made), "new"}
		}
		settle(audit, release, m.Run.ID)
		for i, file := range []string{audit, release} {
			if got, err := os.ReadFile(file); err != nil || string(got) != want[i] {
				t.Errorf("after %d steps: %s holds %.20q, %v", end, filepath.Base(file), got, err)
			}
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
			t.Errorf("after %d steps: %v, %v", end, entries, err)
		}
	}
}
