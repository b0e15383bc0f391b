package release

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

// sizes are the windows that a release has when one more comes: four times as many
// take four times as long, since a ledger is read before it is written, and no more
// memory than the windows have packed.
var sizes = []int{1000, 4000, 16000}

// grown is a ledger whose only release has n windows.
func grown(b *testing.B, n int) (*fixture, Bundle) {
	f := newFixture(b)
	f.register()
	canary := f.admit("canary")
	f.observe(canary, n, nil)
	b.ReportMetric(float64(f.K), "events")
	return f, canary
}

// eachSize measures what do does to a ledger of each size that was opened anew.
func eachSize(b *testing.B, do func(f *fixture, canary Bundle, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f, canary := grown(b, n)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				f.open()
				do(f, canary, n)
			}
		})
	}
}

func BenchmarkObserveOne(b *testing.B) {
	eachSize(b, func(f *fixture, canary Bundle, _ int) { f.observe(canary, 1, nil) })
}

func BenchmarkPromote(b *testing.B) {
	eachSize(b, func(f *fixture, canary Bundle, n int) {
		f.clock.at += time.Hour // stale: nothing is promoted
		out, err := f.Promote(context.Background(), canary, discard{}, nil)
		if err != nil || out.Judgement.Decision.Observed.Count < int64(n) || out.Judgement.Outcome() != gates.Undecidable {
			b.Fatalf("%+v, %v", out, err)
		}
	})
}

type discard struct{ io.Closer }

func (discard) Seal(context.Context, Promotion) (sign.Digest, error) { panic("not promoted") }
func (discard) Publish() error                                       { return nil }
func (discard) Discard()                                             {}
