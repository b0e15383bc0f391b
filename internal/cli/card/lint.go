package card

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

type linted struct {
	Schema string       `json:"schema"`
	Valid  bool         `json:"valid"`
	Files  []lintedFile `json:"files"`
}

type lintedFile struct {
	File   string       `json:"file"`
	Kind   *cardKind    `json:"kind"`   // null if there are faults
	Digest *sign.Digest `json:"digest"` // null if there are faults
	Faults []lintFault  `json:"faults"`
}

type lintFault struct {
	Line   *int    `json:"line"`   // null of canonical JSON, and where it is about the file
	Member *string `json:"member"` // null where it is about no member
	Text   string  `json:"text"`
	Hint   *string `json:"hint"`
}

func lint(env *ui.Env, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.ExactArgs(c, "FILE")
	}
	result := linted{Schema: "relseal/card-lint/v1", Valid: true, Files: []lintedFile{}}
	var text strings.Builder
	var failed []error // a file that cannot be read does not keep the others from being checked
	for _, file := range c.Args().Slice() {
		name, data, err := env.ReadInput(file, limits.Card)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		d, err := parseCard(name, data)
		if err == nil {
			result.Files = append(result.Files, lintedFile{file, &d.kind, &d.digest, []lintFault{}})
			fmt.Fprintf(&text, "%s: good: %s %s\n", name, d.kind, d.digest)
			continue
		}
		result.Valid = false
		result.Files = append(result.Files, lintedFile{file, nil, nil, faultsOf(name, err)})
		fmt.Fprintln(&text, err)
		if next := hint.Of(err); next != "" {
			fmt.Fprintf(&text, "  %s\n", next)
		}
	}
	if err := env.Print(c, result, text.String()); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	if !result.Valid {
		return &ui.Answer{Code: ui.ExitReject}
	}
	return nil
}

// faultsOf returns the faults that err holds; what is none of a member is one as
// a whole.
func faultsOf(name string, err error) []lintFault {
	var faults document.Faults
	if !errors.As(err, &faults) {
		return []lintFault{{Text: strings.TrimPrefix(err.Error(), name+": "), Hint: ui.OrNull(hint.Of(err))}}
	}
	list := make([]lintFault, len(faults))
	for i, f := range faults {
		list[i] = lintFault{Member: ui.OrNull(f.Member), Text: f.Text, Hint: ui.OrNull(f.Hint)}
		if f.Line > 0 {
			list[i].Line = &faults[i].Line
		}
	}
	return list
}
