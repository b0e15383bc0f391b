package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/explain"
	"github.com/relseal/relseal/internal/lazyregexp"
)

// A node is one command of the tree, for those who write about all of them: the
// completion scripts and the manual pages. The root is the program itself.
type node struct {
	path     string // "" of the root, else such as "key show"
	name     string
	usage    string
	text     string // the description with its examples
	args     string // as help shows them
	flags    []flagInfo
	children []node
}

// flagInfo is what is known of a flag.
type flagInfo struct {
	names []string // without dashes, the long one first
	value string   // what help calls its value, "" if it takes none
	usage string
}

// commandTree returns the root of the commands that help shows.
func commandTree(app *cli.App) node {
	root := &cli.Command{Name: app.Name, Usage: app.Usage, Subcommands: app.Commands}
	return newNode(root, "")
}

func newNode(c *cli.Command, path string) node {
	n := node{path: path, name: c.Name, usage: c.Usage, text: strings.TrimSpace(c.Description), args: c.ArgsUsage}
	for _, f := range c.Flags {
		if !slices.Contains(f.Names(), helpFlag.names[0]) {
			n.flags = append(n.flags, newFlag(f))
		}
	}
	n.flags = append(n.flags, helpFlag)
	for _, sub := range c.Subcommands {
		if !sub.Hidden {
			n.children = append(n.children, newNode(sub, strings.TrimSpace(path+" "+sub.Name)))
		}
	}
	return n
}

// helpFlag is on every command; urfave/cli adds it to the one that runs.
var helpFlag = flagInfo{names: []string{"help", "h"}, usage: "show help"}

var placeholder = lazyregexp.New("`([^`]*)`")

func newFlag(f cli.Flag) flagInfo {
	info := flagInfo{names: f.Names()}
	doc, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return info
	}
	info.usage = strings.ReplaceAll(doc.GetUsage(), "`", "")
	if doc.TakesValue() {
		info.value = "VALUE"
		if m := placeholder.FindStringSubmatch(doc.GetUsage()); m != nil {
			info.value = m[1]
		}
	}
	return info
}

// all returns n and what is below it, parents first.
func (n node) all() []node {
	list := []node{n}
	for _, c := range n.children {
		list = append(list, c.all()...)
	}
	return list
}

// written returns the flag's names as they are typed.
func (f flagInfo) written() []string {
	out := make([]string, len(f.names))
	for i, name := range f.names {
		out[i] = "--" + name
		if len(name) == 1 {
			out[i] = "-" + name
		}
	}
	return out
}

var alternatives = lazyregexp.New(`^[a-z0-9-]+(\|[a-z0-9-]+)+$`)

// choices returns the values that an argument or flag can have, by what help
// calls it: those of a|b|c, the codes of CODE. Otherwise it is a file or free.
func choices(what string) []string {
	switch what = strings.Trim(what, "[]"); {
	case alternatives.MatchString(what):
		return strings.Split(what, "|")
	case what == "CODE":
		return explain.CodeNames()
	}
	return nil
}

// words returns what can follow the command: subcommands, or the values of its
// first argument.
func (n node) words() []string {
	var names []string
	for _, c := range n.children {
		names = append(names, c.name)
	}
	if len(names) == 0 {
		first, _, _ := strings.Cut(n.args, " ")
		names = choices(first)
	}
	return names
}
