// Package engine says how the checks of a verification are made. It changes the time
// that they take and nothing that is reported, so it is no option of package verify: our
// own programs hand it on in a context.
package engine

import (
	"context"
	"os"
	"runtime/debug"
)

// Options are those of the same names of audit.CheckOptions.
type Options struct {
	Plain   bool
	Workers int
}

type key struct{}

// With returns a context in which verification works as o says.
func With(ctx context.Context, o Options) context.Context {
	return context.WithValue(ctx, key{}, o)
}

// Of returns what ctx says, the zero Options where it says nothing.
func Of(ctx context.Context) Options {
	o, _ := ctx.Value(key{}).(Options)
	return o
}

// Frugal keeps garbage small while something hostile may be read, by so many workers:
// with a heap of 120 MiB, which a manifest at its limit makes, the runtime would
// otherwise let it grow to 240 before it collects. Who sets GOMEMLIMIT knows better.
func Frugal(workers int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(workers) * 180 << 20)
	}
}
