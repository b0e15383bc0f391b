package gate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/sign"
)

func backtestCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "backtest",
		Usage: "show what a policy would have decided about archived windows",
		Description: `Decides at the end of each window, over those that had ended by then, for every release
that the windows name. It goes on after a promotion: a trigger that comes later, on a channel
that the release would have left, shows thresholds that promote too early. With --against
a second policy decides beside the first. Exit 0: done, and both decide the same. Exit 2:
they differ.

Example:
  relseal gate backtest --policy gates.yaml --windows archive.csv --channel canary
  relseal gate backtest --policy new.yaml --against gates.yaml --windows archive.csv --channel canary`,
		Flags: append(append([]cli.Flag{
			policyFlag("try the gate policy in `F`"),
			&cli.StringFlag{Name: "against", Usage: "compare with the gate policy in `F`: the one in force, or that of a record"},
		}, windowFlags()...), ui.JSONFlag()),
		Action: func(c *cli.Context) error { return backtest(env, c) },
	}
}

type backtested struct {
	Schema   string           `json:"schema"`
	Channel  string           `json:"channel"`
	Policy   sign.Digest      `json:"policy"`
	Against  *sign.Digest     `json:"against"`
	Same     *bool            `json:"same"` // null without against
	Releases []backtestedOnes `json:"releases"`
	names    [2]string        // of the policies
}

// backtestedOnes is one release under one policy, or two.
type backtestedOnes struct {
	Release *string        `json:"release"`
	SinceMS int64          `json:"since_ms"`
	Windows int            `json:"windows"`
	Policy  backtestedRun  `json:"policy"`
	Against *backtestedRun `json:"against"`
	Differs int            `json:"differs"` // points that differ
	ends    []int64
}

// backtestedRun is how a policy would have gone.
type backtestedRun struct {
	PromoteMS  *int64        `json:"promote_ms"`  // the first PROMOTE
	RollbackMS *int64        `json:"rollback_ms"` // the ROLLBACK, where it ends
	Points     []gates.Point `json:"points"`
}

func backtest(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c); err != nil {
		return err
	}
	if err := cmp.Or(ui.Need(c, "policy"), oneStdin(c)); err != nil {
		return err
	}
	channel, err := gateChannel(c)
	if err != nil {
		return err
	}
	result := backtested{Schema: "relseal/gate-backtest/v1", Channel: channel, names: [2]string{c.String("policy"), c.String("against")}}
	policies, err := backtestPolicies(env, c, &result)
	if err != nil {
		return err
	}
	source, err := readWindows(env, c)
	if err != nil {
		return err
	}
	ids := source.Releases(channel)
	if c.IsSet("release") {
		ids = []string{c.String("release")}
	}
	same := true
	for _, id := range ids {
		one, err := backtestRelease(c, source, channel, id, policies)
		if err != nil {
			return err
		}
		same = same && one.Differs == 0
		result.Releases = append(result.Releases, one)
	}
	if len(ids) == 0 {
		return source.none(channel, "")
	}
	if len(policies) == 2 {
		result.Same = &same
	}
	if err := env.Print(c, result, backtestText(result)); err != nil {
		return err
	}
	if !same {
		return &ui.Answer{Code: ui.ExitReject}
	}
	return nil
}

// backtestPolicies reads the policies that are tried, one or two.
func backtestPolicies(env *ui.Env, c *cli.Context, result *backtested) ([]gates.Policy, error) {
	var policies []gates.Policy
	for i, flag := range []string{"policy", "against"} {
		if !c.IsSet(flag) {
			continue
		}
		p, err := readPolicy(env, c.String(flag))
		if err != nil {
			return nil, err
		}
		data, err := p.Marshal()
		if err != nil {
			return nil, err
		}
		policies = append(policies, p)
		if digest := sign.Sum(data); i == 0 {
			result.Policy = digest
		} else {
			result.Against = &digest
		}
	}
	return policies, nil
}

func backtestRelease(c *cli.Context, source windowSource, channel, id string, policies []gates.Policy) (backtestedOnes, error) {
	windows := source.Of(channel, id)
	if windows.Len() == 0 {
		return backtestedOnes{}, source.none(channel, id)
	}
	one := decision{windows: windows, source: source}
	in := gates.Input{Channel: channel, Release: id, Windows: slices.Collect(windows.All())}
	if err := one.times(c, &in); err != nil {
		return backtestedOnes{}, err
	}
	r := backtestedOnes{Release: ui.OrNull(id), SinceMS: in.SinceMS, Windows: len(gates.Ordered(windows.All(), in.SinceMS))}
	var runs []backtestedRun
	for _, p := range policies {
		points, err := gates.BacktestContext(c.Context, p, in)
		if err != nil {
			return backtestedOnes{}, fmt.Errorf("%s: %w", source.Name, err)
		}
		runs = append(runs, newBacktestedRun(points))
		for i := len(r.ends); i < len(points); i++ {
			r.ends = append(r.ends, points[i].NowMS)
		}
	}
	r.Policy = runs[0]
	if len(runs) == 2 {
		r.Against = &runs[1]
		for i := range r.ends {
			if r.Policy.at(i) != runs[1].at(i) {
				r.Differs++
			}
		}
	}
	return r, nil
}

func newBacktestedRun(points []gates.Point) backtestedRun {
	r := backtestedRun{Points: points}
	for i, p := range points {
		switch {
		case p.Decision == gates.Promote && r.PromoteMS == nil:
			r.PromoteMS = &points[i].NowMS
		case p.Decision == gates.Rollback:
			r.RollbackMS = &points[i].NowMS
		}
	}
	return r
}

// at is the decision at a point. A rollback is for good.
func (r backtestedRun) at(i int) gates.Outcome {
	if len(r.Points) == 0 {
		return ""
	}
	return r.Points[min(i, len(r.Points)-1)].Decision
}

// first is what the release would have come to.
func (r backtestedRun) first() gates.Outcome {
	switch {
	case r.PromoteMS != nil:
		return gates.Promote
	case r.RollbackMS != nil:
		return gates.Rollback
	}
	return r.at(len(r.Points) - 1)
}

// early reports whether a trigger fired after the promotion.
func (r backtestedRun) early() bool { return r.PromoteMS != nil && r.RollbackMS != nil }
