package gates

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/relseal/relseal/internal/limits"
)

// maxNamed is how many windows DecideBounded hands to the rules: the record of a decision
// that names more has no room anywhere, see limits.Decision.
const maxNamed = 20_000

// DecideOver is [Decide] over packed windows, in memory that does not grow with their
// number, unless the decision itself names more than has room in a bundle. in.Windows
// counts for nothing.
func DecideOver(p Policy, in Input, ws *Windows) (Decision, error) {
	in.Windows = nil
	if p.Check() == nil {
		if d, err := DecideBounded(p, in, ws); err != nil || !d.Partial {
			return d.Decision, err
		}
	}
	in.Windows = slices.Collect(ws.All())
	return Decide(p, in)
}

// A Bounded is a decision that was made in bounded memory.
type Bounded struct {
	Decision Decision
	Partial  bool  // it names more windows than have room: it is over a part of them, and stands for nothing
	Work     int64 // windows that were looked at, and comparisons that put them in order
}

// DecideBounded is [DecideOver] in memory that never grows with the number of windows,
// by a policy that passes Check. Where it is not Partial it gives the same bytes: it
// goes over the windows once, in order, and finds the few that the decision names or
// that tell why it goes no further back; the rules then decide over those.
func DecideBounded(p Policy, in Input, ws *Windows) (b Bounded, err error) {
	s := &survey{judge: judge{rules: &gate1, p: p, in: in}, ws: ws}
	if err := s.check(); err != nil {
		return b, err
	}
	if err := s.run(); err != nil {
		return b, err
	}
	named := s.named()
	if b.Partial = len(named) > maxNamed; b.Partial {
		named = named[len(named)-maxNamed:]
	}
	s.start()
	s.judgedBy()
	s.d.Observed = s.sum.observed()
	for _, i := range named {
		s.windows = append(s.windows, s.at(i))
	}
	if s.surveyed = true; len(s.triggering) == 0 && s.blackout[1] > 0 {
		s.row, s.count = s.windows, s.darkness
	}
	s.conflicting()
	s.judge.run()
	s.d.Windows = []Window{}
	for _, w := range s.windows {
		if s.used[w] {
			s.d.Windows = append(s.d.Windows, *w)
		}
	}
	b.Decision, b.Work = s.d, s.work
	return b, nil
}

// A survey is what DecideBounded learns of windows as it goes over them. Windows are
// numbered by their place in the order of step 2.
type survey struct {
	judge
	ws    *Windows
	order []int32 // nil: as they came
	sum   observer
	work  int64

	first, end int // the windows of step 2

	triggering []int        // those of the first limits.Triggers, and the first of each kind
	faulty     map[int]bool // those that contradict another or the clock
	blackout   [2]int
	darkness   int // the windows of it that count
	segment    int // where the last windows begin that are decidable and follow one another
	good       int // and, of these, those without an incident
	undecided  bool
}

func (s *survey) at(i int) *Window {
	s.work++
	if s.order != nil {
		i = int(s.order[i])
	}
	w := s.ws.At(i).Window
	return &w
}

func (s *survey) run() error {
	var compared int64
	s.order, compared = s.ws.order()
	s.work += compared
	s.end = s.ws.Len()
	index := func(i int) int { return i }
	if s.order != nil {
		s.end = len(s.order)
		index = func(i int) int { return int(s.order[i]) }
	}
	s.first = s.ws.since(s.in.SinceMS, s.end, index)
	s.segment, s.good = s.first, s.first

	ids := make([]uint64, 0, s.end-s.first)
	seed := maphash.MakeSeed()
	fired := map[string]bool{}
	triggers := 0
	var d darkness
	var before, furthest *Window
	ahead := 0 // the place of furthest
	for i := s.first; i < s.end; i++ {
		w := s.at(i)
		if err := s.sum.add(w); err != nil {
			return err
		}
		ids = append(ids, maphash.String(seed, w.ID))
		for _, l := range s.rules.triggers {
			if _, fires := s.fires(l, w); fires {
				if triggers++; triggers <= limits.Triggers || !fired[l.name] {
					s.triggering = append(s.triggering, i)
				}
				fired[l.name] = true
			}
		}
		if s.invalid.ints(w.EndMS, w.StartMS) || s.future.ints(w.EndMS, s.in.NowMS+s.p.SkewMaxMS) {
			s.fault(i)
		}
		if w.EndMS > w.StartMS {
			if furthest != nil && w.ID != furthest.ID && s.overlap.ints(w.StartMS, furthest.EndMS) {
				s.fault(ahead)
				s.fault(i)
			}
			if furthest == nil || w.EndMS > furthest.EndMS {
				furthest, ahead = w, i
			}
		}
		if before != nil && !s.joined.ints(w.StartMS-before.EndMS, s.p.GapMaxMS) {
			s.segment = i
		}
		if s.in.Channel == Stable {
			if v, status := s.value(w, metricIncident); status == known && !s.rules.incident.op.decimals(v, s.rules.incident.of(&s.p)) {
				s.good = i + 1
			}
		}
		if s.undecided = !s.decidable(w); s.undecided {
			s.segment = i + 1
		}
		if s.blackout[1] == 0 && s.dark(&d, i, w, false) {
			s.blackout, s.darkness = [2]int{d.first, i + 1}, d.row
		}
		before = w
	}
	s.sameIDs(ids, seed)
	return nil
}

