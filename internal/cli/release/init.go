package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/known"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

func initCommand(env *ledgerEnv) *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "start the ledger of a product",
		ArgsUsage: "LEDGER",
		Description: `Makes the directory LEDGER, which must be new or empty, with the trail audit/trail.jsonl;
or the file LEDGER, if its name ends in .jsonl. A ledger never closes. The key signs
every event of it, and relseal trail verify and show read it like any trail.

Example:
  relseal release init ledger --product greetd --key release.key`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "product", Usage: "whose releases they are"},
			ui.RootRefFlag(),
		}, append(ui.SigningFlags(), headOutFlag(), ui.JSONFlag())...),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "LEDGER"); err != nil {
				return err
			}
			if err := ui.Need(c, "product", "key"); err != nil {
				return err
			}
			return env.init(c)
		},
	}
}

func (env *ledgerEnv) init(c *cli.Context) error {
	ledger, product := c.Args().First(), c.String("product")
	if !canon.Printable(product) {
		return ui.Usage(fmt.Sprintf("%s: --product %+q has a character outside U+0020 to U+007E", c.Command.HelpName, product))
	}
	file := ledger
	if !strings.HasSuffix(ledger, ".jsonl") {
		if err := ui.Vacant(ledger); err != nil {
			return hint.With(err, "a ledger is never overwritten; relseal release status says where one stands")
		}
		file = filepath.Join(ledger, filepath.FromSlash(bundle.TrailPath))
	}
	if out := c.String("head-out"); out != "" {
		if _, err := os.Lstat(out); err == nil {
			return &ui.Error{Code: ui.ExitCantCreate, Err: fmt.Errorf("%s: exists", out), Hint: "a new ledger takes the place of no head"}
		}
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return err
	}
	o, err := ledgerOptions(c, key)
	if err != nil {
		return err
	}
	if o.Root, err = ui.RootRef(c, key, sign.RoleLedger); err != nil {
		return err
	}
	var h0 sign.Digest
	if file == ledger {
		h0, err = release.Create(file, product, o)
	} else {
		err = durable.Fill(ledger, bundle.TrailPath, func(dir string) (err error) {
			file := filepath.Join(dir, filepath.FromSlash(bundle.TrailPath))
			if err := durable.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err
			}
			h0, err = release.Create(file, product, o)
			return err
		})
	}
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return &ui.Error{Code: ui.ExitCantCreate, Err: fmt.Errorf("%s: exists", ledger), Hint: "a ledger is never overwritten; choose another name"}
		}
		return err
	}
	if env.memory.state, err = known.System(); err != nil {
		env.memory.state = ""
	}
	env.memory.head = func() release.Head { return release.Head{H0: h0, HK: h0} }
	return env.PrintDone(c, struct {
		Schema  string      `json:"schema"`
		Ledger  string      `json:"ledger"`
		Product string      `json:"product"`
		Key     sign.KeyID  `json:"key"`
		H0      sign.Digest `json:"H_0"`
	}{"relseal/release-init/v1", ledger, product, key.Public().KeyID(), h0},
		fmt.Sprintf("started the ledger of %s in %s\n  H_0  %s\n  key  %s\n", product, escape.Line(ledger), h0, key.Public().KeyID()))
}
