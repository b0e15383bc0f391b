package cli

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/internal/cli/ui"
)

// zshCompletion says of each command and flag what it is for.
func zshCompletion(root node) string {
	var w strings.Builder
	fmt.Fprintf(&w, `#compdef relseal
# zsh completion for relseal, made by %s

_relseal() {
    local at= values=
    local -i i
    local -a commands choices flags
    for ((i = 2; i < CURRENT; i++)); do
        case "$at ${words[i]}" in
            (%s) at="$at ${words[i]}" ;;
        esac
    done
    case "$at" in
`, ui.Producer, bashPaths(root))
	for _, n := range root.all() {
		fmt.Fprintf(&w, "        (%s)\n", quoteSh(atPath(n)))
		if len(n.children) > 0 {
			w.WriteString("            commands=(\n")
			for _, c := range n.children {
				fmt.Fprintf(&w, "                %s\n", quoteSh(described(c.name, c.usage)))
			}
			w.WriteString("            )\n")
		} else if words := n.words(); len(words) > 0 {
			fmt.Fprintf(&w, "            choices=(%s)\n", strings.Join(words, " "))
		}
		w.WriteString("            flags=(\n")
		for _, f := range n.flags {
			for _, name := range f.written() {
				fmt.Fprintf(&w, "                %s\n", quoteSh(described(name, f.usage)))
			}
		}
		w.WriteString("            )\n")
		for _, f := range n.flags {
			if f.value == "" {
				continue
			}
			if list := choices(f.value); list != nil {
				fmt.Fprintf(&w, "            case \"${words[CURRENT-1]}\" in (%s) compadd -- %s; return ;; esac\n",
					strings.Join(f.written(), "|"), strings.Join(list, " "))
				continue
			}
			fmt.Fprintf(&w, "            values+=%s\n", quoteSh(" "+strings.Join(f.written(), " ")))
		}
		w.WriteString("            ;;\n")
	}
	w.WriteString(`    esac
    if [[ "$values " == *" ${words[CURRENT-1]} "* ]]; then
        _files
    elif [[ "$PREFIX" == --*=* ]]; then
        compset -P '*='
        _files
    elif [[ "$PREFIX" == -* ]]; then
        _describe -o flag flags
    elif (( $#commands )); then
        _describe command commands
    elif (( $#choices )); then
        compadd -a choices
    else
        _files
    fi
}

# Found through fpath, this file is the function; sourced, it has to be told.
if [[ "$funcstack[1]" == _relseal ]]; then
    _relseal "$@"
else
    compdef _relseal relseal
fi
`)
	return w.String()
}

// described returns a word with what it is for, as _describe takes it.
func described(word, usage string) string {
	return strings.ReplaceAll(word, ":", `\:`) + ":" + usage
}
