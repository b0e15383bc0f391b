//go:build unix

package cut

import (
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys/private"
)

// TestCutMedium lets calls to the medium fail: the cut ends with that error, or its run
// failed with it on record, and nothing that it made says anything else.
func TestCutMedium(t *testing.T) {
	key, err := private.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	once := func(t *testing.T, nth int, fault error) (res Result, where string, calls int, err error) {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"relseal.yaml":  "schema: relseal/config/v1\nproduct: demo\nversion: \"1.0.0\"\npipeline: pipeline.yaml\nparams: params.yaml\nartifacts: [demo]\nkey: {file: k.key, passphrase: none}\noutput: dist\n",
			"pipeline.yaml": "schema: relseal/pipeline/v1\ncard: {id: x, author: a}\nsteps:\n  - {id: build, run: [sh, -c, \"cat source >demo\"], inputs: [source], outputs: [demo]}\n",
			"params.yaml":   "schema: relseal/params/v1\ncard: {id: p, author: a}\nparams: []\n",
			"source":        "demo\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		ring := ring{key, filepath.Join(dir, "k.key")}
		if _, err := ring.Save("test"); err != nil {
			t.Fatal(err)
		}
		undo := regular.Inject(func(op, path string) error {
			if calls++; calls == nth {
				where = op + " " + path
				return fault
			}
			return nil
		})
		defer undo()
		res, err = Cut(t.Context(), Request{Dir: dir, Producer: "test 1", Keys: ring})
		return res, where, calls, err
	}
	res, _, all, err := once(t, 0, nil)
	if err != nil || res.Outcome != audit.StatusOK || all < 50 {
		t.Fatalf("without a fault: %+v, %v, %d calls", res, err, all)
	}
	count := 8
	if os.Getenv("RELSEAL_WHOLE") != "" {
		count = 60
	}
	ran := 0
	for _, i := range mathrand.New(mathrand.NewPCG(7, 8)).Perm(all)[:min(count, all)] {
		for _, fault := range []error{syscall.EIO, syscall.EMFILE} {
			res, where, calls, err := once(t, i+1, fault)
			if calls <= i {
				continue // this time there were not so many
			}
			ran++
			// A cut does without the resume state of a trail, and without the name of a public key.
			if spare := strings.HasSuffix(where, ".resume") || strings.HasSuffix(where, ".pub"); spare && err == nil && res.Outcome == audit.StatusOK && res.Release != nil {
				continue
			}
			if !errors.Is(err, fault) && !(err == nil && res.Outcome == audit.StatusFailed && errors.Is(res.Medium, fault)) {
				t.Errorf("%v at call %d, %s: %s, %v", fault, i+1, where, res.Outcome, err)
			}
		}
	}
	t.Logf("%d of %d faults", ran, 2*all)
}
