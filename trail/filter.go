package trail

import (
	"strings"
	"time"

	"github.com/relseal/relseal/audit"
)

// A Filter says which events are wanted; what is empty asks for nothing.
type Filter struct {
	Actor  string
	Action string // this one, or below it: step takes step.start and step.end
	Status string
	Path   string // the step
	Since  time.Time
	Until  time.Time // events before this
}

// Wants reports whether e is wanted.
func (f Filter) Wants(e *audit.Event) bool {
	switch {
	case f.Actor != "" && e.Actor.String() != f.Actor,
		f.Action != "" && e.Action != f.Action && !strings.HasPrefix(e.Action, f.Action+"."),
		f.Status != "" && e.Status != f.Status,
		f.Path != "" && e.Path.String() != f.Path,
		!f.Since.IsZero() && e.TS.Before(f.Since),
		!f.Until.IsZero() && !e.TS.Before(f.Until):
		return false
	}
	return true
}
