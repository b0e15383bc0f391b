package ledger

import (
	"fmt"
	"math"
	"testing"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

// The work of a ledger grows with its events, whatever they are: four times as many
// are four times the work, and the logarithm that putting windows in order takes.
func TestLedgerWork(t *testing.T) {
	p := ledgerPolicy()
	p.SkewMaxMS = math.MaxInt64 / 1_000_000 / 4
	data, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	policy := sign.Sum(data)
	id := func(i int) sign.Digest { return sign.Sum(fmt.Append(nil, i)) }
	type teller func(l *told, n int)
	back := func(l *told, i int) {
		l.add(ActionRollback, RolledBack{Release: id(i), Channel: gates.Canary, TriggerEndMS: 1})
	}
	for name, tell := range map[string]teller{
		"rollbacks, the newest first": func(l *told, n int) {
			for i := range n {
				l.good(ActionSealed, Sealed{id(i), gates.Canary, "1.0.0", &policy, nil})
			}
			for i := range n {
				back(l, n-1-i)
			}
		},
		"rollbacks of stable bundles, the oldest first": func(l *told, n int) {
			for i := range n {
				l.add(ActionSealed, Sealed{id(i), gates.Stable, "1.0.0", &policy, nil})
			}
			for i := range n {
				l.add(ActionRollback, RolledBack{Release: id(i), Channel: gates.Stable, TriggerEndMS: 1})
			}
		},
		"rollbacks in turn with releases": func(l *told, n int) {
			for i := range n {
				l.good(ActionSealed, Sealed{id(i), gates.Canary, "1.0.0", &policy, nil})
				if i%2 == 1 {
					back(l, i-1)
				}
			}
		},
		"windows backwards, then a promotion": func(l *told, n int) {
			l.good(ActionSealed, Sealed{id(0), gates.Canary, "1.0.0", &policy, nil})
			for i := range n {
				l.good(ActionWindow, ledgerWindow(id(0), gates.Canary, int64(i)+1, int64(3000+1000*(n-i))))
			}
			l.add(ActionPromote, Promoted{id(0), gates.Canary, gates.Stable, policy, nil})
		},
		"windows under one id that all overlap, rolled back": func(l *told, n int) {
			l.good(ActionSealed, Sealed{id(0), gates.Canary, "1.0.0", &policy, nil})
			for i := range n {
				w := ledgerWindow(id(0), gates.Canary, int64(i)+1, 3000)
				w.Window.ID = "w"
				l.good(ActionWindow, w)
			}
			l.add(ActionRollback, RolledBack{Release: id(0), Channel: gates.Canary, Decision: &policy, TriggerEndMS: 1})
		},
		"promotions of many bundles that one promotion made": func(l *told, n int) {
			l.good(ActionSealed, Sealed{id(0), gates.Canary, "1.0.0", &policy, nil})
			for i := range n {
				l.good(ActionWindow, ledgerWindow(id(0), gates.Canary, int64(i)+1, int64(3000+1000*i)))
			}
			l.add(ActionPromote, Promoted{id(0), gates.Canary, gates.Stable, policy, nil})
			k := l.k
			for i := range n {
				l.add(ActionSealed, Sealed{id(i + 1), gates.Stable, "1.0.0", &policy, &k})
				l.add(ActionPromote, Promoted{id(i + 1), gates.Stable, gates.LTS, policy, nil})
			}
		},
		"promotions and rollbacks of one release, again and again": func(l *told, n int) {
			l.good(ActionSealed, Sealed{id(0), gates.Canary, "1.0.0", &policy, nil})
			for i := range n {
				l.good(ActionWindow, ledgerWindow(id(0), gates.Canary, int64(i)+1, int64(3000+1000*i)))
				l.add(ActionPromote, Promoted{id(0), gates.Canary, gates.Stable, policy, nil})
				back(l, 0)
			}
		},
		"policies, then releases that name none": func(l *told, n int) {
			for range n {
				l.good(ActionRegister, Registered{policy, p})
			}
			for i := range n {
				l.good(ActionSealed, Sealed{id(i), gates.Canary, "1.0.0", nil, nil})
				l.good(ActionWindow, ledgerWindow(id(i), gates.Canary, 1, 1_000_000_000))
				back(l, i)
			}
		},
	} {
		work := func(n int) int64 {
			l := &told{t: t, State: New()}
			l.good(ActionRegister, Registered{policy, p})
			tell(l, n)
			return l.Work() + int64(n)
		}
		const n = 500
		if one, four := work(n), work(4*n); four > 6*one {
			t.Errorf("%s: %d steps for %d, %d for %d", name, one, n, four, 4*n)
		}
	}
}
