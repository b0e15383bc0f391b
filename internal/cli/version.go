package cli

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"
)

// Version is the version of this relseal, which its records name as producer.
const Version = "0.1.0"

// producer is what code.hash of the events that relseal itself writes is the digest of.
const producer = "relseal " + Version

func versionCommand(env *environment) *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the version",
		Description: "Example:\n  relseal version --json",
		Flags:       []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			if err := exactArgs(c); err != nil {
				return err
			}
			v := struct {
				Schema  string `json:"schema"`
				Version string `json:"version"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
			}{"relseal/version/v1", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			return env.print(c, v, fmt.Sprintf("%s (%s, %s/%s)\n", producer, v.Go, v.OS, v.Arch))
		},
	}
}
