package cli

import (
	"strings"

	"github.com/urfave/cli/v2"
)

const appHelp = `relseal - {{.Usage}}

Usage:
  relseal COMMAND [flags] [arguments]

Commands:{{range .VisibleCommands}}
  {{.Name | printf "%-15s"}}{{.Usage}}{{end}}

Flags may stand before or after arguments. Results go to stdout, messages to
stderr. Exit codes: 0 yes, 1 cannot say, 2 no; 64 usage, 66 input missing,
73 cannot create, 74 I/O, 70 internal fault, 130 interrupted.

Example:
  relseal cut --new-key examples/quickstart
  relseal verify-bundle greetd-1.0.0.release.tar.zst --key release.pub

relseal COMMAND --help says more.
`

const commandHelp = `{{.HelpName}} - {{.Usage}}

Usage:
  {{.HelpName}}{{if .VisibleFlags}} [flags]{{end}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}

{{trim .Description}}
{{if .VisibleFlags}}
Flags:{{range .VisibleFlags}}
  {{.}}{{end}}
{{end}}`

const groupHelp = `{{.HelpName}} - {{.Usage}}

Usage:
  {{.HelpName}} COMMAND [flags] [arguments]

{{trim .Description}}

Commands:{{range .VisibleCommands}}
  {{.Name | printf "%-15s"}}{{.Usage}}{{end}}

{{.HelpName}} COMMAND --help says more.
`

// helpText returns the help of the whole program as a string.
func helpText(c *cli.Context) string {
	var b strings.Builder
	cli.HelpPrinter(&b, appHelp, c.App)
	return b.String()
}
