package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
)

// completionScripts writes a script from the tree of commands, by shell.
var completionScripts = map[string]func(node) string{
	"bash": bashCompletion,
	"zsh":  zshCompletion,
	"fish": fishCompletion,
}

func completionCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a completion script for a shell",
		ArgsUsage: "bash|zsh|fish",
		Description: `The script completes commands, flags and, where one is wanted, files. For zsh the
directory of the file must be in fpath.

Example:
  relseal completion bash >~/.local/share/bash-completion/completions/relseal
  relseal completion zsh >~/.zsh/completions/_relseal
  relseal completion fish >~/.config/fish/completions/relseal.fish`,
		Flags: []cli.Flag{ui.JSONFlag()},
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "bash, zsh or fish"); err != nil {
				return err
			}
			shell := c.Args().First()
			write, ok := completionScripts[shell]
			if !ok {
				return ui.UsageHint(fmt.Sprintf("relseal completion: no script for %q", shell),
					ui.Suggest(shell, slices.Sorted(maps.Keys(completionScripts)), "there are bash, zsh and fish"))
			}
			script := write(commandTree(c.App))
			return env.Print(c, struct {
				Schema string   `json:"schema"`
				Shell  string   `json:"shell"`
				Lines  []string `json:"lines"` // of the script: as one text it may be longer than JSON here allows
			}{"relseal/completion/v1", shell, slices.Collect(strings.Lines(script))}, script)
		},
	}
}

// bashCompletion needs bash 3.2, which macOS has. Where the function finds
// nothing, readline's own completion of files takes over.
func bashCompletion(root node) string {
	var w strings.Builder
	fmt.Fprintf(&w, `# bash completion for relseal, made by %s

_relseal() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local at= i words= flags= values=
    COMPREPLY=()
    # --flag=value comes as three words.
    if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${COMP_WORDS[i]}" in
            %s) at="$at ${COMP_WORDS[i]}" ;;
        esac
    done
    case "$at" in
`, ui.Producer, bashPaths(root))
	for _, n := range root.all() {
		fmt.Fprintf(&w, "        %s)\n", quoteSh(atPath(n)))
		if words := n.words(); len(words) > 0 {
			fmt.Fprintf(&w, "            words=%s\n", quoteSh(strings.Join(words, " ")))
		}
		var flags, values []string
		for _, f := range n.flags {
			flags = append(flags, f.written()...)
			if f.value != "" {
				values = append(values, f.written()...)
			}
		}
		fmt.Fprintf(&w, "            flags=%s\n", quoteSh(strings.Join(flags, " ")))
		if len(values) > 0 {
			fmt.Fprintf(&w, "            values=%s\n", quoteSh(strings.Join(values, " ")))
		}
		for _, f := range n.flags {
			if list := choices(f.value); list != nil {
				fmt.Fprintf(&w, "            case \"$prev\" in %s) COMPREPLY=($(compgen -W %s -- \"$cur\")); return ;; esac\n",
					strings.Join(f.written(), "|"), quoteSh(strings.Join(list, " ")))
			}
		}
		w.WriteString("            ;;\n")
	}
	w.WriteString(`    esac
    # The value of a flag: a file, for readline to complete. It takes = for a word.
    case " $values = " in *" $prev "*) return ;; esac
    case "$cur" in -*) words=$flags ;; esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    if [ -n "$words" ]; then compopt +o default +o bashdefault 2>/dev/null; fi
}

complete -o bashdefault -o default -F _relseal relseal
`)
	return w.String()
}

// atPath is how the scripts write the path of a command: each word after a space.
func atPath(n node) string {
	if n.path == "" {
		return ""
	}
	return " " + n.path
}

// bashPaths returns the paths of all commands as a pattern of case.
func bashPaths(root node) string {
	var list []string
	for _, n := range root.all()[1:] {
		list = append(list, quoteSh(atPath(n)))
	}
	return strings.Join(list, "|")
}

// quoteSh returns s in single quotes, for bash and zsh.
func quoteSh(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
