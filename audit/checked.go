package audit

import (
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// Checked is what [Check] would return and report of a trail in a bundle, by somebody who
// trusts the key of the log alone.
type Checked struct {
	Summary  Summary
	Findings []finding.Finding // of how it ends
	Size     int64             // bytes of its lines
	Digest   sign.Digest       // of these
}

// Checked returns what the log has found while it read and wrote the trail, up to the last
// event that it knows. It is false for a log that was opened without Digest, and for a
// trail with a finding, another key or no event.
func (l *Log) Checked() (c Checked, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sum == nil || l.found || l.err != nil || l.judge.trust.used == nil {
		return c, false
	}
	j := *l.judge
	j.o = CheckOptions{Report: func(f finding.Finding) { c.Findings = append(c.Findings, f) }}
	j.end(1)
	c.Summary, c.Size, c.Digest = j.summary(), l.size, sign.Digest(l.sum.Sum(nil))
	last := *j.to
	c.Summary.Last = &last
	return c, true
}
