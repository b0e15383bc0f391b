package chart

import (
	"strconv"
	"time"

	"gonum.org/v1/plot"
)

// timeTicks are at full minutes, hours or days, at most nine; gonum's own are at
// round numbers of seconds.
type timeTicks struct{ labels bool }

var steps = []int64{
	1, 10, 100, 1000, 5000, 15_000, 30_000,
	60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000,
	86_400_000, 2 * 86_400_000, 7 * 86_400_000, 30 * 86_400_000, 365 * 86_400_000,
}

func (t timeTicks) Ticks(low, high float64) []plot.Tick {
	from, to := int64(low), int64(high)
	step := int64(1)
	for _, step = range steps {
		if (to-from)/step < 9 {
			break
		}
	}
	for (to-from)/step >= 9 {
		step *= 2
	}
	var ticks []plot.Tick
	day := ""
	for at := (from + step - 1) / step * step; at <= to; at += step {
		tick := plot.Tick{Value: float64(at)}
		// A tick without a label is a minor one and drawn shorter.
		if t.labels {
			tick.Label, day = label(at, step, day)
		} else {
			tick.Label = " "
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// label says the time of a tick, and the day where that is another than before.
func label(ms, step int64, before string) (text, day string) {
	at := time.UnixMilli(ms).UTC()
	day = at.Format("2006-01-02")
	form := "15:04"
	switch {
	case step >= 86_400_000:
		return day, day
	case step < 1000:
		form = "15:04:05.000"
	case step < 60_000:
		form = "15:04:05"
	}
	if text = at.Format(form); day != before {
		text = day + " " + text
	}
	return text, day
}

// fewTicks are at round numbers, with as many digits as they need.
type fewTicks struct{}

func (fewTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, t := range (plot.DefaultTicks{}).Ticks(low, high) {
		if t.Label == "" {
			continue
		}
		t.Label = strconv.FormatFloat(t.Value, 'g', 6, 64)
		ticks = append(ticks, t)
	}
	return ticks
}
