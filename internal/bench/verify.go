package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/naive"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/comb"
)

// floorEvents is how many signatures are kept in memory to be verified alone.
const floorEvents = 100_000

// Measure verifies the trail in every way, in turn.
func (t *Trail) Measure(ctx context.Context, version string, begin func(round int)) (*Report, error) {
	r := newReport(t, version)
	// Before anything else: what was used once is not given back at once.
	var err error
	if r.PeakMemory, err = peakMemory(func() error { return t.check(ctx, false) }); err != nil {
		return nil, err
	}
	floor, events, err := t.signatures(ctx)
	if err != nil {
		return nil, err
	}
	ways := []*way{
		{name: "verify", events: t.events, run: func() error { return t.check(ctx, false) }},
		{name: "plain", events: t.events, run: func() error { return t.check(ctx, true) }},
		{name: "naive", events: t.events, run: func() error { return t.naive(ctx) }},
		{name: "signatures", events: events, run: floor},
	}
	for round := range Rounds {
		begin(round + 1)
		for _, w := range ways {
			if err := w.measure(); err != nil {
				return nil, err
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	for _, w := range ways {
		r.Ways = append(r.Ways, w.result(ways[0], ways[len(ways)-1]))
	}
	return r, nil
}

// open calls f with the trail, which ends when ctx does.
func (t *Trail) open(ctx context.Context, f func(io.Reader) error) error {
	file, err := regular.Open(t.file)
	if err != nil {
		return err
	}
	defer file.Close()
	return f(regular.UntilDone(ctx, file))
}

func (t *Trail) check(ctx context.Context, plain bool) error {
	return t.open(ctx, func(r io.Reader) error {
		s, err := audit.Check(r, audit.CheckOptions{Keys: keys.NewTrusted(t.key), Bare: true, Plain: plain})
		if err == nil && (s.K != t.events || s.FailingCount > 0 || s.Key == nil) {
			err = errors.New("the trail that was made does not verify")
		}
		return err
	})
}

func (t *Trail) naive(ctx context.Context) error {
	return t.open(ctx, func(r io.Reader) error {
		n, err := naive.Verify(r, t.key.Bytes())
		if err == nil && n != t.events {
			err = fmt.Errorf("%d of %d events were read", n, t.events)
		}
		return err
	})
}

// signatures returns what verifies the signatures of the first floorEvents
// events, and nothing else, in one thread; and how many these are.
func (t *Trail) signatures(ctx context.Context) (verify func() error, n int64, err error) {
	var heads [][]byte
	var sigs []sign.Signature
	err = t.open(ctx, func(r io.Reader) error {
		lines := audit.NewLineReader(r)
		if _, err := lines.Next(); err != nil {
			return err
		}
		for len(sigs) < floorEvents {
			line, err := lines.Next()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			text, err := line.Text()
			if err != nil {
				return err
			}
			rec, err := audit.ParseRecord(text)
			if err != nil {
				return err
			}
			heads, sigs = append(heads, rec.H[:]), append(sigs, rec.Sig)
		}
		return nil
	})
	ok := make([]bool, len(sigs))
	return func() error {
		if comb.New(t.key).Verify(heads, sigs, ok); slices.Contains(ok, false) {
			return errors.New("a signature that was made does not verify")
		}
		return nil
	}, int64(len(sigs)), err
}

// A way is one way, and what it took in each round.
type way struct {
	name   string
	events int64
	run    func() error
	wall   []float64 // nanoseconds an event
	cpu    []float64
}

func (b *way) measure() error {
	debug.FreeOSMemory() // the garbage of the way before is not this one's
	start, used := time.Now(), cpuTime()
	if err := b.run(); err != nil {
		return err
	}
	b.wall = append(b.wall, float64(time.Since(start))/float64(b.events))
	b.cpu = append(b.cpu, float64(cpuTime()-used)/float64(b.events))
	return nil
}

func (b *way) result(verify, floor *way) Way {
	w := Way{Name: b.name, Wall: int64(median(b.wall)), Ratio: ratio(b.wall, verify.wall)}
	if cpu := int64(median(b.cpu)); cpu > 0 && median(floor.cpu) > 0 {
		over := ratio(b.cpu, floor.cpu)
		w.CPU, w.Over = &cpu, &over
	}
	return w
}

// ratio is the median of the ratios within a round.
func ratio(a, b []float64) canon.Decimal {
	var all []float64
	for i := range a {
		all = append(all, a[i]/max(b[i], 1))
	}
	d, err := canon.ImportDecimal(fmt.Sprintf("%.2f", median(all)))
	if err != nil {
		panic(err) // of a finite number
	}
	return d
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
