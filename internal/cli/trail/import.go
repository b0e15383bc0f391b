package trail

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/trail"
)

// appended is what trail append says.
type appended struct {
	Schema string `json:"schema"`
	*trail.Appended
}

func printAppended(env *ui.Env, c *cli.Context, a *trail.Appended) error {
	return env.PrintDone(c, appended{"relseal/trail-append/v1", a},
		fmt.Sprintf("appended %s; the last is event %d, H_k %s\n", ui.Counted(a.Count, "event"), a.K, a.HK))
}

// trailImport appends the events of a stream.
func trailImport(env *ui.Env, c *cli.Context) error {
	name, in, err := env.OpenInput(c.String("from"))
	if err != nil {
		return err
	}
	defer in.Close()
	run, err := openRun(env, c)
	if err != nil {
		return err
	}
	defer run.Close()
	o := trail.ImportOptions{KeepGoing: c.Bool("keep-going"), Refused: func(r trail.RefusedLine) {
		env.Say("error", fmt.Sprintf("%s: line %d: %s", name, r.Line, r.Why))
	}}
	a, fault := run.Import(c.Context, in, o)
	if read, ok := errors.AsType[*trail.ReadError](fault); ok {
		fault = &ui.Error{Code: ui.ExitIO, Err: fmt.Errorf("%s: %w", name, ui.PlainCause(read.Err))}
	}
	if err := printAppended(env, c, a); err != nil {
		return err
	}
	if fault == nil && a.RefusedTotal > 0 {
		next := "the other lines were appended"
		if !o.KeepGoing {
			next = "nothing after that line was appended; --keep-going leaves out the line alone"
		}
		return &ui.Answer{Code: ui.ExitNoInput, Hint: next}
	}
	return fault
}
