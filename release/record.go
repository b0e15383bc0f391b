package release

import (
	"fmt"
	"slices"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A RefusedError reports something that a ledger cannot record, and what to do.
type RefusedError struct {
	Code finding.Code // "" where no code says it
	Text string
	Next string // what to do, "" where nothing helps

	// Undecided says that nothing is wrong with what was given: something is missing
	// that may yet come, such as a right clock.
	Undecided bool
}

// Hint returns what to do, see finding.Hint.
func (e *RefusedError) Hint() string { return e.Next }

func (e *RefusedError) Error() string { return e.Text }

func refuse(hint, format string, args ...any) error {
	return &RefusedError{Text: fmt.Sprintf(format, args...), Next: hint}
}

// Register puts a policy into the ledger and returns its event. If it is the one
// that was registered last, nothing is appended.
func (l *Ledger) Register(p gates.Policy) (*ledger.Registration, error) {
	data, err := p.Marshal()
	if err != nil {
		return nil, err
	}
	digest := sign.Sum(data)
	_, err = l.append(func(ledger.Event) ([]note, error) {
		if all := l.State.Policies(); len(all) > 0 && all[len(all)-1].Digest == digest {
			return nil, nil
		}
		return []note{{action: ledger.ActionRegister, details: ledger.Registered{Digest: digest, Policy: p}}}, nil
	})
	if err != nil {
		return nil, err
	}
	all := l.State.Policies()
	return all[len(all)-1], nil
}

// A Bundle is a ReleaseBundle that the caller has verified.
type Bundle struct {
	ID      sign.Digest
	Product string
	Version string
	Channel string
	Policy  *sign.Digest // of its gates, nil if it has none
	Built   time.Time    // the latest time in its evidence
}

// Admit records that a canary bundle came to its channel: from now on it can be
// observed. A bundle that was admitted before stays as it is.
func (l *Ledger) Admit(b Bundle) (*ledger.Release, error) {
	if err := l.ours(b); err != nil {
		return nil, err
	}
	if b.Channel != gates.Canary {
		return nil, refuse("relseal release promote takes a canary further", "the bundle is on %s; a release comes to a ledger as a canary", b.Channel)
	}
	_, err := l.append(func(now ledger.Event) ([]note, error) {
		if l.State.Release(b.ID) != nil {
			return nil, nil
		}
		if err := l.builtBefore(b, &ledger.Release{Sealed: ledger.Sealed{Policy: b.Policy}, SinceMS: now.TimeMS}); err != nil {
			return nil, err
		}
		return []note{{action: ledger.ActionSealed, details: ledger.Sealed{Bundle: b.ID, Channel: b.Channel, Version: b.Version, Policy: b.Policy}}}, nil
	})
	if err != nil {
		return nil, err
	}
	return l.State.Release(b.ID), nil
}

// builtBefore refuses a bundle that came to its channel, as r, before its evidence was made:
// one of the two clocks was wrong, and whoever verifies a promotion leaves it open.
func (l *Ledger) builtBefore(b Bundle, r *ledger.Release) error {
	skew := int64(0)
	if p := l.State.PolicyOf(r); p != nil {
		skew = p.Policy.SkewMaxMS
	}
	if b.Built.IsZero() || b.Built.UnixMilli()-r.SinceMS <= skew {
		return nil
	}
	return &RefusedError{Code: finding.TimeOrder, Undecided: true, Next: "mend the clock of this machine, or wait until it has caught up; a release that is in the ledger goes on only as a new canary",
		Text: fmt.Sprintf("the evidence of the bundle is of %s, more than skew_max, %s, after it came to its channel, %s", stamp(b.Built.UnixMilli()), time.Duration(skew)*time.Millisecond, stamp(r.SinceMS))}
}

func (l *Ledger) ours(b Bundle) error {
	if l.Genesis.Product != "" && l.Genesis.Product != b.Product {
		return refuse("", "the bundle is of product %q, the ledger of %q", b.Product, l.Genesis.Product)
	}
	return nil
}

// An Observation is what became of a batch of windows.
type Observation struct {
	Appended int
	Known    int            // delivered before, byte for byte
	Refused  map[int]error  // by index
	Late     []gates.Window // of a release that has moved on or was rolled back

	Rollbacks []*ledger.Rollback // that late windows ask for, or that are under way
}

// Observe appends windows, numbered for each release in the order in which they
// come. One that was delivered before is left out; one with the id of another and
// other content is appended, for contradictions belong into the record. Unless
// keepGoing, a batch with a refused window is not appended at all. Where a release has no
// room for one, the others are all the same: the record then shows that it is full.
//
// A window that came after the promotion of its release changes no decision of the
// past. If it triggers, what the release became is rolled back now; if a crash came
// between, by the next call. It is named until it is done, since an answer can be lost.
// A release that is still on its channel waits for
// Promote, which decides.
func (l *Ledger) Observe(ws []gates.Window, keepGoing bool) (Observation, error) {
	var o Observation
	_, err := l.append(func(now ledger.Event) ([]note, error) {
		o = Observation{Refused: map[int]error{}}
		n := l.numbering(ws, now.TimeMS)
		var notes []note
		for i, w := range ws {
			known, err := n.take(&w)
			switch {
			case err != nil:
				o.Refused[i] = err
			case known:
				o.Known++
			default:
				o.Appended++
				if r := n.release(w); r.Move != nil || r.Rollback != nil {
					o.Late = append(o.Late, w)
				}
				notes = append(notes, note{action: ledger.ActionWindow, details: ledger.Windowed{Window: w}})
			}
		}
		if len(o.Refused) > 0 && !keepGoing && !n.full {
			o.Appended, o.Late = 0, nil
			return nil, nil
		}
		return notes, nil
	})
	if err != nil {
		return o, err
	}
	// The windows are on record from here.
	if o.Rollbacks, err = l.rollbackLate(); err != nil {
		return o, err
	}
	of := map[string]bool{}
	for _, w := range ws {
		of[w.Release] = true
	}
	for _, r := range l.State.Releases() {
		if b := top(r).Rollback; of[r.Bundle.String()] && b != nil && b.Done == nil && !slices.Contains(o.Rollbacks, b) {
			o.Rollbacks = append(o.Rollbacks, b)
		}
	}
	return o, nil
}

// A numbering gives windows their places.
type numbering struct {
	l    *Ledger
	ws   []gates.Window // all that are to be appended
	now  int64          // the time of the events, in ms
	full bool           // a release has no room for one of them
	next map[sign.Digest]int64
	text map[sign.Digest]int64 // bytes of ids and values of those that were taken
	seen map[seenKey]bool      // of ws: whether the ledger has it, or an earlier one of ws is the same
}

// A seenKey is a window without its number.
type seenKey struct {
	release sign.Digest
	window  gates.Window
}

func (l *Ledger) numbering(ws []gates.Window, nowMS int64) *numbering {
	return &numbering{l: l, ws: ws, now: nowMS, next: map[sign.Digest]int64{}, text: map[sign.Digest]int64{}, seen: map[seenKey]bool{}}
}

func (n *numbering) release(w gates.Window) *ledger.Release {
	id, err := sign.ParseDigest(w.Release)
	if err != nil {
		return nil
	}
	return n.l.State.Release(id)
}

// take numbers w. known says that the ledger has it.
func (n *numbering) take(w *gates.Window) (known bool, err error) {
	r := n.release(*w)
	switch {
	case w.Release == "":
		return false, refuse("", "release: is missing; --release BUNDLE.ID or the member names the bundle that was observed")
	case r == nil:
		return false, refuse("", "release: no bundle %s came to a channel; relseal release admit records a canary", w.Release)
	case w.Channel != r.Channel:
		return false, refuse("", "channel: is %s, the release is on %s", w.Channel, r.Channel)
	case w.StartMS < r.SinceMS && !n.repeated(r, *w):
		return false, refuse("", "start_ms: is before %d, when the release came to %s: the window would never count", r.SinceMS, r.Channel)
	case r.Hole != nil:
		return false, refuse("", "seq: an earlier window of the release is missing; it can go on only as a new canary")
	}
	if n.repeated(r, *w) {
		return true, nil
	}
	next := n.next[r.Bundle]
	switch w.Seq {
	case 0:
		w.Seq = next
	case next:
	default:
		return false, refuse("", "seq: is %d, the next is %d", w.Seq, next)
	}
	if err := w.Check(); err != nil {
		return false, err
	}
	if _, err := canon.Marshal(w); err != nil {
		return false, err
	}
	if skew := n.skew(r); w.EndMS-n.now > skew {
		return false, refuse("mend the clock that measures, or that of this machine", "end_ms: the window ends at %s, which is more than skew_max, %s, after the time of the ledger, %s: nobody has measured it yet",
			stamp(w.EndMS), time.Duration(skew)*time.Millisecond, stamp(n.now))
	}
	if !r.Windows.Room(int(next-r.Count), n.text[r.Bundle]+gates.TextOf(w)) {
		n.full = true
		return false, refuse("measure in longer windows; the release can go on only as a new canary",
			"the release has as many windows as one can be judged by, up to %d with up to %d MiB of ids and values: it can go on only as a new canary, measured in longer windows", limits.Windows, limits.WindowText/limits.MiB)
	}
	n.next[r.Bundle]++
	n.text[r.Bundle] += gates.TextOf(w)
	n.seen[n.key(r, *w)] = true
	return false, nil
}

// skew returns how far clocks may differ for a window of r: what the policy says that
// judges r, or would if this is its first one; nothing without a policy.
func (n *numbering) skew(r *ledger.Release) int64 {
	if p := n.l.State.PolicyOf(r); p != nil {
		return p.Policy.SkewMaxMS
	}
	return 0
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z") }

// repeated reports whether the ledger has w. Of its windows, of which there may be a
// million, those alone are unpacked that start when one does that is to be appended.
func (n *numbering) repeated(r *ledger.Release, w gates.Window) bool {
	if _, read := n.next[r.Bundle]; !read {
		n.next[r.Bundle] = r.Count + 1
		starts := map[int64]bool{}
		for _, w := range n.ws {
			starts[w.StartMS] = starts[w.StartMS] || w.Release == r.Bundle.String()
		}
		for i := range r.Windows.Len() {
			if starts[r.Windows.Start(i)] {
				n.seen[n.key(r, r.Windows.At(i).Window)] = true
			}
		}
	}
	return n.seen[n.key(r, w)]
}

func (n *numbering) key(r *ledger.Release, w gates.Window) seenKey {
	w.Seq = 0
	return seenKey{r.Bundle, w}
}
