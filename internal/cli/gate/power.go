package gate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/power"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/observe"
)

func powerCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "power",
		Usage: "say how many windows a decision takes",
		Description: `W is the least number of windows for which a good release, whose true mean score is
the margin above tau_score, has a mean below it with a probability of at most beta. It does
nothing against a bad release: one exactly at tau_score passes half the time. --alpha
bounds that too. The variance comes from --sd, --s2 or the scores of earlier windows, which
also show how much windows resemble the ones before (rho): never from the run that is judged.
With --policy the exit code says whether its W_min is enough: 0 yes, 2 no.

Example:
  relseal gate power --sd 0.02 --margin 0.005 --beta 0.1
  relseal gate power --windows earlier.csv --channel canary --margin 0.01 --alpha 0.05 --policy gates.yaml`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "margin", Usage: "a good release is this `M` above tau_score"},
			&cli.StringFlag{Name: "beta", Value: "0.1", Usage: "how often it may fail to show it: a probability `P`"},
			&cli.StringFlag{Name: "alpha", Usage: "how often a release exactly at tau_score may pass: a probability `P`"},
			&cli.StringFlag{Name: "rho", Usage: "autocorrelation `R` of the scores at lag 1; needs --alpha"},
			&cli.StringFlag{Name: "sd", Usage: "standard deviation `S` of the score over earlier windows"},
			&cli.StringFlag{Name: "s2", Usage: "its square, the variance `V`"},
			&cli.StringFlag{Name: "windows", Usage: "estimate s2 and rho from the earlier windows in the file `F`"},
			&cli.StringFlag{Name: "ledger", Usage: "estimate them from the window events of the ledger in `F`"},
			&cli.StringFlag{Name: "format", Usage: "read the file of --windows as `jsonl|csv`, whatever it looks like"},
			&cli.StringFlag{Name: "channel", Usage: "with --windows: only those on channel `C`"},
			&cli.StringFlag{Name: "release", Usage: "with --windows: only those of the release with this `ID`"},
			policyFlag("compare with W_min of the gate policy in `F`"),
			ui.JSONFlag(),
		},
		Action: func(c *cli.Context) error { return computeWindows(env, c) },
	}
}

// A powerQuestion is what was asked; the numbers are those of the flags or were
// estimated.
type powerQuestion struct {
	s2, margin, alpha, beta, rho float64
	spread                       *power.Spread
}

func computeWindows(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c); err != nil {
		return err
	}
	q, err := readPowerQuestion(env, c)
	if err != nil {
		return err
	}
	var policy *gates.Policy
	if c.IsSet("policy") {
		p, err := readPolicy(env, c.String("policy"))
		if err != nil {
			return err
		}
		policy = &p
	}
	size, err := q.size()
	if err != nil {
		return powerError(err)
	}
	result := newGatePowered(q, size, policy)
	if err := env.Print(c, result, powerText(q, result)); err != nil {
		return err
	}
	if result.Enough != nil && !*result.Enough {
		return &ui.Answer{Code: ui.ExitReject}
	}
	return nil
}

func powerError(err error) error {
	if errors.Is(err, power.ErrSampleSize) {
		return &ui.Error{Code: ui.ExitUndecidable, Err: err, Hint: "relseal explain E_SAMPLE_SIZE"}
	}
	return err
}

// size answers without alpha as the specification does, with alpha as statisticians do.
func (q powerQuestion) size() (power.SampleSize, error) {
	if q.alpha == 0 {
		return power.MinWindows(q.s2, q.margin, q.beta, 1)
	}
	return power.MinWindowsAlpha(q.s2, q.margin, q.alpha, q.beta, q.rho, 1)
}

