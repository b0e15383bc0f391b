// Package chart draws what was measured over time against its thresholds, as SVG.
//
// A drawing is a function of its data: the same bytes on any day. It follows the
// reader's light or dark scheme, says nothing by colour alone (what breaks a
// threshold is a cross and has its value beside it, a threshold is dashed, what is
// unknown is a question mark), and carries its content as title and description
// for those who listen to it.
//
// It is written as text, element by element: a library for plots would fix the
// colours and bring fonts and picture formats that nobody asks for.
package chart

// A Chart is panels above one another over the same time, and a last one with
// decisions. Times are milliseconds since 1970, UTC.
type Chart struct {
	Title       string
	Description string // what a screen reader says after the title; lines are kept
	FromMS      int64
	ToMS        int64
	Panels      []Panel
	Decisions   []Decision // in order of time
	Evidence    *Range     // what the last decision rests on, if anything
}

// A Panel is one metric and its threshold.
type Panel struct {
	Name      string
	Rule      string // what the values must be, in words: ">= 0.95 (tau_score)"
	Limit     float64
	LimitText string
	AtLeast   bool // values below the limit break it; else those above
	Spans     []Span
}

// A State says how a value stands to its threshold.
type State int

const (
	Holds State = iota
	Breaks
	Unknown // Value is not meant
)

// A Span is one value, which was measured from StartMS to EndMS.
type Span struct {
	StartMS, EndMS int64
	Value          float64
	State          State
	Text           string // the value as it was written
}

// A Decision is what was decided at an instant.
type Decision struct {
	AtMS  int64
	Name  string
	Shape Shape
}

// A Shape tells decisions apart.
type Shape int

const (
	Ring     Shape = iota // not yet
	Triangle              // up
	Cross                 // back
	Question              // cannot say
)

// A Range is a stretch of time.
type Range struct {
	StartMS, EndMS int64
	Text           string
}
