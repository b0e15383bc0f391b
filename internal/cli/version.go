package cli

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
)

func versionCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the version",
		Description: "Example:\n  relseal version --json",
		Flags:       []cli.Flag{ui.JSONFlag()},
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c); err != nil {
				return err
			}
			v := struct {
				Schema  string `json:"schema"`
				Version string `json:"version"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
			}{"relseal/version/v1", ui.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			return env.Print(c, v, fmt.Sprintf("%s (%s, %s/%s)\n", ui.Producer, v.Go, v.OS, v.Arch))
		},
	}
}
