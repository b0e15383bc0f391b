package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/run"
)

// oneInterrupt is the time within which the same signal again is the same interrupt:
// timeout(1) sends its signal to the process and to the group of the process.
const oneInterrupt = 200 * time.Millisecond

// catchInterrupts returns a context that ends when the user interrupts relseal. A
// second interrupt ends the process there and then, whatever it waits for, and the step
// that it runs: by leaving, since the first process of a container is not ended by a
// signal that nobody catches. What that leaves is what a crash leaves; last is called
// before, and waited for no longer than lastWords.
// What the parent ignores stays ignored: nohup means that a hangup is no reason to stop.
//
// release ends the catching: ctx has ended then if a signal came before, and a later one
// ends the process.
func catchInterrupts(ctx context.Context, last func()) (_ context.Context, release func()) {
	caught := slices.DeleteFunc(slices.Clone(ui.Interrupts), signal.Ignored)
	if len(caught) == 0 { // which would mean every signal there is
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	c := make(chan os.Signal, 2)
	signal.Notify(c, caught...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var first os.Signal
		var at time.Time
		for s := range c {
			switch {
			case first == nil:
				first, at = s, time.Now()
				cancel(fmt.Errorf("%s signal received", s))
			case s != first || time.Since(at) > oneInterrupt:
				run.Kill()
				said := make(chan struct{})
				go func() { last(); close(said) }()
				select {
				case <-said:
				case <-time.After(ui.LastWords): // nobody reads it
				}
				os.Exit(ui.ExitInterrupted)
			}
		}
	}()
	return ctx, sync.OnceFunc(func() {
		signal.Stop(c)
		close(c) // nothing is sent any more
		<-done
	})
}
