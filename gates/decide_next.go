package gates

import "github.com/relseal/relseal/internal/limits"

func (w *Window) length() int64 { return w.EndMS - w.StartMS }

// length is the time that windows have observed; gaps between them do not count.
func length(ws []*Window) int64 {
	var sum int64
	for _, w := range ws {
		sum += w.length()
	}
	return sum
}

// evidence records the windows that the decision rests on.
func (j *judge) evidence(ws []*Window) {
	for _, w := range ws {
		j.d.Evidence = append(j.d.Evidence, w.ID)
	}
	j.d.CoverageMS = length(ws)
	j.use(ws...)
}

// next returns the earliest promotion if from here on every window is good, as
// long as the last one was, and starts where the one before ended. windows and
// covered say how much evidence there is that can stay.
func (j *judge) next(windows int, covered int64, after string) *Next {
	if j.in.Channel == LTS {
		return nil
	}
	n := &Next{After: after, Windows: j.p.NLTS - int64(windows)}
	if len(j.windows) == 0 {
		// How long a window is, nobody knows yet. Coverage takes its time in any case.
		n.EarliestMS = max(j.in.NowMS, j.in.SinceMS)
		if j.in.Channel == Canary {
			n.Windows, n.EarliestMS = j.p.WMin, max(j.in.NowMS, j.in.SinceMS+j.p.TObsMS)
		}
		return n
	}
	w := j.windows[len(j.windows)-1]
	n.WindowMS = w.length()
	if j.in.Channel == Canary {
		rest := max(0, j.p.TObsMS-covered)
		n.Windows = max(j.p.WMin-int64(windows), (rest+n.WindowMS-1)/n.WindowMS)
	}
	if n.Windows > limits.JSONInt/n.WindowMS {
		return nil // beyond every calendar
	}
	n.EarliestMS = max(j.in.NowMS, w.EndMS+n.Windows*n.WindowMS)
	return n
}
