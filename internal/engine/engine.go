// Package engine says how the checks of a verification are made. It changes the time
// that they take and nothing that is reported, so it is no option of package verify: our
// own programs hand it on in a context.
package engine

import "context"

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
