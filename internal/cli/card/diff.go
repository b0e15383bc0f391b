package card

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/sign"
)

type diffed struct {
	Schema      string             `json:"schema"`
	Kind        cardKind           `json:"kind"`
	Same        bool               `json:"same"`
	A           sign.Digest        `json:"a"`
	B           sign.Digest        `json:"b"`
	RiskIndex   canon.Decimal      `json:"risk_index"`
	Differences []cards.Difference `json:"differences"`
}

func diff(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "A", "B"); err != nil {
		return err
	}
	var side [2]card
	for i := range side {
		d, err := readCardFile(env, c.Args().Get(i))
		if err != nil {
			return err
		}
		if d.kind == gatePolicy {
			return ui.Usage(fmt.Sprintf("relseal card diff compares cards; %s is a %s", c.Args().Get(i), d.kind))
		}
		side[i] = d
	}
	a, b := side[0], side[1]
	if a.kind != b.kind {
		return ui.Usage(fmt.Sprintf("relseal card diff compares cards of one kind; %s is a %s and %s a %s", c.Args().Get(0), a.kind, c.Args().Get(1), b.kind))
	}
	compared, err := cards.ComparePipelines(a.pipeline, b.pipeline)
	if a.kind == paramCard {
		compared, err = cards.CompareParams(a.params, b.params)
	}
	if err != nil {
		return err
	}
	result := diffed{
		Schema: "relseal/card-diff/v1", Kind: a.kind, Same: a.digest == b.digest, A: a.digest, B: b.digest,
		RiskIndex: compared.RiskIndex, Differences: compared.Differences,
	}
	if err := env.Print(c, result, diffText(result)); err != nil {
		return err
	}
	if !result.Same {
		return &ui.Answer{Code: ui.ExitReject}
	}
	return nil
}

func diffText(r diffed) string {
	var w strings.Builder
	if r.Same {
		fmt.Fprintf(&w, "the same  %s\n", r.A)
		return w.String()
	}
	verb := "differ"
	if len(r.Differences) == 1 {
		verb = "differs"
	}
	fmt.Fprintf(&w, "%s %s, risk index %s\n  - %s\n  + %s\n", ui.Counted(len(r.Differences), "member"), verb, r.RiskIndex, r.A, r.B)
	for _, d := range r.Differences {
		fmt.Fprintf(&w, "%s: impact %s", d.Member, d.Impact)
		if d.Weight != "1" {
			fmt.Fprintf(&w, ", weight %s", d.Weight)
		}
		fmt.Fprintf(&w, "\n  - %s\n  + %s\n", shown(d.Old), shown(d.New))
	}
	return w.String()
}

// shown returns a JSON value as it may stand on a terminal: characters that are
// not printable, or that turn the direction of a line, are escaped.
func shown(v canon.Value) string {
	if v.Kind() == 'n' {
		return "absent"
	}
	var w strings.Builder
	for _, r := range string(v) {
		switch {
		case unicode.IsPrint(r):
			w.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&w, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&w, `\u%04x`, r)
		}
	}
	return w.String()
}
