package ui

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/run"
	"github.com/relseal/relseal/verify"
)

const (
	progressAfter = time.Second            // what is done sooner needs no progress
	progressEvery = 200 * time.Millisecond // as often as one reads a number
)

// Watch shows on a terminal how far a verification has come, in one line that is
// gone in the end; stop waits for that. To a pipe it says nothing.
func (env *Env) Watch(what string, p *verify.Progress) (stop func()) {
	f, ok := env.Stderr.(*os.File)
	if !ok || !Terminal(f) {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		m := meter{w: f, what: what, p: p, start: time.Now()}
		wait := progressAfter
		for {
			select {
			case <-done:
				m.clear()
				return
			case <-time.After(wait):
				m.show(time.Now())
				wait = progressEvery
			}
		}
	}()
	return func() { close(done); <-gone }
}

// A meter writes the line.
type meter struct {
	w     io.Writer
	what  string
	p     *verify.Progress
	start time.Time
	wide  int // columns that were written last
}

func (m *meter) show(now time.Time) {
	line := progressLine(m.p, now.Sub(m.start))
	if room := 79 - len(line) - len(": "); room > 10 {
		line = escape.Clip(escape.Line(m.what), room) + ": " + line
	}
	wide := utf8.RuneCountInString(line)
	fmt.Fprintf(m.w, "\r%s%s", escape.Text(line), strings.Repeat(" ", max(0, m.wide-wide)))
	m.wide = wide
}

func (m *meter) clear() {
	if m.wide > 0 {
		fmt.Fprintf(m.w, "\r%s\r", strings.Repeat(" ", m.wide))
	}
}

// progressLine says events, bytes, rate and remaining time, as far as they are
// known.
func progressLine(p *verify.Progress, took time.Duration) string {
	events, bytes, of := p.Events.Load(), p.Bytes.Load(), p.Of.Load()
	var parts []string
	if events > 0 {
		parts = append(parts, Counted(events, "event"))
	}
	switch {
	case of >= bytes && of > 0:
		parts = append(parts, fmt.Sprintf("%s of %s", megabytes(bytes), megabytes(of)))
	default:
		parts = append(parts, megabytes(bytes))
	}
	if s := took.Seconds(); s > 0 {
		parts = append(parts, megabytes(int64(float64(bytes)/s))+"/s")
	}
	if of > bytes && bytes > 0 {
		left := time.Duration(float64(took) / float64(bytes) * float64(of-bytes))
		parts = append(parts, (left+time.Second).Truncate(time.Second).String()+" left")
	}
	return strings.Join(parts, ", ")
}

func megabytes(n int64) string {
	if n < 10_000_000_000 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// NoteStep shows a step on a terminal as it ends.
func (env *Env) NoteStep(e run.Event) {
	if e.Status == "" {
		env.Note("  [%d/%d] %s", e.Index, e.Total, e.Step)
		return
	}
	env.Note("  [%d/%d] %s: %s in %s", e.Index, e.Total, e.Step, e.Status, e.Duration.Round(10*time.Millisecond))
}
