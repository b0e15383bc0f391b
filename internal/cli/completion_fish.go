package cli

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/internal/cli/ui"
)

// fishCompletion has one line for each command and flag, with the condition under
// which it is offered.
func fishCompletion(root node) string {
	var w strings.Builder
	var paths []string
	for _, n := range root.all()[1:] {
		paths = append(paths, quoteFish(atPath(n)))
	}
	fmt.Fprintf(&w, `# fish completion for relseal, made by %s

# The command that the line names so far, each word after a space.
function __relseal_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case %s
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end

`, ui.Producer, strings.Join(paths, " "))
	for _, n := range root.all() {
		when := quoteFish("__relseal_at " + quoteFish(atPath(n)))
		for _, c := range n.children {
			fmt.Fprintf(&w, "complete -c relseal -n %s -f -a %s -d %s\n", when, c.name, quoteFish(c.usage))
		}
		if words := n.words(); len(n.children) == 0 && len(words) > 0 {
			fmt.Fprintf(&w, "complete -c relseal -n %s -f -a %s\n", when, quoteFish(strings.Join(words, " ")))
		}
		for _, f := range n.flags {
			fmt.Fprintf(&w, "complete -c relseal -n %s", when)
			for _, name := range f.names {
				if len(name) == 1 {
					fmt.Fprintf(&w, " -s %s", name)
				} else {
					fmt.Fprintf(&w, " -l %s", name)
				}
			}
			if list := choices(f.value); list != nil {
				fmt.Fprintf(&w, " -x -a %s", quoteFish(strings.Join(list, " ")))
			} else if f.value != "" {
				w.WriteString(" -r -F")
			}
			fmt.Fprintf(&w, " -d %s\n", quoteFish(f.usage))
		}
	}
	return w.String()
}

// quoteFish returns s in fish's single quotes, in which \ and ' are escaped.
func quoteFish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
