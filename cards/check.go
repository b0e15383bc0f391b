package cards

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/lazyregexp"
)

// RNGFamilies are the generators that a card may name.
var RNGFamilies = []string{"mt19937", "pcg32", "philox", "system", "threefry", "xoshiro"}

var (
	stepID       = lazyregexp.New(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	variableName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// check reports everything that is wrong with the meaning of p, whether it came
// from YAML or from canonical JSON. It does not rely on the order of lists.
func (p Pipeline) check(report document.Reporter) {
	p.Card.check(report)
	distinct(report, p.Tools, "tools")
	for i, tool := range p.Tools {
		checkTool(report, tool, document.At("tools", i))
	}
	distinct(report, p.Locks, "locks")
	for i, lock := range p.Locks {
		checkLocal(report, lock, document.At("locks", i))
	}
	distinct(report, p.Env, "env")
	for i, name := range p.Env {
		checkVariable(report, name, document.At("env", i))
	}
	p.RNG.check(report)
	if len(p.Steps) == 0 {
		report(document.At("steps"), "a pipeline has at least one step", "")
	}
	for i, s := range p.Steps {
		s.check(report, i)
	}
	p.checkGraph(report)
	p.Weights.check(report, pipelineClasses)
}

func (id Identity) check(report document.Reporter) {
	switch at := document.At("card", "id"); {
	case id.ID == "" || len(id.ID) > 128 || !canon.Printable(id.ID) || strings.TrimSpace(id.ID) != id.ID:
		report(at, fmt.Sprintf("%s is not 1 to 128 characters U+0020 to U+007E without space around them", document.Quote(id.ID)), "")
	}
	switch at := document.At("card", "author"); {
	case id.Author == "":
		report(at, "is empty", "say who answers for the card")
	case len(id.Author) > 256 || strings.ContainsFunc(id.Author, func(r rune) bool { return !unicode.IsPrint(r) }):
		report(at, "is not one line of at most 256 bytes", "")
	}
}

func (r *RNG) check(report document.Reporter) {
	if r == nil {
		return
	}
	if !slices.Contains(RNGFamilies, r.Family) {
		report(document.At("rng", "family"), fmt.Sprintf("want one of %s, got %s", strings.Join(RNGFamilies, ", "), document.Quote(r.Family)),
			document.Suggest(r.Family, RNGFamilies))
	}
	if n, err := strconv.ParseUint(r.Seed, 10, 64); err != nil || strconv.FormatUint(n, 10) != r.Seed {
		report(document.At("rng", "seed"), fmt.Sprintf("E_SEED_INVALID: %s is not an unsigned 64-bit number in decimal", document.Quote(r.Seed)), "")
	}
}

func (s Step) check(report document.Reporter, i int) {
	at := func(rest ...any) document.Path { return append(document.At("steps", i), rest...) }
	if !stepID.MatchString(s.ID) {
		report(at("id"), fmt.Sprintf("%s is not 1 to 64 of a-z 0-9 . _ - beginning with a letter or digit", document.Quote(s.ID)), "")
	}
	switch {
	case len(s.Run) == 0:
		report(at("run"), "is empty", "name the program and its arguments: [go, build]")
	case s.Run[0] == "":
		report(at("run", 0), "the program has no name", "")
	}
	for j, arg := range s.Run {
		checkNUL(report, arg, at("run", j))
	}
	distinct(report, s.Needs, at("needs")...)
	distinct(report, s.Inputs, at("inputs")...)
	for j, in := range s.Inputs {
		checkInput(report, in, at("inputs", j))
	}
	for j, out := range s.Outputs {
		checkOutput(report, out, at("outputs", j))
	}
	if s.Stdout != "" {
		checkOutput(report, s.Stdout, at("stdout"))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		checkVariable(report, name, at("env", name))
		checkNUL(report, s.Env[name], at("env", name))
	}
	if s.TimeoutMS < 0 || s.TimeoutMS > maxTimeoutMS {
		report(at("timeout_ms"), "is not between 1 ms and 365 days", "leave it out for no timeout")
	}
}

// maxTimeoutMS keeps a timeout far from what a time.Duration cannot hold.
const maxTimeoutMS = 365 * 24 * 3600 * 1000

func checkVariable(report document.Reporter, name string, at document.Path) {
	if !variableName.MatchString(name) {
		report(at, fmt.Sprintf("%s is not a variable's name: letters, digits and _, not beginning with a digit", document.Quote(name)), "")
	}
}

// checkNUL refuses what no operating system can pass to a program.
func checkNUL(report document.Reporter, text string, at document.Path) {
	if strings.ContainsRune(text, 0) {
		report(at, "holds a NUL byte, which no program can be given", "")
	}
}

// distinct reports items of the list at the path that occur twice.
func distinct(report document.Reporter, list []string, path ...any) {
	seen := make(map[string]bool, len(list))
	for i, item := range list {
		if seen[item] {
			report(append(document.At(path...), i), fmt.Sprintf("%s is listed twice", document.Quote(item)), "")
		}
		seen[item] = true
	}
}
