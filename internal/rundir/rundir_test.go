package rundir

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/ciinfo"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/run"
)

type doc string

func (d doc) Marshal() ([]byte, error) {
	if d == "" {
		return nil, errors.New("no document")
	}
	return []byte(d), nil
}

func newPlan(t *testing.T) (Plan, *private.Key) {
	t.Helper()
	key, err := private.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := NewID()
	if err != nil {
		t.Fatal(err)
	}
	card := cards.Pipeline{
		Schema: cards.PipelineSchema, Card: cards.Identity{ID: "demo", Author: "test"},
		Steps: []cards.Step{{ID: "build", Run: []string{"no-such-program"}}},
	}
	return Plan{
		Dir: filepath.Join(t.TempDir(), "records", "run"), ID: id, Product: "demo",
		EnvLock: doc("{}"), Pipeline: card, Params: doc("{}"), Clock: clock.System(),
	}, key
}

// What was recorded is read again, also while it goes on.
func TestRecordRead(t *testing.T) {
	p, key := newPlan(t)
	commit := "0123456789abcdef0123456789abcdef01234567"
	start := OfCI(&ciinfo.Info{System: "gitlab-ci", Commit: &commit})
	details, err := start.Details()
	if err != nil {
		t.Fatal(err)
	}
	begun, err := Record(p, key, func(log *audit.Log) error {
		j := run.Job{Dir: t.TempDir(), Pipeline: p.Pipeline.(cards.Pipeline), Actor: "tester", Producer: "test 1", Details: details, LogDir: Logs(p.Dir)}
		j.Progress = func(e run.Event) {
			if e.Status != "" {
				return
			}
			if r, err := Read(p.Dir); err != nil || r.Outcome != nil || len(r.Findings) != 0 {
				t.Errorf("under way: outcome %v, %v, %v", r.Outcome, r.Findings, err)
			}
		}
		_, err := run.Execute(t.Context(), j, log)
		return err
	})
	if !begun || err != nil {
		t.Fatal(begun, err)
	}
	r, err := Read(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != p.ID || *r.Product != "demo" || *r.Actor != "tester" || *r.Outcome != audit.StatusFailed || r.Started == nil || r.Ended == nil || len(r.Findings) != 0 {
		t.Errorf("run %+v", r)
	}
	if r.Source == nil || r.Source.Commit != commit || r.Source.Dirty != nil || *r.CI.Commit != commit || r.CI.Actor != nil {
		t.Errorf("start %+v", r.Start)
	}
	if s := r.Steps[0]; s.ID != "build" || *s.Status != audit.StatusFailed || s.Makespan != nil || s.ExitCode != nil || *s.Error == "" {
		t.Errorf("step %+v", s)
	}
}

// Of a run that does not begin nothing is left; what was there stays.
func TestRecordNothing(t *testing.T) {
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		change func(*Plan)
		want   error
	}{
		"no document":     {func(p *Plan) { p.Params = doc("") }, nil},
		"no genesis":      {func(p *Plan) { p.ID = "short" }, nil},
		"nothing is done": {func(*Plan) {}, broken},
	} {
		p, key := newPlan(t)
		tt.change(&p)
		begun, err := Record(p, key, func(*audit.Log) error { return broken })
		if begun || err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v", name, begun, err)
		}
		if _, err := os.Lstat(p.Dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the directory is left: %v", name, err)
		}
	}

	p, key := newPlan(t)
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	begun, err := Record(p, key, func(*audit.Log) error { return nil })
	if begun || !errors.Is(err, fs.ErrExist) {
		t.Errorf("a directory that exists: %v, %v", begun, err)
	}
	if _, err := os.Lstat(p.Dir); err != nil {
		t.Error(err)
	}
}

// TestRecordBrokenOff: a record that could not be written to its end is known as one, and
// the directory can be had for another run.
func TestRecordBrokenOff(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such locks there")
	}
	p, key := newPlan(t)
	broken := errors.New("broken")
	begun, err := Record(p, key, func(log *audit.Log) error {
		job := run.Job{Dir: t.TempDir(), Pipeline: p.Pipeline.(cards.Pipeline), Actor: "tester", Producer: "test 1", LogDir: Logs(p.Dir)}
		job.Progress = func(run.Event) {
			if Abandoned(p.Dir) {
				t.Error("a run that goes on counts as abandoned")
			}
		}
		_, err := run.Execute(t.Context(), job, log)
		return errors.Join(err, broken)
	})
	if !begun || !errors.Is(err, broken) || !Abandoned(p.Dir) {
		t.Fatalf("%v, %v, abandoned %v", begun, err, Abandoned(p.Dir))
	}
	if aside, err := Vacate(p.Dir); err != nil || aside == "" {
		t.Errorf("moved to %q: %v", aside, err)
	}
}

func TestDetails(t *testing.T) {
	dirty := false
	for want, s := range map[string]Start{
		"":                    {},
		`{"wrapped":true}`:    {Wrapped: true},
		`{"version":"1.0.0"}`: {Version: "1.0.0"},
		`{"source":{"commit":"c","dirty":false}}`: {Source: &Source{"c", &dirty}},
	} {
		if got, err := s.Details(); err != nil || string(got) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	if s := OfCI(nil); s != (Start{}) {
		t.Errorf("outside of CI: %+v", s)
	}
}
