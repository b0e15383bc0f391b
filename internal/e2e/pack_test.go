package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
)

// TestPackAgain: a run packed again, here or in another place, is the bundle that
// the cut wrote.
func TestPackAgain(t *testing.T) {
	q := quickstart(t)
	elsewhere := t.TempDir() // other paths, other times
	runs := filepath.Join(".relseal", "runs", q.said.Run)
	for _, dir := range []string{runs, "out"} {
		if err := os.CopyFS(filepath.Join(elsewhere, dir), os.DirFS(filepath.Join(q.project, dir))); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := read(t, q.said.Audit.File)
	for _, project := range []string{q.project, q.project, elsewhere} {
		r := pack.Run{Dir: filepath.Join(project, runs), Artifacts: project, Product: q.said.Product}
		got := packed(t, q.said.Audit.ID, func(w io.Writer) (sign.Digest, error) { return pack.Audit(w, r, sealer(t, q)) })
		if !bytes.Equal(got, want) {
			t.Errorf("packed from %s it is not the tar that the cut wrote", project)
		}
	}
}

// TestPackReleaseAgain does the same with the release, whose evidence is the
// audit bundle as a file.
func TestPackReleaseAgain(t *testing.T) {
	q := quickstart(t)
	project, err := cut.Load(q.project)
	if err != nil {
		t.Fatal(err)
	}
	audit := filepath.Join(t.TempDir(), "other-name.tar.zst")
	copyFile(t, audit, q.said.Audit.File)
	want, files := read(t, q.said.Release.File)
	for _, file := range []string{q.said.Audit.File, audit} {
		r := pack.Release{Product: q.said.Product, Version: q.said.Version, Gates: project.Policy, Audit: []string{file}}
		if q.commit != "" {
			r.Commit = &q.commit
		}
		got := packed(t, q.said.Release.ID, func(w io.Writer) (sign.Digest, error) { return pack.Canary(w, r, sealer(t, q)) })
		if !bytes.Equal(got, want) {
			t.Errorf("over %s it is not the tar that the cut wrote", file)
		}
	}

	id, err := sign.ParseDigest(q.said.Audit.ID)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(audit)
	if err != nil || !bytes.Equal(files[bundle.EvidencePath(id)], file) {
		t.Errorf("the evidence is not the audit bundle beside the release (%v)", err)
	}
}

// packed returns the tar that seal writes, of a bundle that must have this id.
func packed(t *testing.T, id string, seal func(io.Writer) (sign.Digest, error)) []byte {
	t.Helper()
	var w bytes.Buffer
	got, err := seal(&w)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != id {
		t.Errorf("bundle.id %s, want %s", got, id)
	}
	return unzstd(t, w.Bytes())
}

func sealer(t *testing.T, q release) bundle.Sealer {
	t.Helper()
	key, err := private.Load(q.secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	return wrap.New(key)
}

// TestRebuild: the artifact in both bundles, the one that the run recorded and
// the one that it built again in another place are the same.
func TestRebuild(t *testing.T) {
	q := quickstart(t)
	_, audit := read(t, q.said.Audit.File)
	_, shipped := read(t, q.said.Release.File)
	recorded := map[string]string{}
	for line := range bytes.Lines(audit["audit/trail.jsonl"]) {
		var l struct {
			E struct {
				Action  string
				Outputs struct{ Items []struct{ Hash, URI string } }
			}
		}
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		for _, o := range l.E.Outputs.Items {
			if l.E.Action == "step.end" {
				recorded[o.URI] = o.Hash
			}
		}
	}
	again, err := os.ReadFile(filepath.Join(q.project, "out", "again", "greetd"))
	if err != nil {
		t.Fatal(err)
	}
	want := sign.Sum(audit["artifacts/out/greetd"]).String()
	for what, got := range map[string]string{
		"the release's copy":      sign.Sum(shipped["artifacts/out/greetd"]).String(),
		"what build recorded":     recorded["out/greetd"],
		"what rebuild recorded":   recorded["out/again/greetd"],
		"what rebuild left there": sign.Sum(again).String(),
	} {
		if got != want {
			t.Errorf("%s is %q, the audit bundle's copy %s", what, got, want)
		}
	}
}
