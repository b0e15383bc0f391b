package gates

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/sign"
)

// tauNames are the policy's names of what a predicate is compared with.
var tauNames = func() map[string]string {
	names := map[string]string{
		"COVERAGE": "T_obs", "WINDOWS": "W_min", "STREAK": "N_LTS", "T_OBS_MAX": "T_obs_max", "METRIC_BLACKOUT": "max_undecidable",
	}
	for _, l := range gate1.triggers {
		names[l.name] = l.tau
	}
	for _, l := range gate1.promote {
		names[l.name] = l.tau
	}
	return names
}()

// contrary is how an unmet comparison reads.
var contrary = map[string]string{"<": ">=", "<=": ">", ">=": "<", ">": "<="}

// texts returns the sides of a comparison and what holds between them.
func (e *explainer) texts(p Predicate) (value, op, limit string) {
	value, op, limit = safe(p.Value), safe(p.Op), safe(p.Limit)
	if !p.Met {
		op = contrary[p.Op]
	}
	switch p.Statistic {
	case statSum:
		n := int64(len(e.d.Evidence))
		value, limit = "mean "+mean(p.Value, n), mean(p.Limit, n)
	case statMax:
		value = "max " + value
	case statLowerBound:
		value = "no value, last heartbeat " + value + " s before the end"
	case statTime:
		value, limit = secondsText(p.Value), secondsText(p.Limit)
	}
	return value, op, limit
}

// mean shows a sum as the mean over n values, which is what the specification speaks of.
func mean(sum string, n int64) string {
	d, err := canon.ParseDecimal(sum)
	if err != nil || n <= 0 {
		return safe(sum)
	}
	r := d.Rat()
	r.Quo(r, big.NewRat(n, 1))
	if digits, whole := r.FloatPrec(); whole && digits <= meanDigits {
		return r.FloatString(digits)
	}
	// Cut, not rounded: a mean below its limit never looks as if it were there.
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(meanDigits), nil)
	cut := new(big.Int).Mul(r.Num(), scale)
	return new(big.Rat).SetFrac(cut.Quo(cut, r.Denom()), scale).FloatString(meanDigits) + ".."
}

const meanDigits = 12

// stamp is RFC 3339 with as many decimals as it takes.
func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z") }

// time leaves the date out where it is the date of the decision.
func (e *explainer) time(ms int64) string {
	full := stamp(ms)
	if day, clock, _ := strings.Cut(full, "T"); strings.HasPrefix(stamp(e.d.NowMS), day+"T") {
		return strings.TrimSuffix(clock, "Z")
	}
	return full
}

func seconds(ms int64) string { return exact(big.NewRat(ms, 1000)) + " s" }

func secondsText(ms string) string {
	if d, err := canon.ParseDecimal(ms); err == nil {
		r := d.Rat()
		return exact(r.Quo(r, big.NewRat(1000, 1))) + " s"
	}
	return safe(ms)
}

// safe returns text of a decision as a terminal may show it: a decision may have
// been read from a file.
func safe(s string) string {
	if canon.Printable(s) && len(s) <= maxName {
		return s
	}
	return quote(s)
}

// short cuts a digest to what the eye can compare.
func short(digest string) string {
	if d, err := sign.ParseDigest(digest); err == nil {
		return "sha256:" + d.Hex()[:12] + ".."
	}
	return safe(digest)
}

func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func quote(s string) string { return document.Quote(s) }

// list calls f for the first of the items and says how many more there are.
func list[T any](e *explainer, items []T, f func(T)) {
	for _, item := range items[:min(len(items), maxLines)] {
		f(item)
	}
	if n := len(items) - maxLines; n > 0 {
		e.line("and %d more", n)
	}
}
