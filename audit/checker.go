package audit

import "github.com/relseal/relseal/sign"

// A Checker is [Check] for a trail that comes line by line, such as one that is
// still being written.
type Checker struct {
	judge *judge
	lines int
	stop  bool
}

// NewChecker returns a Checker that has seen no line.
func NewChecker(o CheckOptions) *Checker { return &Checker{judge: newJudge(o)} }

// Add judges the next line and calls what CheckOptions name for it. After a line
// 0 of another schema it does nothing.
func (c *Checker) Add(l Line) {
	switch {
	case c.stop:
	case c.lines == 0:
		c.stop = !c.judge.header(l.raw)
	default:
		c.judge.line(l.raw)
	}
	c.lines++
}

// Key returns the trusted key, if a signature of it has verified so far.
func (c *Checker) Key() *sign.KeyID { return c.judge.trust.used }

// End judges how the trail ends, after which no line can follow, and returns what
// was learned of it.
func (c *Checker) End() Summary {
	if !c.stop && !c.judge.over {
		c.judge.end(c.lines)
	}
	c.stop = true
	return c.judge.summary()
}
