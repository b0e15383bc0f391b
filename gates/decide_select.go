package gates

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/relseal/relseal/canon"
)

// counts reports whether w belongs to the input (step 2).
func (j *judge) counts(w *Window) bool {
	return w.Channel == j.in.Channel && w.Release == j.in.Release && j.selected.ints(w.StartMS, j.in.SinceMS)
}

// choose is step 2: windows are those that count, each content once, in order.
func (j *judge) choose() {
	for i := range j.in.Windows {
		if w := &j.in.Windows[i]; j.counts(w) {
			j.windows = append(j.windows, w)
		}
	}
	slices.SortFunc(j.windows, compareWindows)
	if j.distinct {
		j.windows = slices.CompactFunc(j.windows, func(a, b *Window) bool { return *a == *b })
	}
	j.conflicting()
}

// conflicting notes the windows whose ids occur with different contents.
func (j *judge) conflicting() {
	byID := map[string]int{}
	for _, w := range j.windows {
		byID[w.ID]++
	}
	for _, w := range j.windows {
		if byID[w.ID] > 1 {
			j.conflicts = append(j.conflicts, w)
		}
	}
}

// compareWindows orders by start, end and id. Contents decide between windows that
// share all three, so that the order in which contradictions arrive does not
// matter either.
func compareWindows(a, b *Window) int {
	if order := cmp.Or(cmp.Compare(a.StartMS, b.StartMS), cmp.Compare(a.EndMS, b.EndMS), cmp.Compare(a.ID, b.ID)); order != 0 {
		return order
	}
	if *a == *b {
		return 0
	}
	x, _ := canon.Marshal(a) // checked before
	y, _ := canon.Marshal(b)
	return bytes.Compare(x, y)
}

// integrity is the first half of step 5. Reasons come in the order of the checks here and, within
// each, in the order of windows.
func (j *judge) integrity() bool {
	named := map[string]bool{}
	fault := func(reason string, ws ...*Window) {
		if !named[reason] {
			j.d.Reasons = append(j.d.Reasons, reason)
		}
		named[reason] = true
		j.use(ws...)
	}
	for _, w := range j.windows {
		if j.invalid.ints(w.EndMS, w.StartMS) {
			fault("E_WINDOW_INVALID:"+w.ID, w)
		}
	}
	for _, w := range j.windows {
		if j.future.ints(w.EndMS, j.in.NowMS+j.p.SkewMaxMS) {
			fault("E_TIMEBASE_SKEW:"+w.ID, w)
		}
	}
	// The furthest end so far finds every window that overlaps an earlier one. Two
	// contents of one id are a conflict and no overlap.
	var furthest *Window
	for _, w := range j.windows {
		if w.EndMS <= w.StartMS {
			continue
		}
		if furthest != nil && w.ID != furthest.ID && j.overlap.ints(w.StartMS, furthest.EndMS) {
			fault("E_WINDOW_OVERLAP:"+furthest.ID+"+"+w.ID, furthest, w)
		}
		if furthest == nil || w.EndMS > furthest.EndMS {
			furthest = w
		}
	}
	if j.conflict {
		for _, w := range j.conflicts {
			fault("E_WINDOW_CONFLICT:"+w.ID, w)
		}
	}
	return len(j.d.Reasons) > 0 && j.decided(Undecidable)
}
