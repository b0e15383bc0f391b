package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/hint"
)

func trailCommand(env *ui.Env) *cli.Command {
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
			trailStartCommand(env),
			trailAppendCommand(env),
			trailCloseCommand(env),
			trailRecoverCommand(env),
			trailVerifyCommand(env),
			trailShowCommand(env),
			trailStatsCommand(env),
			trailExportCommand(env),
		},
	}
}

// trailFile returns the trail that an argument names: a file, or that of a run
// directory.
func trailFile(arg string) (string, error) {
	info, err := os.Stat(arg)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return arg, nil
	}
	file := filepath.Join(arg, filepath.FromSlash(bundle.TrailPath))
	if _, err = os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		err = hint.With(err, "relseal trail start makes a run directory")
	}
	return file, err
}
