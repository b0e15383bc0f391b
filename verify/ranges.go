package verify

import "slices"

// A rangeSet is a set of event numbers as sorted, disjoint, non-adjacent ranges.
type rangeSet struct {
	ranges [][2]int64
	count  int64
}

// add puts the numbers from first to last into the set.
func (s *rangeSet) add(first, last int64) {
	i, _ := slices.BinarySearchFunc(s.ranges, first, func(r [2]int64, k int64) int {
		if r[1] < k-1 {
			return -1
		}
		return 1
	})
	j := i
	for j < len(s.ranges) && s.ranges[j][0] <= last+1 {
		first, last = min(first, s.ranges[j][0]), max(last, s.ranges[j][1])
		s.count -= s.ranges[j][1] - s.ranges[j][0] + 1
		j++
	}
	s.ranges = slices.Replace(s.ranges, i, j, [2]int64{first, last})
	s.count += last - first + 1
}

func (s *rangeSet) union(t *rangeSet) {
	for _, r := range t.ranges {
		s.add(r[0], r[1])
	}
}
