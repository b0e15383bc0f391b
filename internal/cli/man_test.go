package cli

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestManPages: each page names its command, all its flags and its neighbours,
// and no line of it is taken for a request that it is not.
func TestManPages(t *testing.T) {
	root := commandTree(newApp(newTestApp()))
	request := regexp.MustCompile(`^\.(TH|SH|TP|PP|B|I|BR|nf|fi)( |$)`)
	for _, n := range root.all() {
		page := n.man(root)
		if !strings.HasPrefix(page, `.TH "`+strings.ToUpper(n.page())+`" 1 `) || !strings.Contains(page, "\n.SH NAME\n"+roff(n.page())+` \- `) {
			t.Errorf("%s begins with %.80s", n.page(), page)
		}
		for _, f := range n.flags {
			if !strings.Contains(page, `\fB\-\-`+roff(f.names[0])+`\fR`) {
				t.Errorf("%s leaves out --%s", n.page(), f.names[0])
			}
		}
		for _, c := range n.children {
			if !strings.Contains(page, "\n.BR "+roff(c.page())+" (1)") {
				t.Errorf("%s leaves out %s", n.page(), c.page())
			}
		}
		for i, line := range strings.Split(page, "\n") {
			if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !request.MatchString(line) {
				t.Errorf("%s:%d: %s", n.page(), i+1, line)
			}
		}
		if strings.Contains(page, "\n\n") {
			t.Errorf("%s has an empty line", n.page())
		}
	}
	leaf := find(newApp(newTestApp()).Commands, "key").Subcommands[0]
	if page := newNode(leaf, "key generate").man(root); !strings.HasSuffix(page, ".SH SEE ALSO\n.BR relseal\\-key (1)\n") {
		t.Errorf("see also: %s", page[strings.LastIndex(page, ".SH"):])
	}
}

// TestManFormatters has the formatters that are installed read every page.
func TestManFormatters(t *testing.T) {
	root := commandTree(newApp(newTestApp()))
	for name, args := range map[string][]string{
		"groff":  {"-man", "-ww", "-Tascii", "-P-cbou", "-rHY=0"},
		"mandoc": {"-Tlint", "-Wwarning"},
		"man":    {"--warnings", "-l", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			path, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("%s is not installed", name)
			}
			if name == "man" && exec.Command(path, "--version").Run() != nil {
				t.Skip("this man is not man-db, whose options are used here")
			}
			for _, n := range root.all() {
				cmd := exec.Command(path, args...)
				cmd.Env = append(cmd.Environ(), "LC_ALL=C", "MANWIDTH=200", "MAN_KEEP_FORMATTING=", "GROFF_NO_SGR=1")
				cmd.Stdin = strings.NewReader(n.man(root))
				var stdout, stderr strings.Builder
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				err := cmd.Run()
				if name == "mandoc" { // it says on stdout what it finds
					said := strings.Split(strings.TrimSpace(stdout.String()), "\n")
					said = slices.DeleteFunc(said, func(line string) bool { return line == "" || strings.Contains(line, "missing date") })
					if len(said) > 0 || stderr.Len() > 0 {
						t.Errorf("%s: %s%s", n.page(), strings.Join(said, "\n"), &stderr)
					}
					continue
				}
				if err != nil || stderr.Len() > 0 {
					t.Errorf("%s: %v: %s", n.page(), err, &stderr)
				}
				for _, f := range n.flags {
					if !strings.Contains(stdout.String(), "--"+f.names[0]) {
						t.Errorf("%s: --%s does not come out as it is typed:\n%s", n.page(), f.names[0], &stdout)
					}
				}
			}
		})
	}
}

func TestRoff(t *testing.T) {
	for in, want := range map[string]string{
		"plain":        "plain",
		".TH evil":     `\&.TH evil`,
		"'br":          `\(aqbr`,
		`a\b`:          `a\eb`,
		"--key":        `\-\-key`,
		"~/x and `y`":  `\(ti/x and \(gay\(ga`,
		"  .indented":  "  .indented",
		"for others …": "for others ...",
	} {
		if got := roff(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
