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
	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/finding"
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
	return cardfile.Params("terms", fmt.Appendf(nil, `schema: relseal/params/v1
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
	Dir    string
	log    *audit.Log
	who    Writer
	card   cards.Pipeline
	params cards.Params
	code   sign.Digest // of the step
	left   []Result    // not appended yet

	// Of what was there: see Before, Done and Fault.
	there  bool
	before string
	done   map[string]Result
	fault  error

	unlock func() // lets others write it
}

// A Writer is who writes a record.
type Writer struct {
	Signer   sign.Signer
	Clock    audit.Clock
	Producer string // its digest is code.hash of the events
	Actor    string
}

// Open reads what is left in dir of a record that was broken off, if there is one; Begin
// starts this one.
func Open(dir string, t Terms, w Writer) (*Record, error) {
	r := &Record{Dir: dir, who: w, unlock: func() {}}
	var err error
	if r.card, err = cardfile.Pipeline("pipeline", []byte(pipeline)); err != nil {
		return nil, err
	}
	if r.params, err = t.params(); err != nil {
		return nil, err
	}
	if r.code, err = r.card.Steps[0].Hash(); err != nil {
		return nil, err
	}
	return r, r.look()
}

// Begin makes the record anew, with results that Done returned and that still count. Their
// events are signed again: of a directory that others may have written to, nothing is kept
// but what this key has signed there and is true now. What was there is removed or, if keep
// is set, put aside under the name that is returned.
func (r *Record) Begin(kept []Result, keep bool) (aside string, err error) {
	dir := r.Dir
	if r.there {
		dir = r.fresh()
		if err := durable.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	if err := r.make(dir, kept); err != nil {
		return "", err
	}
	if r.there {
		if aside, err = r.vacate(keep); err == nil {
			err = os.Rename(dir, r.Dir)
		}
	}
	if err == nil {
		err = r.hold()
	}
	if err == nil {
		r.log, err = audit.Open(r.trail(), r.who.Signer, r.who.Clock)
	}
	return aside, err
}

// fresh is where a record is made before it takes the place of another.
func (r *Record) fresh() string { return r.Dir + ".new" }

func (r *Record) make(dir string, kept []Result) error {
	id, err := rundir.NewID()
	if err != nil {
		return err
	}
	return rundir.Make(rundir.Plan{Dir: dir, ID: id, Product: verify.RecordProduct, EnvLock: environment(r.who.Producer), Pipeline: r.card, Params: r.params, Clock: r.who.Clock}, r.who.Signer,
		func(log *audit.Log) error {
			_, err := log.AppendAll([]audit.Draft{r.draft("run.start"), r.stepDraft("step.start")})
			for part := range slices.Chunk(kept, chunk) {
				if err == nil {
					err = r.append(log, part)
				}
			}
			return err
		})
}

// vacate makes room for the record.
func (r *Record) vacate(keep bool) (aside string, err error) {
	r.unlock()
	if !keep {
		return "", durable.RemoveAll(r.Dir)
	}
	for n := 1; ; n++ {
		aside = fmt.Sprintf("%s.aside-%d", r.Dir, n)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return aside, os.Rename(r.Dir, aside)
		} else if err != nil {
			return "", err
		}
	}
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
	if err == nil {
		r.unlock = unlock
	}
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

// look reads what is in the directory. An error is of the medium, or somebody is writing.
func (r *Record) look() error {
	info, err := os.Lstat(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		// A process may have been killed when it had made room for its record.
		if err := os.Rename(r.fresh(), r.Dir); err != nil {
			return nil
		}
		info, err = os.Lstat(r.Dir)
	}
	if err != nil {
		return err
	}
	r.there = true
	if !info.IsDir() {
		r.fault = errors.New("is no directory")
		return nil
	}
	if err = r.hold(); err == nil {
		err = r.read()
	}
	if regular.Failed(err) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrExist) {
		r.unlock()
		return err
	}
	r.fault = err
	return nil
}

// read reads a record of the same key, the same version and the same terms. Any other is
// an error, and so is one with a finding that rejects.
func (r *Record) read() error {
	f, err := regular.Open(r.trail())
	if err != nil {
		return err
	}
	defer f.Close()
	var fault error
	done := map[string]Result{}
	sum, err := audit.Check(f, audit.CheckOptions{
		Bare: true, Keys: sign.Only(r.who.Signer.Public()), EventActions: []string{ActionVerified},
		Report: func(f finding.Finding) {
			if f.Verdict == finding.Reject && fault == nil {
				fault = f.Err()
			}
		},
		Event: func(rec audit.Record) {
			var res Result
			if rec.E.Action == ActionVerified && canon.Unmarshal(rec.E.Details, &res) == nil {
				done[res.File] = res
			}
		},
	})
	if err != nil || fault != nil {
		return errors.Join(err, fault)
	}
	if sum.Genesis == nil || sum.Key == nil {
		return errors.New("is no record by this key")
	}
	lock := environment(r.who.Producer)
	print, err := lock.Fingerprint()
	if err != nil {
		return err
	}
	terms, err := digest(r.params)
	if err != nil {
		return err
	}
	card, err := digest(r.card)
	if err != nil {
		return err
	}
	is := func(got *sign.Digest, want sign.Digest) bool { return got != nil && *got == want }
	switch g := sum.Genesis; {
	case g.Purpose != audit.PurposeRun || g.Product != verify.RecordProduct || !is(g.PipelineCard.Hash, card):
		return errors.New("is the record of something else")
	case !is(g.ParamCard.Hash, terms):
		return errors.New("is a record under other terms: another root, time or ledger")
	case !is(g.EnvLock.Fingerprint, print):
		return errors.New("is a record by another version of the program, or on another system")
	default:
		r.before, r.done = g.Run.ID, done
	}
	return nil
}

func digest(d rundir.Document) (sign.Digest, error) {
	data, err := d.Marshal()
	return sign.Sum(data), err
}

// Done returns the results of the record that was broken off, by file.
func (r *Record) Done() map[string]Result { return r.done }

// Before returns the run.id of the record that was broken off, "" if there is none.
func (r *Record) Before() string { return r.before }

// Fault returns why nothing counts of what was there; nil if it does, or nothing was.
func (r *Record) Fault() error { return r.fault }

// chunk is how many events are appended at a time.
const chunk = 64

// Add takes in a result. It is on disk after the next Flush: a sync for each would
// cost more than verifying.
func (r *Record) Add(res Result) error {
	r.left = append(r.left, res)
	if len(r.left) < chunk {
		return nil
	}
	return r.Flush()
}

// Flush appends what has been taken in.
func (r *Record) Flush() error {
	left := r.left
	r.left = nil
	return r.append(r.log, left)
}

func (r *Record) append(log *audit.Log, results []Result) error {
	drafts := make([]audit.Draft, len(results))
	for i, res := range results {
		details, err := canon.Marshal(res)
		if err != nil {
			return err
		}
		drafts[i] = r.draft(ActionVerified)
		drafts[i].Details = details
	}
	_, err := log.AppendAll(drafts)
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
	drafts = append(drafts, end, run, r.draft("trail.close"))
	for part := range slices.Chunk(drafts, chunk) {
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
