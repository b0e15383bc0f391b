// Package release moves a product's releases between channels, one recorded
// decision at a time.
//
// A ledger is a trail of purpose ledger (package audit). Its events say which
// policy holds, which bundle came to which channel, what was measured of it, and
// which way it went; package gates says what follows from them. Nothing is
// appended that does not follow, nothing is ever rewritten, and the time of an
// event is the instant that its decision is about: a verifier has the same
// numbers.
//
// A promotion is four steps: the event promote, the new bundle under a name that
// nobody takes for a bundle's, the event bundle.sealed, the name. After a crash
// between any two of them the next call finds how far the promotion came and
// finishes it, by the same code and to the same bytes: a bundle is sealed over the
// ledger as it stood at its promote. If meanwhile a window came that rolls back,
// the promotion is undone by a rollback instead, and no bundle appears.
package release

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/seen"
	"github.com/relseal/relseal/sign"
)

// Options say who writes a ledger.
type Options struct {
	Signer   sign.Signer
	Clock    audit.Clock
	Producer string // its digest is code.hash of the events: "relseal 0.1.0"
	Actor    string
	Root     *audit.RootRef // of a new ledger: the trust root that its genesis names; may be nil
	NowMS    int64          // somebody's word that it is this time now, about; 0 for none
	Known    []KnownHead    // what is remembered of the ledger: one that does not hold all of it is refused
	Digest   bool           // Promote is to come: it needs no second reading if the digest of the lines is taken in the first

	// Context, if not nil, ends waiting for the lock and reading when it is done, and
	// nothing is appended then. Waiting, if not nil, is told who has the lock.
	Context context.Context
	Waiting func(holder string)
}

func (o *Options) context() context.Context {
	if o.Context == nil {
		return context.Background()
	}
	return o.Context
}

// Create makes a ledger for a product at path, which must not exist, and returns
// the digest of its genesis.
func Create(path, product string, o Options) (sign.Digest, error) {
	var random [16]byte
	rand.Read(random[:]) // never fails
	log, err := audit.Create(path, audit.Genesis{Purpose: audit.PurposeLedger, Run: audit.Run{ID: audit.NewRunID(random)}, Product: product, Root: o.Root}, o.Signer, o.Clock)
	if err != nil {
		return sign.Digest{}, err
	}
	return log.H0(), log.Close()
}

// A Ledger is open for writing. It is for one goroutine; several processes may
// have the same ledger open, and each decides over what the others wrote.
type Ledger struct {
	o     Options
	path  string
	log   *audit.Log
	clock *instant
	*View
}

// Open opens the ledger at path. A ledger that is damaged, or signed with another
// key, is refused, see [audit.Open].
func Open(path string, o Options) (*Ledger, error) {
	l := &Ledger{o: o, path: path, clock: &instant{Clock: o.Clock}, View: newView(o.Known)}
	err := o.agreed()
	if err != nil {
		return nil, err
	}
	l.log, err = audit.OpenWith(o.context(), path, o.Signer, l.clock, audit.Options{Waiting: o.Waiting, Event: l.add, BriefActions: briefActions, Digest: o.Digest, Accept: l.accept})
	if err != nil {
		return nil, err
	}
	k, hk := l.log.Head()
	l.stands(l.log.Genesis(), l.log.H0(), k, hk)
	if l.Genesis.Purpose != audit.PurposeLedger {
		err = fmt.Errorf("%s: the trail of a %s, not a ledger", path, l.Genesis.Purpose)
	}
	if err != nil {
		l.log.Close()
		return nil, err
	}
	return l, nil
}

// accept compares the ledger with what is known of it before the log changes anything.
func (l *Ledger) accept(h0 sign.Digest, k int64, head sign.Digest) error {
	l.H0, l.K, l.HK = h0, k, head
	return l.hold(l.o.Known)
}

// Close closes the file.
func (l *Ledger) Close() error { return l.log.Close() }

// Torn returns what a crash left and Open cleared up.
func (l *Ledger) Torn() []audit.Torn { return l.log.Torn() }

// A View is what a ledger says, up to one event.
type View struct {
	Genesis audit.Genesis
	H0      sign.Digest
	K       int64 // the last event
	HK      sign.Digest
	LastMS  int64 // its ts, or that of the genesis
	State   *ledger.State
	Faults  []*ledger.Fault // events that do not follow from those before them

	Known *KnownHead // the highest of the heads that are known of it; nil for none

	last  ledger.Event              // the last event; what comes next has no time before its
	marks map[int64]seen.Mark       // where a head is known
	came  map[sign.Digest]time.Time // when each bundle came to its channel
}

// Read takes in a ledger. Events count if a key of keys vouches for them; what is
// wrong with the chain, [audit.Check] tells.
func Read(r io.Reader, keys sign.Verifiers) (*View, error) { return ReadKnown(r, keys, nil) }

// briefActions are those of events of which there may be many.
var briefActions = []string{ledger.ActionWindow}

