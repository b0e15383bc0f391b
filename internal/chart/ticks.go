package chart

import (
	"math"
	"strconv"
	"time"
)

// times says where an instant stands between the left and the right of the panels.
type times struct {
	from, to    int64
	left, right float64
}

func newTimes(c Chart, b box) times {
	return times{c.FromMS, max(c.ToMS, c.FromMS+1), b.left, b.right}
}

func (t times) at(ms int64) float64 {
	return t.left + (float64(ms)-float64(t.from))/(float64(t.to)-float64(t.from))*(t.right-t.left)
}

// A timeTick is an instant that is marked on the axis of time.
type timeTick struct {
	ms    int64
	label string
}

// steps are the distances between ticks, in milliseconds.
var steps = []int64{
	1, 10, 100, 1000, 5000, 15_000, 30_000,
	60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000,
	86_400_000, 2 * 86_400_000, 7 * 86_400_000, 30 * 86_400_000, 365 * 86_400_000,
}

// ticks are at full minutes, hours or days, at most nine.
func (t times) ticks() []timeTick {
	step := int64(1)
	for _, step = range steps {
		if (t.to-t.from)/step < 9 {
			break
		}
	}
	for (t.to-t.from)/step >= 9 {
		step *= 2
	}
	var ticks []timeTick
	day := ""
	for at := (t.from + step - 1) / step * step; at <= t.to; at += step {
		tick := timeTick{ms: at}
		tick.label, day = label(at, step, day)
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

// A tick is a value that is marked on the axis of a metric.
type tick struct {
	value float64
	label string
}

// ticks are at one, two or five times a power of ten, at most four, with as many
// digits as tell them apart.
func (s scale) ticks() []tick {
	least := (s.high - s.low) / 4
	power := math.Pow(10, math.Floor(math.Log10(least)))
	step := 10 * power
	for _, m := range []float64{5, 2, 1} {
		if m*power >= least {
			step = m * power
		}
	}
	first, last := math.Ceil(s.low/step-1e-9), math.Floor(s.high/step+1e-9)
	digits := min(15, max(6, 2+int(math.Log10(max(math.Abs(first), math.Abs(last), 1)))))
	var ticks []tick
	for i := range min(5, int(last-first)+1) {
		v := (first + float64(i)) * step
		t := tick{v, strconv.FormatFloat(v, 'g', digits, 64)}
		if n := len(ticks); n == 0 || ticks[n-1].label != t.label {
			ticks = append(ticks, t)
		}
	}
	return ticks
}
