package audit

import (
	"cmp"
	"slices"
)

// A Range is the event numbers First to Last, both included.
type Range struct{ First, Last int64 }

// numbers is a set of event numbers. Numbers come almost in order.
type numbers []Range

func (n *numbers) add(k int64) {
	s := *n
	if last := len(s) - 1; last >= 0 && k >= s[last].First && k <= s[last].Last+1 {
		s[last].Last = max(s[last].Last, k)
		return
	}
	*n = append(s, Range{k, k})
}

// ranges returns the set in ascending order, neighbours joined, and its size.
func (n numbers) ranges() (out []Range, count int64) {
	slices.SortFunc(n, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	for _, r := range n {
		if last := len(out) - 1; last >= 0 && r.First <= out[last].Last+1 {
			out[last].Last = max(out[last].Last, r.Last)
		} else {
			out = append(out, r)
		}
	}
	for _, r := range out {
		count += r.Last - r.First + 1
	}
	return out, count
}
