// Package bundle is the command bundle: bundles sealed, shown and unpacked.
package bundle

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "bundle",
		Usage: "seal bundles step by step, look into them, unpack them",
		Description: `An AuditBundle holds the record of one run. A ReleaseBundle holds artifacts and the
AuditBundles of the runs that made them. relseal cut makes both at once.

Example:
  relseal bundle audit run --key release.key --product greetd --out greetd.audit.tar.zst
  relseal bundle show greetd.audit.tar.zst`,
		Subcommands: []*cli.Command{
			auditCommand(env),
			releaseCommand(env),
			signCommand(env),
			showCommand(env),
			unpackCommand(env),
		},
	}
}

// sealedResult is what bundle audit and bundle release say.
type sealedResult struct {
	Schema  string         `json:"schema"`
	Kind    string         `json:"kind"`
	File    string         `json:"file"`
	ID      sign.Digest    `json:"id"`
	Verdict verify.Verdict `json:"verdict"`
	Key     sign.KeyID     `json:"key"`
	Product string         `json:"product"`
	Run     *string        `json:"run"`     // of an audit bundle
	Outcome *string        `json:"outcome"` // of an audit bundle
	Version *string        `json:"version"` // of a release
	Channel *string        `json:"channel"` // of a release
	Commit  *string        `json:"commit"`  // of a release; null if none is known
}

func newSealedResult(kind string, s pack.Sealed, key sign.KeyID) sealedResult {
	return sealedResult{Schema: "relseal/sealed/v1", Kind: kind, File: s.File, ID: s.ID, Verdict: s.Report.Verdict, Key: key}
}

func sealedText(title string, r sealedResult) string {
	return fmt.Sprintf("%s\n  %-8s %s\n           %s %s\n  key      %s\n", title, r.Kind, r.File, r.Verdict, r.ID, r.Key)
}
