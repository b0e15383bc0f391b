package cli

import (
	"context"
	"os/signal"
	"slices"
)

// catchInterrupts returns a context that ends when the user interrupts relseal.
// What the parent ignores stays ignored: nohup means that a hangup is no reason
// to stop.
func catchInterrupts(ctx context.Context) (context.Context, context.CancelFunc) {
	caught := slices.DeleteFunc(slices.Clone(interrupts), signal.Ignored)
	if len(caught) == 0 { // which would mean every signal there is
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, caught...)
}
