// Package trail is the command trail: trails recorded, checked and read.
package trail

import (
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/trail"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "trail",
		Usage: "record a run as a signed chain of events, check and read it",
		Description: `For runs that relseal does not execute itself: any program says what happened, and
relseal numbers, dates, links and signs it. A run directory DIR has the tree of an
AuditBundle; its trail is DIR/audit/trail.jsonl.

Example:
  relseal trail start DIR --envlock env.json --pipeline p.yaml --params q.yaml --key F
  ./build.sh | relseal trail append DIR --key F --from -
  relseal trail close DIR --key F --status ok --output out/greetd
  relseal trail verify DIR --key release.pub`,
		Subcommands: []*cli.Command{
			startCommand(env),
			appendCommand(env),
			closeCommand(env),
			recoverCommand(env),
			verifyCommand(env),
			showCommand(env),
			statsCommand(env),
			exportCommand(env),
		},
	}
}

// openRun opens the run directory that the command names.
func openRun(env *ui.Env, c *cli.Context) (*trail.Run, error) {
	dir := c.Args().First()
	file, err := ui.TrailFile(dir)
	if err != nil {
		return nil, err
	}
	if file == dir {
		return nil, ui.UsageHint(fmt.Sprintf("%s: %s is not a run directory", c.Command.HelpName, dir), "name the directory that relseal trail start made")
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return nil, err
	}
	o := runOptions()
	o.Waiting = env.Waiting(file)
	r, err := trail.OpenRun(c.Context, dir, key, o)
	if err != nil {
		return nil, err
	}
	for _, torn := range r.Torn() {
		env.Say("hint", ui.TornText(torn))
	}
	return r, nil
}

func runOptions() trail.RunOptions {
	return trail.RunOptions{Producer: ui.Producer}
}

// filesBelow returns the files that a flag names.
func filesBelow(c *cli.Context, flag string) ([]string, error) {
	names := c.StringSlice(flag)
	for _, name := range names {
		if !filepath.IsLocal(name) || !canon.Printable(filepath.ToSlash(name)) {
			return nil, ui.UsageHint(fmt.Sprintf("%s: --%s %+q is not a path below the current directory", c.Command.HelpName, flag, name),
				"the path is recorded as the file's name and must mean the same elsewhere")
		}
	}
	return names, nil
}