func newView(known []KnownHead) *View {
	v := &View{State: ledger.New(), marks: map[int64]seen.Mark{}, came: map[sign.Digest]time.Time{}}
	for _, h := range known {
		v.marks[h.K] = seen.Mark{}
	}
	return v
}

func (v *View) read(r io.Reader, keys sign.Verifiers) error {
	sum, err := audit.Check(r, audit.CheckOptions{Keys: keys, Bare: true, Event: v.add, BriefActions: briefActions})
	if err != nil {
		return err
	}
	if sum.Genesis == nil {
		return errors.New("not a trail")
	}
	v.stands(*sum.Genesis, sum.H0, sum.K, sum.HK)
	return nil
}

// stands takes note of where the ledger begins and ends.
func (v *View) stands(g audit.Genesis, h0 sign.Digest, k int64, hk sign.Digest) {
	v.Genesis, v.H0, v.K, v.HK = g, h0, k, hk
	if v.K == 0 {
		v.LastMS = g.Created.UnixMilli()
	}
}

func (v *View) add(r audit.Record) {
	if _, ask := v.marks[r.E.K]; ask {
		v.marks[r.E.K] = seen.Mark{HK: r.H, TS: r.Time().Time}
	}
	v.K, v.HK, v.LastMS = r.E.K, r.H, r.E.TS.UnixMilli()
	v.last = eventOf(r.E, max(v.last.TimeMS, v.LastMS))
	if f := v.State.Add(v.last); f != nil {
		v.Faults = append(v.Faults, f)
	} else if all := v.State.Releases(); r.E.Action == ledger.ActionSealed {
		v.came[all[len(all)-1].Bundle] = r.Time().Time
	}
	v.last.Details = nil // of a window they are there no longer than this call
}

// eventOf is what gates needs of an event and of those before it.
func eventOf(e audit.Event, timeMS int64) ledger.Event {
	return ledger.Event{
		K: e.K, TimeMS: timeMS, MonoMS: e.TauMonoUS / 1000, Clock: e.Clock,
		Actor: e.Actor.Said(), Action: e.Action, Notes: e.Notes.Said(), Details: e.Details,
	}
}

// A note is an event to append.
type note struct {
	action  string
	actor   string // "": that of the options
	notes   string
	failed  string // the code that it records
	details any
}

// append appends the events that build returns for the instant now. The ledger it
// sees is the one that they are appended to: if another process was faster, it is
// asked again. The instant is the time of each of the events.
func (l *Ledger) append(build func(now ledger.Event) ([]note, error)) ([]audit.Record, error) {
	for {
		now := l.clock.hold()
		next := now
		next.TimeMS = max(now.TimeMS, l.last.TimeMS)
		notes, err := build(next)
		if err == nil && len(notes) > 0 {
			err = cmp.Or(l.room(notes), l.inTime(notes, now))
		}
		if err != nil || len(notes) == 0 {
			l.clock.release()
			return nil, err
		}
		drafts := make([]audit.Draft, len(notes))
		for i, n := range notes {
			if drafts[i], err = l.draft(n); err != nil {
				l.clock.release()
				return nil, err
			}
		}
		recs, err := l.log.AppendAllAt(l.K, drafts)
		l.clock.release()
		if errors.Is(err, audit.ErrMoved) {
			continue // and what came meanwhile was taken in
		}
		for _, r := range recs {
			before := len(l.Faults)
			if l.add(r); len(l.Faults) > before && err == nil {
				err = fmt.Errorf("%s: event %d does not follow: %w", l.path, r.E.K, l.Faults[before])
			}
		}
		return recs, err
	}
}

func (l *Ledger) draft(n note) (audit.Draft, error) {
	details, err := canon.Marshal(n.details)
	if err != nil {
		return audit.Draft{}, err
	}
	if n.actor == "" {
		n.actor = l.o.Actor
	}
	d := audit.Draft{Action: n.action, Actor: audit.Txt(n.actor), Code: sign.Sum([]byte(l.o.Producer)), Details: details}
	if n.notes != "" {
		d.Notes = audit.Txt(n.notes)
	}
	if n.failed != "" {
		d.Status, d.Error = audit.StatusFailed, audit.Txt(n.failed)
	}
	return d, nil
}

// An instant is a clock that can be held: a decision and the events that record
// it have one time.
type instant struct {
	audit.Clock
	held *reading
}

type reading struct {
	ts    time.Time
	tau   int64
	clock string
}

func (i *instant) Now() (time.Time, int64, string) {
	if r := i.held; r != nil {
		return r.ts, r.tau, r.clock
	}
	return i.Clock.Now()
}

// hold reads the clock and returns an event of that time.
func (i *instant) hold() ledger.Event {
	ts, tau, name := i.Clock.Now()
	i.held = &reading{ts, tau, name}
	return ledger.Event{TimeMS: audit.NewTime(ts).UnixMilli(), MonoMS: tau / 1000, Clock: name}
}

func (i *instant) release() { i.held = nil }

// synchronised reports whether the system vouches for the clock.
func (i *instant) synchronised() bool {
	c, ok := i.Clock.(interface{ Synchronised() bool })
	return ok && c.Synchronised()
}
