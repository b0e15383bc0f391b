package capture

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/relseal/relseal/internal/lazyregexp"
)

// named is an argument that gives something a name: TOKEN=t, --token=t.
var named = lazyregexp.New(`(?s)^(?:--?)?([A-Za-z_][A-Za-z0-9_.-]*)=(.+)$`)

// notItself are the ends of names that sound like a credential and say where one
// is. A key that stands in an argument itself is told by its form.
var notItself = []string{"_FILE", "_PATH", "_DIR", "_FD", "_ENV", "_STDIN", "PRIVATE_KEY", "SIGNING_KEY", "SSH_KEY", "DEPLOY_KEY"}

// checkStep reports what looks like a credential in a step, as STEP:NAME and
// STEP:NUMBER.
func (m *machine) checkStep(s Step, problems *Problems) {
	of := s.ID + ":"
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		if what := secretArgument("", name+"="+s.Env[name]); what != "" && !m.allowed(of+name) {
			problems.add(KindVariable, of+name, what, secretHint, ErrSecret)
		}
	}
	m.checkArguments(of, s.Run, problems)
}

// checkArguments reports the arguments that look like credentials, by number, 0
// for the command itself. No problem ever holds an argument.
func (m *machine) checkArguments(of string, args []string, problems *Problems) {
	for i, arg := range args {
		number := of + strconv.Itoa(i)
		if m.allowed(number) {
			continue
		}
		before := ""
		if i > 0 {
			before = args[i-1]
		}
		if what := secretArgument(before, arg); what != "" {
			problems.add(KindArgument, number, what, secretHint, ErrSecret)
		}
	}
}

// secretArgument says what makes an argument look like a credential, "" for
// nothing: its form, its name, or the option before it.
func secretArgument(before, arg string) string {
	if what := secretValue(arg); what != "" {
		return "it looks like " + what
	}
	if parts := named.FindStringSubmatch(arg); parts != nil {
		if secretOption(parts[1]) && !strings.HasPrefix(parts[2], "$") { // what a shell or make fills in later
			return "its name looks like that of a credential"
		}
		return ""
	}
	option, long := strings.CutPrefix(before, "--")
	if long && !strings.HasPrefix(arg, "-") && !strings.Contains(option, "=") && secretOption(option) {
		return "it follows an option that looks like that of a credential"
	}
	return ""
}

func secretOption(name string) bool {
	name = strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	return secretName(name) && !slices.ContainsFunc(notItself, func(end string) bool { return strings.HasSuffix(name, end) })
}
