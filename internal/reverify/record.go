package reverify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/internal/rundir"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// ActionVerified is the event of one bundle; its details are a Result.
const ActionVerified = "bundle.verified"

// ActionSkipped is the event of what lies in the archive and was not judged; its details
// are a Skipped.
const ActionSkipped = "bundle.skipped"

const step = "reverify"

// pipeline is the card of every record.
const pipeline = `schema: relseal/pipeline/v1
card: {id: relseal-reverify, author: relseal}
steps:
  - {id: reverify, run: [relseal, reverify]}
`

// Terms say under what an archive is verified. A record that was broken off goes on
// under the same terms alone.
type Terms struct {
	Root   verify.RootUse
	At     string // "" if no time is asked about
	Strict bool
	Ledger *sign.Digest // of the ledger that dates bundles
}

func (t Terms) params() (cards.Params, error) {
	ledger := "none"
	if t.Ledger != nil {
		ledger = t.Ledger.String()
	}
	at := t.At
	if at == "" {
		at = "none"
	}
	return cards.ParseParams("terms", fmt.Appendf(nil, `schema: relseal/params/v1
card: {id: relseal-reverify, author: relseal}
params:
  - {name: at, type: text, unit: "1", value: %q}
  - {name: ledger, type: text, unit: "1", value: %q}
  - {name: root, type: text, unit: "1", value: %q}
  - {name: root_version, type: integer, unit: "1", value: %d, domain: [1, 999999999]}
  - {name: strict, type: boolean, unit: "1", value: %t}
`, at, ledger, t.Root.Hash.String(), t.Root.Version, t.Strict))
}

// A Record is being written: the trail of a run whose events are the results.
type Record struct {
	Dir  string
	log  *audit.Log
	who  Writer
	code sign.Digest // of the step
	done []Result
	over bool            // the run has ended: only its bundle was not sealed
	said map[string]bool // what the end of a run says, as far as it was recorded
	left []Result        // not appended yet

	unlock func() // lets others write it
}

// A Writer is who writes a record.
type Writer struct {
	Signer   sign.Signer
	Clock    audit.Clock
	Producer string // its digest is code.hash of the events
	Actor    string
}

// Open starts the record in dir, or goes on with the one that is there; Done says
// how far that had come.
func Open(dir string, t Terms, w Writer) (*Record, error) {
	card, err := cards.ParsePipeline("pipeline", []byte(pipeline))
	if err != nil {
		return nil, err
	}
	params, err := t.params()
	if err != nil {
		return nil, err
	}
	r := &Record{Dir: dir, who: w, said: map[string]bool{}}
	if r.code, err = card.Steps[0].Hash(); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return r, r.goOn(params)
	}
	id, err := rundir.NewID()
	if err != nil {
		return nil, err
	}
	lock := environment(w.Producer)
	if err := rundir.Make(rundir.Plan{Dir: dir, ID: id, Product: verify.RecordProduct, EnvLock: lock, Pipeline: card, Params: params, Clock: w.Clock}, w.Signer,
		func(log *audit.Log) error {
			_, err := log.AppendAll([]audit.Draft{r.draft("run.start"), r.stepDraft("step.start")})
			return err
		}); err != nil {
		return nil, err
	}
	if err := r.hold(); err != nil {
		return nil, err
	}
	r.log, err = audit.Open(r.trail(), w.Signer, w.Clock)
	return r, err
}

// hold keeps other processes from writing the same record until it is closed or the
// process ends.
func (r *Record) hold() error {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	unlock, err := durable.Lock(ctx, filepath.Join(r.Dir, ".writing"))
	if errors.Is(err, context.DeadlineExceeded) {
		err = hint.With(fmt.Errorf("%s: %w: another process is writing this record", r.Dir, fs.ErrExist), "wait for it, or choose another --out")
	}
	r.unlock = unlock
	return err
}

// environment is small: a verdict depends on the program, the bundle and the root.
func environment(producer string) envlock.Lock {
	system, version := runtime.GOOS+"/"+runtime.GOARCH, runtime.Version()
	none := envlock.Component{}
	return envlock.Lock{
		Schema: envlock.Schema,
		Env: envlock.Components{OS: envlock.Component{"go": &system}, Kernel: none, Libc: none, Compilers: none, Runtimes: envlock.Component{"go": &version},
			Drivers: none, Firmware: none, Containers: none, HW: none, Backend: none, Options: envlock.Component{"relseal": &producer}},
		Locks: []envlock.LockFile{}, Variables: map[string]*string{},
	}
}

