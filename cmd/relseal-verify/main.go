// Command relseal-verify says which artifact of which release a file is, or whether a
// bundle holds: what relseal verify says, by a program that can do nothing else. It opens
// no connection, starts no process and knows no private key.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/exit"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/verify"
)

const name = "relseal-verify"

const help = `relseal-verify - check a file that you hold, or a bundle, with a public key, offline

Usage:
  relseal-verify FILE... --key FILE|DIR ... [flags]
  relseal-verify FILE... --root FILE [flags]

Says of each FILE which artifact of which release it is: VERIFIED (exit 0), UNDECIDABLE
(1) or REJECT (2), also if it is none. The bundle that names it is looked for beside it,
or is the one of --bundle. A FILE that is named *.audit.tar.zst or *.release.tar.zst, or a
directory with a manifest, is judged as a bundle. It is the command verify of relseal.

Flags:
  --key FILE      trust the public key in FILE, or every *.pub of a directory; may be repeated
  --root FILE     trust the version of a trust root in FILE, instead of --key
  --root-dir DIR  look for later versions of the root in DIR, beside the copies in the bundle
  --ledger LEDGER hold releases to what LEDGER says became of them; under --root it dates bundles
  --at T          ask how it stood at T: a date, a time in RFC 3339, or now
  --for-install   reject under a root that has expired at --at
  --history       a release that LEDGER rolled back is no reason to reject it
  --bundle B      look for the files in the bundle B alone; may be repeated
  --expect LIST   reject unless each of LIST holds, as in product=P,version=V
  --strict        reject what is undecidable
  --plain         take no short cut in checking trails: the same report, several times as slow
  --json          print the result as JSON

Exit codes: 0 yes, 1 cannot say, 2 no; 64 usage, 66 input missing, 74 I/O, 70 internal
fault, 130 interrupted.

Example:
  relseal-verify greetd-1.0.0.release.tar.zst --key release.pub
`

func main() {
	// What Go ends by itself ends by a signal: its exit code would be 2, which is an answer.
	debug.SetTraceback("crash")
	engine.Frugal(1)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run does what args say and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	say := func(kind, text string) {
		for line := range strings.Lines(text) {
			fmt.Fprintf(stderr, "%s: %s: %s\n", name, kind, escape.Text(strings.TrimSuffix(line, "\n")))
		}
	}
	defer func() {
		if r := recover(); r != nil {
			say("error", fmt.Sprintf("internal fault: %v\n%s", r, debug.Stack()))
			code = exit.Internal
		}
	}()
	c, err := parse(args)
	if err == nil && c.help {
		if err = write(stdout, help); err == nil {
			return exit.OK
		}
	}
	var r *inquiry.Result
	if err == nil {
		r, err = c.ask(ctx)
	}
	if err == nil {
		err = errors.Join(c.print(stdout, r), r.Failed)
	}
	if err == nil {
		if r.Report != nil {
			say("hint", remedy(r.Report))
		}
		return answers[r.Worst]
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		say("error", "interrupted")
		return exit.Interrupted
	}
	code = exit.Code(err)
	text, next := strings.TrimPrefix(exit.Text(err), name+": "), hint.Of(err)
	say("error", text)
	say("hint", next)
	if c.json && r == nil {
		refuse(stdout, err, code, text, next)
	}
	return code
}

var answers = map[verify.Verdict]int{verify.Verified: exit.OK, verify.Undecidable: exit.Undecidable, verify.Reject: exit.Reject}

// remedy says what to do about the worst finding of a report, "" about none.
func remedy(r *verify.Report) string {
	e, _ := errors.AsType[*verify.AnswerError](r.Err())
	if e == nil {
		return ""
	}
	what, _ := verify.Explain(e.FindingCode())
	return what.Remedy
}

// A command is what the arguments say.
type command struct {
	terms      inquiry.Terms
	files      []string
	bundles    []string
	plain      bool
	json, help bool
}

// parse reads flags before and after the files; what follows -- is a file.
func parse(args []string) (command, error) {
	c := command{terms: inquiry.Terms{Command: name}, json: slices.Contains(args, "--json")}
	t := &c.terms
	once := map[string]*string{"root": &t.Root, "root-dir": &t.RootDir, "ledger": &t.Ledger, "at": &t.At, "expect": &t.Expect}
	often := map[string]*[]string{"key": &t.Keys, "bundle": &c.bundles}
	flags := map[string]*bool{"for-install": &t.Install, "history": &t.History, "strict": &t.Strict, "plain": &c.plain, "json": &c.json, "help": &c.help}
	fault := func(text string) (command, error) { return c, exit.Usage(name+": "+text, name+" --help") }
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			c.files = append(c.files, args[i+1:]...)
			break
		}
		flag, value, whole := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		switch {
		case arg == "":
			return fault("an argument is empty")
		case arg == "-h":
			c.help = true
			continue
		case !strings.HasPrefix(arg, "-"):
			c.files = append(c.files, arg)
			continue
		case flags[flag] != nil && !whole && strings.HasPrefix(arg, "--"):
			*flags[flag] = true
			continue
		case once[flag] == nil && often[flag] == nil || !strings.HasPrefix(arg, "--"):
			unknown, _, _ := strings.Cut(arg, "=")
			return fault("unknown flag " + unknown)
		}
		if !whole && i+1 < len(args) {
			i++
			value = args[i]
		}
		if value == "" {
			return fault("flag --" + flag + " needs a value")
		}
		if list := often[flag]; list != nil {
			*list = append(*list, value)
			continue
		}
		if *once[flag] != "" {
			return fault("flag --" + flag + " is given twice")
		}
		*once[flag] = value
	}
	if !c.help && len(c.files) == 0 {
		return fault("FILE is missing")
	}
	return c, nil
}

func (c *command) ask(ctx context.Context) (*inquiry.Result, error) {
	if err := c.terms.Check(); err != nil {
		return nil, err
	}
	o, err := c.terms.Options()
	if err != nil {
		return nil, err
	}
	q := inquiry.Inquiry{Options: o, Bundles: c.bundles}
	return q.Ask(engine.With(ctx, engine.Options{Plain: c.plain}), c.files)
}

func (c *command) print(w io.Writer, r *inquiry.Result) error {
	if !c.json {
		return write(w, escape.Text(r.Text()))
	}
	data, err := canon.Marshal(r)
	if err != nil {
		return err
	}
	return write(w, string(data)+"\n")
}

// write writes a result; if that fails the answer is lost, whatever it was.
func write(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// refuse prints as JSON why there is no result.
func refuse(w io.Writer, fault error, code int, text, next string) {
	r := exit.Refusal{Schema: exit.RefusalSchema, Exit: code, Text: text}
	var coded interface{ FindingCode() verify.Code }
	if errors.As(fault, &coded) {
		name := string(coded.FindingCode())
		r.Code = &name
	}
	if next != "" {
		r.Hint = &next
	}
	if data, err := r.JSON(); err == nil {
		fmt.Fprintf(w, "%s\n", data)
	}
}
