package cli

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/internal/cli/ui"
)

// page is the name of a command's manual page.
func (n node) page() string {
	return strings.ReplaceAll("relseal"+atPath(n), " ", "-")
}

// man returns the command's manual page, in the macros of man(7) that groff and
// mandoc share. It has no date, so that it depends on nothing but the program.
func (n node) man(root node) string {
	var w strings.Builder
	command := "relseal" + atPath(n)
	fmt.Fprintf(&w, ".TH %s 1 \"\" %s \"relseal manual\"\n", roffQuote(strings.ToUpper(n.page())), roffQuote(ui.Producer))
	fmt.Fprintf(&w, ".SH NAME\n%s \\- %s\n", roff(n.page()), roff(n.usage))
	fmt.Fprintf(&w, ".SH SYNOPSIS\n.B %s\n", roff(command))
	switch {
	case len(n.children) > 0:
		w.WriteString(".I COMMAND\n[\\fIflags\\fR] [\\fIarguments\\fR]\n")
	case n.args == "":
		w.WriteString("[\\fIflags\\fR]\n")
	default:
		fmt.Fprintf(&w, "[\\fIflags\\fR]\n.I %s\n", roff(n.args))
	}
	text, examples, _ := strings.Cut(n.text, "Example:\n")
	if n.path == "" {
		text, examples = rootText, rootExamples
	}
	if text = strings.TrimSpace(text); text != "" {
		w.WriteString(".SH DESCRIPTION\n")
		paragraphs(&w, text)
	}
	if len(n.children) > 0 {
		w.WriteString(".SH COMMANDS\n")
		for _, c := range n.children {
			fmt.Fprintf(&w, ".TP\n.B %s\n%s; see\n.BR %s (1)\n", roff(c.name), roff(c.usage), roff(c.page()))
		}
	}
	w.WriteString(".SH OPTIONS\n")
	for _, f := range n.flags {
		var names []string
		for _, name := range f.written() {
			names = append(names, `\fB`+roff(name)+`\fR`)
		}
		fmt.Fprintf(&w, ".TP\n%s", strings.Join(names, ", "))
		if f.value != "" {
			fmt.Fprintf(&w, ` \fI%s\fR`, roff(f.value))
		}
		fmt.Fprintf(&w, "\n%s\n", roff(f.usage))
	}
	if examples = strings.TrimRight(examples, "\n"); examples != "" {
		w.WriteString(".SH EXAMPLES\n")
		verbatim(&w, strings.Split(examples, "\n"))
	}
	exitStatus(&w)
	seeAlso(&w, n, root)
	return w.String()
}

const rootText = `Flags may stand before or after arguments; what follows -- is an argument. Results go to standard
output, messages to standard error. Nothing prompts unless standard input is a terminal.`

const rootExamples = `  relseal cut --new-key examples/quickstart
  relseal verify-bundle greetd-1.0.0.release.tar.zst --key release.pub`

// paragraphs writes text that is filled, but for lines that are indented.
func paragraphs(w *strings.Builder, text string) {
	for i, p := range strings.Split(text, "\n\n") {
		if i > 0 {
			w.WriteString(".PP\n")
		}
		var fixed []string
		for line := range strings.SplitSeq(strings.Trim(p, "\n"), "\n") {
			if strings.HasPrefix(line, " ") {
				fixed = append(fixed, line)
				continue
			}
			verbatim(w, fixed)
			fixed = nil
			fmt.Fprintf(w, "%s\n", roff(line))
		}
		verbatim(w, fixed)
	}
}

// verbatim writes lines as they are.
func verbatim(w *strings.Builder, lines []string) {
	if len(lines) == 0 {
		return
	}
	w.WriteString(".nf\n")
	for _, line := range lines {
		fmt.Fprintf(w, "%s\n", roff(line))
	}
	w.WriteString(".fi\n")
}

// exitStatuses are the same for all commands.
var exitStatuses = []struct {
	code int
	text string
}{
	{ui.ExitOK, "yes: VERIFIED, done"},
	{ui.ExitUndecidable, "cannot say: UNDECIDABLE, something needed is missing"},
	{ui.ExitReject, "no: REJECT, a run that failed, a rollback that is due; an answer, and nothing else"},
	{ui.ExitUsage, "usage: unknown command or flag, missing argument"},
	{ui.ExitNoInput, "an input is missing, cannot be opened, or is not acceptable"},
	{ui.ExitUnavailable, "the command needs relseal-ops, which is not there"},
	{ui.ExitInternal, "a fault of relseal itself"},
	{ui.ExitCantCreate, "an output exists or cannot be created"},
	{ui.ExitIO, "input or output failed, a full or closed standard output included"},
	{ui.ExitInterrupted, "interrupted"},
}

func exitStatus(w *strings.Builder) {
	w.WriteString(".SH EXIT STATUS\n")
	for _, e := range exitStatuses {
		fmt.Fprintf(w, ".TP\n.B %d\n%s\n", e.code, roff(e.text))
	}
}

// seeAlso names the page above and those below.
func seeAlso(w *strings.Builder, n, root node) {
	var pages []string
	for _, other := range root.all() {
		parent := other.path == n.path[:max(strings.LastIndexByte(n.path, ' '), 0)] && n.path != ""
		child := other.path != "" && n.path == other.path[:max(strings.LastIndexByte(other.path, ' '), 0)]
		if parent || child {
			pages = append(pages, other.page())
		}
	}
	if len(pages) == 0 {
		return
	}
	w.WriteString(".SH SEE ALSO\n")
	for i, p := range pages {
		comma := " ,"
		if i == len(pages)-1 {
			comma = ""
		}
		fmt.Fprintf(w, ".BR %s (1)%s\n", roff(p), comma)
	}
}

// roff returns text as it stands for itself: a backslash, a hyphen that is typed,
// and what begins a line like a request.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "…", "...").Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// roffQuote returns an argument of a macro.
func roffQuote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