func (r *Record) trail() string { return rundir.File(r.Dir, bundle.TrailPath) }

// goOn takes up a record: what a crash left of a last event is set aside.
func (r *Record) goOn(params cards.Params) error {
	err := r.hold()
	if err != nil {
		return err
	}
	if r.log, err = audit.Open(r.trail(), r.who.Signer, r.who.Clock); err != nil {
		return err
	}
	want, err := params.Marshal()
	if err != nil {
		return err
	}
	if got := r.log.Genesis().ParamCard.Hash; got == nil || *got != sign.Sum(want) {
		r.log.Close()
		return fmt.Errorf("%s: is a record under other terms: another root, time or ledger", r.Dir)
	}
	lock := environment(r.who.Producer)
	print, err := lock.Fingerprint()
	if err != nil {
		return err
	}
	if got := r.log.Genesis().EnvLock.Fingerprint; got == nil || *got != print {
		r.log.Close()
		return fmt.Errorf("%s: is a record by another version of the program, or on another system", r.Dir)
	}
	f, err := regular.Open(r.trail())
	if err != nil {
		return err
	}
	defer f.Close()
	sum, err := audit.Check(f, audit.CheckOptions{
		Bare: true, Keys: sign.Only(r.who.Signer.Public()), EventActions: []string{ActionVerified, ActionSkipped, "step.end", "run.end"},
		Event: func(rec audit.Record) {
			var res Result
			switch {
			case rec.E.Action != ActionVerified:
				r.said[rec.E.Action+string(rec.E.Details)] = true
			case canon.Unmarshal(rec.E.Details, &res) == nil:
				r.done = append(r.done, res)
			}
		},
	})
	r.over = sum.Closed
	return err
}

// Done returns the results that the record holds already.
func (r *Record) Done() []Result { return r.done }

// Add takes in a result. It is on disk after the next Flush: a sync for each would
// cost more than verifying.
func (r *Record) Add(res Result) error {
	r.left = append(r.left, res)
	if len(r.left) < 64 {
		return nil
	}
	return r.Flush()
}

// Flush appends what has been taken in.
func (r *Record) Flush() error {
	drafts := make([]audit.Draft, len(r.left))
	for i, res := range r.left {
		details, err := canon.Marshal(res)
		if err != nil {
			return err
		}
		drafts[i] = r.draft(ActionVerified)
		drafts[i].Details = details
	}
	r.left = nil
	_, err := r.log.AppendAll(drafts)
	return err
}

// Close ends the file of a record that may go on later.
func (r *Record) Close() error {
	defer r.unlock()
	return errors.Join(r.Flush(), r.log.Close())
}

// Finish records what was not judged and ends the run. Nothing is added after that.
func (r *Record) Finish(skipped []Skipped) error {
	defer r.unlock()
	if r.over && len(r.left) == 0 {
		return r.log.Close()
	}
	if err := r.Flush(); err != nil {
		return err
	}
	var drafts []audit.Draft
	for _, f := range skipped {
		details, err := canon.Marshal(f)
		if err != nil {
			return err
		}
		drafts = append(drafts, r.draft(ActionSkipped))
		drafts[len(drafts)-1].Details = details
	}
	end := r.stepDraft("step.end")
	end.Status = audit.StatusOK
	run := r.draft("run.end")
	run.Status = audit.StatusOK
	// What was killed here before has said a part of it.
	drafts = slices.DeleteFunc(append(drafts, end, run, r.draft("trail.close")), func(d audit.Draft) bool {
		return r.said[d.Action+string(d.Details)]
	})
	for part := range slices.Chunk(drafts, 64) {
		if _, err := r.log.AppendAll(part); err != nil {
			return err
		}
	}
	return r.log.Close()
}

func (r *Record) draft(action string) audit.Draft {
	return audit.Draft{Actor: audit.Txt(r.who.Actor), Action: action, Code: sign.Sum([]byte(r.who.Producer))}
}

func (r *Record) stepDraft(action string) audit.Draft {
	d := r.draft(action)
	d.Path = audit.Txt(step)
	d.Code = r.code
	return d
}

// Run returns the run.id of the record.
func (r *Record) Run() string { return r.log.Genesis().Run.ID }
