package ui

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/sign"
)

// OpenLog opens a trail to append to it, until the user interrupts. With resume it goes
// on from the state beside the trail; otherwise every line is checked.
func (env *Env) OpenLog(c *cli.Context, file string, key sign.Signer, resume bool) (*audit.Log, error) {
	return audit.OpenWith(c.Context, file, key, clock.System(), audit.Options{Resume: resume, Waiting: env.Waiting(file)})
}

// Waiting says whose lock on a trail is waited for.
func (env *Env) Waiting(file string) func(holder string) {
	return func(holder string) {
		env.Say("hint", fmt.Sprintf("waiting for %s, which has the lock on %s", holder, file))
	}
}

// TornText says what a crash has left of the last line of a trail.
func TornText(t audit.Torn) string {
	if t.Path == "" {
		return fmt.Sprintf("a crash cut the last line short by its LF; event %d is whole and was kept", t.K)
	}
	return fmt.Sprintf("a crash cut off event %d; its bytes are in %s", t.K, t.Path)
}
