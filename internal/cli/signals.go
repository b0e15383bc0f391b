package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/run"
)

// catchInterrupts returns a context that ends when the user interrupts relseal. A
// second interrupt ends the process there and then, whatever it waits for, and the step
// that it runs: by leaving, since the first process of a container is not ended by a
// signal that nobody catches. What that leaves is what a crash leaves; last is called
// before, and waited for no longer than lastWords.
// What the parent ignores stays ignored: nohup means that a hangup is no reason to stop.
func catchInterrupts(ctx context.Context, last func()) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	over := func() { cancel(nil) }
	caught := slices.DeleteFunc(slices.Clone(ui.Interrupts), signal.Ignored)
	if len(caught) == 0 { // which would mean every signal there is
		return ctx, over
	}
	c := make(chan os.Signal, 2)
	signal.Notify(c, caught...)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case s := <-c:
				if n > 0 {
					run.Kill()
					said := make(chan struct{})
					go func() { last(); close(said) }()
					select {
					case <-said:
					case <-time.After(ui.LastWords): // nobody reads it
					}
					os.Exit(ui.ExitInterrupted)
				}
				cancel(fmt.Errorf("%s signal received", s))
			}
		}
	}()
	return ctx, func() {
		signal.Stop(c)
		close(done)
		over()
	}
}
