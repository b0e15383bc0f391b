package release

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/limits"
)

// A strangeClock is the clock of another machine than the one that wrote the ledger.
type strangeClock struct {
	testClock
	synced bool
}

func (c *strangeClock) Now() (time.Time, int64, string) {
	at, _, _ := c.testClock.Now()
	return at, 0, "another"
}

func (c *strangeClock) Synchronised() bool { return c.synced }

// What a clock says is recorded for ever: one that is ahead of everything on record is
// refused unless something speaks for it, and then the ledger does not wait for it.
func TestClockAhead(t *testing.T) {
	for _, c := range []struct {
		name  string
		ahead time.Duration
		clock func(*fixture, *Options)
		good  bool
	}{
		{"an hour", time.Hour, nil, true},
		{"five hours", 5 * time.Hour, nil, false},
		{"a year", 365 * 24 * time.Hour, nil, false},
		{"a year, and the system keeps it to the time of others", 365 * 24 * time.Hour, func(_ *fixture, o *Options) { o.Clock.(*strangeClock).synced = true }, true},
		{"a year, and somebody says so", 365 * 24 * time.Hour, func(_ *fixture, o *Options) { o.NowMS = ms(365*24*time.Hour + time.Hour) }, true},
		{"a year, and somebody says another time", 365 * 24 * time.Hour, func(_ *fixture, o *Options) { o.NowMS = ms(5 * time.Hour) }, false},
		{"an hour, and somebody says that it is another month", time.Hour, func(_ *fixture, o *Options) { o.NowMS = ms(-30 * 24 * time.Hour) }, false},
		{"the clock that wrote the ledger has gone on", 365 * 24 * time.Hour, func(f *fixture, o *Options) {
			f.clock.at = 365 * 24 * time.Hour
			o.Clock = f.clock
		}, true},
	} {
		f := newFixture(t)
		f.register()
		o := f.options()
		o.Clock = &strangeClock{testClock: testClock{c.ahead}}
		if c.clock != nil {
			c.clock(f, &o)
		}
		l, err := Open(f.path, o)
		if err == nil {
			_, err = l.Admit(bundleOf("canary", gates.Canary))
			l.Close()
		}
		refused, ok := errors.AsType[*RefusedError](err)
		if (err == nil) != c.good || err != nil && (!ok || refused.Code != finding.TimebaseSkew || !refused.Undecided) {
			t.Errorf("%s: %v", c.name, err)
		}
		f.open()
		f.clock.at = max(f.clock.at, time.Minute)
		if !c.good { // the right clock is not blocked
			f.admit("another")
			if got := f.actions(); !slices.Equal(got, []string{"policy.register", "bundle.sealed"}) {
				t.Errorf("%s: %q", c.name, got)
			}
		}
	}
}

// Windows that were measured just now speak for the clock; those of long ago do not.
func TestClockAheadOfWindows(t *testing.T) {
	f, b := canary(t, 1)
	o := f.options()
	o.Clock = &strangeClock{testClock: testClock{10 * time.Hour}}
	l, err := Open(f.path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Observe([]gates.Window{window(b, 2, time.Minute)}, false); err == nil {
		t.Error("recorded a time nine hours ahead")
	}
	if o, err := l.Observe([]gates.Window{window(b, 2, 9*time.Hour)}, false); err != nil || o.Appended != 1 {
		t.Errorf("%+v %v", o, err)
	}
}

// Rolling back waits for no clock.
func TestClockRollback(t *testing.T) {
	for _, at := range []time.Duration{-time.Hour, 1000 * time.Hour} {
		f, b := canary(t, 1)
		o := f.options()
		o.Clock = &strangeClock{testClock: testClock{at}}
		l, err := Open(f.path, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Rollback(b.ID, "ann", "checkout fails"); err != nil {
			t.Error(err)
		}
		l.Close()
	}
}

// Who fills a release with text keeps it from being promoted: of a batch that has no room
// for all, what fits is recorded, so that the ledger shows that it is full.
func TestFull(t *testing.T) {
	if os.Getenv("RELSEAL_WHOLE") != "1" {
		t.Skip("64 MiB of text; RELSEAL_WHOLE=1 runs it")
	}
	f, b := canary(t, 3)
	most := strings.Repeat("9", limits.Value)
	n := limits.WindowText/(200+6*limits.Value) + 1
	ws := make([]gates.Window, n)
	for i := range ws {
		w := gates.Window{Schema: gates.WindowSchema, ID: fmt.Sprintf("%0200d", i), Channel: b.Channel, Release: b.ID.String(), StartMS: ms(f.clock.at), EndMS: ms(f.clock.at), Score: "0.97"}
		for _, v := range []*gates.Value{&w.DeltaRep, &w.DeltaPSD, &w.RTB, &w.HBLag, &w.DropRate, &w.IncidentRate} {
			*v = gates.Value(most)
		}
		ws[i] = w
	}
	o, err := f.Observe(ws, false)
	if err != nil || o.Appended == 0 || len(o.Refused) == 0 || o.Appended+len(o.Refused) != n {
		t.Fatalf("%d of %d appended, %d refused: %v", o.Appended, n, len(o.Refused), err)
	}
	if p := f.promote(b, f.sealer()); p.Move != nil || !slices.Contains(p.Judgement.Unmet(), "WINDOW_LIMIT") {
		t.Errorf("%+v", p)
	}
}

// A bundle whose evidence is younger than the clock of the ledger comes to no channel.
func TestBuiltBefore(t *testing.T) {
	f := newFixture(t)
	f.register()
	now, _, _ := f.o.Clock.Now()
	b := bundleOf("canary", gates.Canary)
	b.Built = now.Add(24 * time.Hour)
	var refused *RefusedError
	if _, err := f.Admit(b); !errors.As(err, &refused) || refused.Code != finding.TimeOrder || f.State.Release(b.ID) != nil {
		t.Errorf("admitted before it was built: %v", err)
	}
	b.Built = now.Add(-24 * time.Hour)
	if _, err := f.Admit(b); err != nil {
		t.Error(err)
	}
}