func readPowerQuestion(env *ui.Env, c *cli.Context) (q powerQuestion, err error) {
	if err := cmp.Or(ui.Need(c, "margin"), oneStdin(c)); err != nil {
		return q, err
	}
	var given []string
	for _, name := range []string{"sd", "s2", "windows", "ledger"} {
		if c.IsSet(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) != 1 {
		return q, ui.UsageHint(c.Command.HelpName+": want one of --sd, --s2, --windows and --ledger, got "+strings.Join(append(given, "none")[:max(1, len(given))], ", "),
			"--windows F estimates the variance from earlier windows")
	}
	if c.IsSet("rho") && !c.IsSet("alpha") {
		return q, ui.Usage(c.Command.HelpName + ": --rho needs --alpha: the formula without alpha has no rho")
	}
	for _, number := range []struct {
		flag string
		to   *float64
	}{{"margin", &q.margin}, {"beta", &q.beta}, {"alpha", &q.alpha}, {"rho", &q.rho}, {"s2", &q.s2}, {"sd", &q.s2}} {
		text := c.String(number.flag)
		if text == "" {
			continue
		}
		if *number.to, err = strconv.ParseFloat(text, 64); err != nil {
			return q, ui.Usage(fmt.Sprintf("%s: --%s %q is not a number", c.Command.HelpName, number.flag, text))
		}
	}
	if c.IsSet("alpha") && q.alpha == 0 {
		q.alpha = math.NaN() // refused like every other number that is no probability
	}
	if c.IsSet("sd") {
		if q.s2 < 0 {
			return q, ui.Usage(c.Command.HelpName + ": --sd is below 0")
		}
		q.s2 *= q.s2
	}
	if c.IsSet("windows") || c.IsSet("ledger") {
		return q, estimate(env, c, &q)
	}
	return q, nil
}

// estimate takes variance and autocorrelation from earlier windows. A rho that was
// given counts.
func estimate(env *ui.Env, c *cli.Context, q *powerQuestion) error {
	source, err := readWindows(env, c)
	if err != nil {
		return err
	}
	ws := source.All(func(of observe.Of) bool {
		return (!c.IsSet("channel") || of.Channel == c.String("channel")) && (!c.IsSet("release") || of.Release == c.String("release"))
	})
	s, err := power.Estimate(ws, 0)
	if err != nil {
		return powerError(fmt.Errorf("%s: %w", source.Name, err))
	}
	q.spread, q.s2 = &s, s.S2
	if !c.IsSet("rho") {
		q.rho = s.Rho
	}
	return nil
}

type powered struct {
	Schema    string         `json:"schema"`
	W         int64          `json:"W"`
	Z         canon.Decimal  `json:"z"`
	S2        canon.Decimal  `json:"s2"`
	Margin    canon.Decimal  `json:"margin"`
	Beta      canon.Decimal  `json:"beta"`
	Alpha     *canon.Decimal `json:"alpha"`     // null: not bounded, which makes it 0.5
	Rho       *canon.Decimal `json:"rho"`       // null without alpha
	WAlpha    int64          `json:"W_alpha"`   // what alpha 0.05, or the one given, takes
	Estimated *powerEstimate `json:"estimated"` // null where the variance was given
	WMin      *int64         `json:"W_min"`     // of the policy, null without one
	Enough    *bool          `json:"enough"`    // W_min >= W
}

type powerEstimate struct {
	Windows int           `json:"windows"`
	Unknown int           `json:"unknown"`
	Mean    canon.Decimal `json:"mean"`
	Rho     canon.Decimal `json:"rho"`
}

// usualAlpha is what the caveat is computed with where nobody asked for one.
const usualAlpha = 0.05

func newGatePowered(q powerQuestion, size power.SampleSize, policy *gates.Policy) powered {
	r := powered{Schema: "relseal/gate-power/v1", W: size.W, Z: figure(size.Z), S2: figure(q.s2), Margin: figure(q.margin), Beta: figure(q.beta), WAlpha: size.W}
	if q.alpha != 0 {
		alpha, rho := figure(q.alpha), figure(q.rho)
		r.Alpha, r.Rho = &alpha, &rho
	} else if with, err := power.MinWindowsAlpha(q.s2, q.margin, usualAlpha, q.beta, q.rho, 1); err == nil {
		r.WAlpha = with.W
	}
	if q.spread != nil {
		r.Estimated = &powerEstimate{q.spread.Windows, q.spread.Unknown, figure(q.spread.Mean), figure(q.spread.Rho)}
	}
	if policy != nil {
		enough := policy.WMin >= size.W
		r.WMin, r.Enough = &policy.WMin, &enough
	}
	return r
}

// figure rounds to twelve significant digits, fewer than differ between machines.
func figure(x float64) canon.Decimal {
	d, err := canon.ImportDecimal(strconv.FormatFloat(x, 'g', 12, 64))
	if err != nil {
		return "0" // below 1e-39
	}
	return d
}

func powerText(q powerQuestion, r powered) string {
	var w strings.Builder
	short := func(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }
	fmt.Fprintf(&w, "W = %d\n", r.W)
	fmt.Fprintf(&w, "  s %s, margin %s, beta %s", short(math.Sqrt(q.s2)), short(q.margin), short(q.beta))
	if q.alpha != 0 {
		fmt.Fprintf(&w, ", alpha %s, rho %s", short(q.alpha), short(q.rho))
	}
	w.WriteByte('\n')
	if s := q.spread; s != nil {
		fmt.Fprintf(&w, "  estimated from %s with a score, mean %s, rho %s", ui.Counted(s.Windows, "window"), short(s.Mean), short(s.Rho))
		if s.Unknown > 0 {
			fmt.Fprintf(&w, "; %d without", s.Unknown)
		}
		fmt.Fprintf(&w, "\n  s2 itself is uncertain by about %.0f %% (one standard error)\n", 100*math.Sqrt(2/float64(s.Windows-1)))
	}
	fmt.Fprintf(&w, "  a release %s above tau_score has a mean below it at most once in %s\n", short(q.margin), short(1/q.beta))
	if q.alpha == 0 {
		fmt.Fprintf(&w, "  one exactly at tau_score passes half the time; that it passes at most once in %s takes W = %d", short(1/usualAlpha), r.WAlpha)
		if q.rho != 0 {
			fmt.Fprintf(&w, " with rho %s", short(q.rho))
		}
		fmt.Fprintf(&w, ": --alpha %s\n", short(usualAlpha))
	} else {
		fmt.Fprintf(&w, "  one exactly at tau_score passes at most once in %s\n", short(1/q.alpha))
	}
	w.WriteString("  s2 must come from earlier windows, not from the run that is judged\n")
	if r.WMin != nil {
		answer := "is enough"
		if !*r.Enough {
			answer = "is not enough"
		}
		fmt.Fprintf(&w, "W_min %d of the policy %s\n", *r.WMin, answer)
	}
	return w.String()
}
