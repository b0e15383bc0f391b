package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
)

// flagsFirst returns args with the flags of the named command before its
// arguments: urfave/cli stops looking for flags at the first argument, and
// people write `verify-bundle FILE --key F`. What follows "--" is an argument, and
// quoted is the number of those. --help wins over everything else on the line.
func flagsFirst(app *cli.App, args []string) (ordered []string, quoted int, err error) {
	out, rest := args[:1:1], args[1:]
	leaf, path := &cli.Command{Subcommands: app.Commands}, app.Name
	for len(rest) > 0 && len(leaf.Subcommands) > 0 && !strings.HasPrefix(rest[0], "-") {
		c := find(leaf.Subcommands, rest[0])
		if c == nil {
			return nil, 0, unknownCommand(leaf, path, rest[0])
		}
		leaf, path = c, path+" "+c.Name
		out, rest = append(out, c.Name), rest[1:]
	}
	var flags, positional []string
	given := map[string]bool{}
	for len(rest) > 0 {
		arg := rest[0]
		rest = rest[1:]
		switch {
		case arg == "": // an unset variable of the shell
			return nil, 0, ui.UsageHint(path+": an argument is empty", path+" --help")
		case arg == "--":
			positional, quoted, rest = append(positional, rest...), len(rest), nil
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			positional = append(positional, arg)
		case slices.Contains(cli.HelpFlag.Names(), flagName(arg)):
			return append(out, "--help"), 0, nil
		default:
			f := findFlag(leaf, arg)
			if f == nil {
				return nil, 0, unknownFlag(leaf, path, arg)
			}
			// Of a flag that takes one value the library would keep the last, and pass
			// over the others in silence.
			if _, many := f.(*cli.StringSliceFlag); !many && given[f.Names()[0]] {
				return nil, 0, ui.UsageHint(path+": flag --"+f.Names()[0]+" is given twice", path+" --help")
			}
			given[f.Names()[0]] = true
			flags = append(flags, arg)
			if _, isBool := f.(*cli.BoolFlag); isBool {
				continue
			}
			name, value, whole := strings.Cut(arg, "=")
			// What looks like another flag is that, and the value was left out;
			// --key=--json says otherwise.
			if !whole && len(rest) > 0 && (!strings.HasPrefix(rest[0], "-") || findFlag(leaf, rest[0]) == nil) {
				value, rest = rest[0], rest[1:]
				flags = append(flags, value)
			}
			if value == "" {
				return nil, 0, ui.UsageHint(path+": flag "+name+" needs a value", path+" --help")
			}
		}
	}
	out = append(append(out, flags...), "--")
	return append(out, positional...), quoted, nil
}

func find(commands []*cli.Command, name string) *cli.Command {
	i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(name) })
	if i < 0 {
		return nil
	}
	return commands[i]
}

// flagName returns the name in a flag as it is written: key of --key=F.
func flagName(arg string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return name
}

// findFlag returns the flag of c that arg is, or nil.
func findFlag(c *cli.Command, arg string) cli.Flag {
	i := slices.IndexFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), flagName(arg)) })
	if i < 0 {
		return nil
	}
	return c.Flags[i]
}

func unknownCommand(c *cli.Command, path, name string) error {
	return ui.UsageHint(fmt.Sprintf("%sunknown command %q", prefix(path), name),
		ui.Suggest(name, commandNames(c), path+" --help lists the commands"))
}

// unknownFlag leaves out the value: it may be a secret.
func unknownFlag(c *cli.Command, path, arg string) error {
	arg, _, _ = strings.Cut(arg, "=")
	known := commandNames(c) // some write relseal --version
	for _, f := range c.Flags {
		known = append(known, "--"+f.Names()[0])
	}
	return ui.UsageHint(prefix(path)+"unknown flag "+arg, ui.Suggest(arg, known, path+" --help"))
}

// prefix puts a command before its usage error; the program's name is there anyway.
func prefix(path string) string {
	if !strings.Contains(path, " ") {
		return ""
	}
	return path + ": "
}

func commandNames(c *cli.Command) (names []string) {
	for _, sub := range c.Subcommands {
		names = append(names, sub.Name)
	}
	return names
}

// complete gives a command what the house asks of all: the same help
// everywhere, and usage errors on stderr.
func complete(c *cli.Command, parent string) {
	path := parent + " " + c.Name
	c.HideHelpCommand = true
	c.CustomHelpTemplate = commandHelp
	c.OnUsageError = func(_ *cli.Context, err error, _ bool) error {
		text := strings.TrimSuffix(strings.Replace(err.Error(), " for -", " for --", 1), ": parse error")
		return ui.UsageHint(path+": "+text, path+" --help")
	}
	for _, f := range c.Flags {
		if b, ok := f.(*cli.BoolFlag); ok {
			b.DisableDefaultText = true // all are off unless given
		}
	}
	if findFlag(c, "--force") != nil {
		// A signature may be added in place, and run wrap reads none of its arguments.
		args := path != "relseal bundle sign" && path != "relseal run wrap"
		c.Before = func(ctx *cli.Context) error { return checkForce(ctx, args) }
	}
	if len(c.Subcommands) > 0 {
		c.CustomHelpTemplate = groupHelp
		c.Action = func(ctx *cli.Context) error {
			return ui.UsageHint(path+": no subcommand given", path+" --help lists them")
		}
	}
	for _, sub := range c.Subcommands {
		complete(sub, path)
	}
}
