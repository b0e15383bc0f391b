package bundle

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/countersign"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/sign"
)

func writePayload(env *ui.Env, c *cli.Context, s countersign.Bundle, dir string) error {
	files, err := s.Payload()
	if err != nil {
		return err
	}
	if err := ui.WriteNewDir(dir, files); err != nil {
		return err
	}
	names := ui.SortedPaths(files)
	return env.Print(c, struct {
		Schema string      `json:"schema"`
		Dir    string      `json:"dir"`
		ID     sign.Digest `json:"id"`
		Role   string      `json:"role"`
		Files  []string    `json:"files"`
	}{"relseal/bundle-payload/v1", dir, s.ID, s.Role, names}, fmt.Sprintf(
		"wrote %s\n  bundle %s, to be signed as %s\n  sign %s, %s and %s as they are, each into a file with .sig after its name;\n  instead of the last, ssh-keygen -Y sign -n %s %s will do\n",
		escape.Line(dir), s.ID, s.Role, countersign.IDFile, countersign.StatementFile, countersign.SSHFile, sign.Namespace, countersign.ManifestFile))
}

func keyIDOf(key *sign.PublicKey) *sign.KeyID {
	if key == nil {
		return nil
	}
	id := key.KeyID()
	return &id
}
