package docs

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// The oracle finds nothing false in the report of an honest release, and each claim
// false that is told of a world where it is.
func TestOracle(t *testing.T) {
	fillKeyring()
	p := &player{t: t, base: newSecond(t), file: filepath.Join(t.TempDir(), "bundle"), sum: &tally{answers: map[string]int{}, claims: map[string]int{}}}
	fakes := map[string]func(o *oracle, b *sealedBundle){
		"bundle.signed":     func(o *oracle, b *sealedBundle) { delete(o.w.signed, b.id) },
		"bundle.authorized": func(o *oracle, b *sealedBundle) { o.w.signed[b.id] = map[string]int{"nobody": 0} },
		"files.intact":      func(o *oracle, _ *sealedBundle) { o.f.files["VERIFY.md"] = []byte("x") },
		"artifacts.intact":  func(o *oracle, _ *sealedBundle) { delete(o.f.files, "artifacts/out/a") },
		"trail.complete": func(o *oracle, _ *sealedBundle) {
			d := newRun(ringKey("audit0"), "demo", 1, -600)
			d.Continues = testbundle.M{"H_0": testbundle.Digest(nil), "H_k": testbundle.Digest(nil), "k": 1}
			o.f.files["evidence/x.audit.tar.zst"] = o.w.audit(d, late, d.Key).packed
		},
		"release.evidence": func(o *oracle, _ *sealedBundle) { delete(o.w.signed, o.w.runs[0].id) },
		"release.decision": func(o *oracle, b *sealedBundle) {
			m := plain(b.manifest)
			list := m["artifacts"].([]any)
			list[0].(map[string]any)["uri"] = "out/c"
			o.w.manifests[b.id] = m
		},
	}
	for seed := uint64(0); len(fakes) > 0 && seed < 200; seed++ {
		w := newWorld(seed)
		b := w.releases[1]
		f := forgery{files: b.files, held: map[string]bool{}, pinned: 1, later: true, all: true}
		r, s := p.tell(w, f)
		if r.Verdict != verify.Verified || slices.ContainsFunc(r.Claims, func(c verify.Claim) bool { return fakes[c.ID] != nil && c.Grade != verify.Proved }) {
			continue // or a revoked key has sealed something of it
		}
		judge := func(fake func(*oracle, *sealedBundle)) string {
			copied := *w
			copied.signed, copied.manifests = maps.Clone(w.signed), maps.Clone(w.manifests)
			o := &oracle{w: &copied, f: f, r: r, root: s.rooted.last(), latest: s.latest}
			o.f.files = f.files.Clone()
			if fake != nil {
				fake(o, b)
			}
			o.judge()
			return strings.Join(o.faults, "\n")
		}
		if faults := judge(nil); faults != "" {
			t.Errorf("seed %d, an honest release: %s", seed, faults)
		}
		for id, fake := range fakes {
			if faults := judge(fake); !strings.Contains(faults, id+" ") {
				t.Errorf("seed %d: %s is false, and the oracle says %q", seed, id, faults)
			}
		}
		for id, truth := range truths {
			if truth != nil && fakes[id] == nil && id != "artifact.held" {
				t.Errorf("no world makes the claim %s false", id)
			}
		}
		return
	}
	t.Error("no honest release verifies")
}

// tell verifies a forgery under the root.
func (p *player) tell(w *world, f forgery) (*verify.Report, *second) {
	data := f.files.Tar()
	p.write(data)
	return p.rooted(w, f, data)
}