// fault keeps a window that contradicts another or the clock; of too many the first.
func (s *survey) fault(i int) {
	if s.faulty == nil {
		s.faulty = map[int]bool{}
	}
	if len(s.faulty) <= maxNamed {
		s.faulty[i] = true
	}
}

// sameIDs finds the windows whose id occurs more than once, and what these add to a
// blackout. ids are hashes, which may agree by chance: the rules compare the ids.
func (s *survey) sameIDs(ids []uint64, seed maphash.Seed) {
	sorted := make([]int32, len(ids))
	for i := range sorted {
		sorted[i] = int32(i)
	}
	slices.SortFunc(sorted, func(a, b int32) int {
		s.work++
		return cmp.Or(cmp.Compare(ids[a], ids[b]), cmp.Compare(a, b))
	})
	var shared, again []bool
	for i := 0; i < len(sorted); {
		k := i + 1
		for k < len(sorted) && ids[sorted[k]] == ids[sorted[i]] {
			k++
		}
		if k > i+1 {
			if shared == nil {
				shared, again = make([]bool, len(ids)), make([]bool, len(ids))
			}
			seen := map[string]bool{}
			for _, at := range sorted[i:k] {
				id := s.at(s.first + int(at)).ID
				shared[at], again[at], seen[id] = true, seen[id], true
			}
		}
		i = k
	}
	if shared == nil {
		return
	}
	s.blackout = [2]int{}
	var d darkness
	for i := range shared {
		if shared[i] {
			s.fault(s.first + i)
		}
		if at := s.first + i; s.blackout[1] == 0 && s.dark(&d, at, s.at(at), again[i]) {
			s.blackout, s.darkness = [2]int{d.first, at + 1}, d.row
		}
	}
}

// named returns the windows by which the rules decide as by all of them, ascending.
func (s *survey) named() []int {
	switch {
	case len(s.triggering) > 0:
		return slices.Compact(s.triggering)
	case s.blackout[1] > 0:
		return places(s.blackout[0], s.blackout[1])
	case s.contradictory():
		return slices.Sorted(maps.Keys(s.faulty))
	case s.end == s.first:
		return nil
	case s.undecided || s.in.Channel == LTS:
		return []int{s.end - 1}
	case s.in.Channel == Stable:
		return s.streakOf()
	}
	first, covered := s.end, int64(0)
	for first > s.segment && !s.sufficient(s.end-first, covered) {
		first--
		covered += s.at(first).length()
	}
	return places(max(first-1, s.first), s.end)
}

// contradictory reports whether the windows in faulty are at fault in truth: hashes of
// ids may agree by chance.
func (s *survey) contradictory() bool {
	j := judge{rules: s.rules, p: s.p, in: s.in}
	j.start()
	for _, i := range slices.Sorted(maps.Keys(s.faulty)) {
		j.windows = append(j.windows, s.at(i))
	}
	j.conflicting()
	return j.integrity()
}

// streakOf returns the windows that prove a streak, or all of one that is too short
// with the one that ended it. What stands before those is counted.
func (s *survey) streakOf() []int {
	start := max(s.segment, s.good)
	n := s.end - start
	if !s.rules.streak.ints(int64(n), s.p.NLTS) {
		return places(max(start-1, s.first), s.end)
	}
	keep := int(min(int64(n), s.p.NLTS))
	s.skipped = n - keep
	return places(s.end-keep, s.end)
}

func places(first, end int) []int {
	all := make([]int, end-first)
	for i := range all {
		all[i] = first + i
	}
	return all
}
