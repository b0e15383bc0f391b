package verify

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/sign"
)

// A Decision is one that was made again from the ledger of the bundle.
type Decision struct {
	K        int64              `json:"k"` // the event that records it
	Release  sign.Digest        `json:"release"`
	From     string             `json:"from"`
	To       string             `json:"to"`
	Policy   DecisionPolicy     `json:"policy"`
	SinceMS  int64              `json:"since_ms"`
	NowMS    int64              `json:"now_ms"`
	Windows  bundle.WindowRange `json:"windows"`
	Decision gates.Outcome      `json:"decision"`
	Unmet    []string           `json:"unmet"`
	Rows     []gates.Predicate  `json:"predicates"`

	Override *DecisionOverride `json:"override,omitzero"`
}

// DecisionPolicy is the policy of a decision and the event that registered it.
type DecisionPolicy struct {
	Digest sign.Digest `json:"digest"`
	K      int64       `json:"k"`
}

// DecisionOverride is the human's signature that stands in for what is unmet.
type DecisionOverride struct {
	K      int64  `json:"k"`
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
}

// judgePromotion compares a manifest with the event at the end of its ledger, which
// must be the promotion that it was sealed over.
func (b *check) judgePromotion(path string, r *bundle.ReleaseManifest, m *ledger.Move) {
	differ := func(code Code, text, want, got string) {
		if want != got {
			b.add(checkRelease, finding.New(code, path, text).Differs(want, got))
		}
	}
	if m == nil {
		b.add(checkRelease, finding.New(finding.Decision, path,
			fmt.Sprintf("event %d of the ledger is no promotion", r.Provenance.Ledger.K)))
		return
	}
	differ(finding.DataMismatch, "provenance.previous is not the bundle that the ledger promotes", m.Release.String(), text(r.Provenance.Previous))
	differ(finding.DataMismatch, "channel is not where the ledger promotes the release to", m.To, r.Channel)
	if m.Source == nil || m.Fault != nil {
		return // and reported at its event
	}
	j := m.Judgement
	differ(finding.DataMismatch, "another version than the ledger promotes", m.Source.Version, r.Version)
	for _, on := range b.ledger.state.Promotions(r.Provenance.Ledger.K) {
		// A bundle whose manifest is not carried has its finding there.
		if path == bundle.ManifestPath && on.Fault == nil && b.mayComeFrom(on.Source.Bundle) && (on.Judgement == nil || on.Judgement.Policy == nil) && !b.explained[bundle.ManifestPath] {
			b.add(checkRelease, finding.New(finding.Decision, bundle.LedgerPath, "the decision of this promotion cannot be made again").At(on.K))
		}
	}
	if j == nil || j.Policy == nil {
		return
	}
	if r.Gates != nil {
		if data, err := r.Gates.Marshal(); err == nil { // else it has its finding
			differ(finding.Decision, "gates is not the policy that decided", j.Policy.Digest.String(), sign.Sum(data).String())
		}
	}
	decision, _ := j.Decision.Marshal()
	if !bytes.Equal(decision, r.Decision) {
		differ(finding.Decision, "decision is not the one that follows from the ledger", j.Digest.String(), sign.Sum(r.Decision).String())
	}
	scores, _ := canon.Marshal(j.Decision.Scores())
	if !bytes.Equal(scores, r.Scores) {
		differ(finding.Decision, "scores are not those of the decision", string(scores), string(r.Scores))
	}
	if r.Windows != nil {
		differ(finding.Decision, "windows are not those of the decision", fmt.Sprint(bundle.WindowRange{First: j.First, Last: j.Last, Count: j.Count}), fmt.Sprint(*r.Windows))
	}
}

// decisions returns what was decided about the release on its way, as the ledger
// has it; nil if the ledger is not the one that was signed.
func (b *check) decisions() []Decision {
	if b.ledger == nil || !b.ledger.known || b.explained[bundle.LedgerPath] && b.ledger.own == nil {
		return nil
	}
	var all []Decision
	for _, m := range b.ledger.state.Promotions(b.release.Provenance.Ledger.K) {
		j := m.Judgement
		if a := b.lineage[m.Source.Bundle]; j == nil || j.Policy == nil || a == nil || !a.reached {
			continue // not decided, or about another release
		}
		d := Decision{
			K: m.K, Release: m.Source.Bundle, From: m.Source.Channel, To: m.To,
			Policy: DecisionPolicy{j.Policy.Digest, j.Policy.K}, SinceMS: j.Decision.SinceMS, NowMS: j.Decision.NowMS,
			Windows:  bundle.WindowRange{First: j.First, Last: j.Last, Count: j.Count},
			Decision: j.Outcome(), Unmet: j.Unmet(), Rows: j.Decision.Predicates,
		}
		if o := m.Override; o != nil {
			d.Override = &DecisionOverride{o.K, o.Actor, o.Reason}
		}
		all = append(all, d)
	}
	return all
}

// summary writes the table of a decision.
func (d Decision) summary(w *strings.Builder) {
	fmt.Fprintf(w, "  event %d  %s to %s: %s at %s\n", d.K, d.From, d.To, d.Decision, stamp(d.NowMS))
	fmt.Fprintf(w, "    by policy %s of event %d, over %s (events %d to %d)\n", d.Policy.Digest, d.Policy.K, plural(int(d.Windows.Count), "window"), d.Windows.First, d.Windows.Last)
	for _, p := range d.Rows {
		met := "no"
		if p.Met {
			met = "ok"
		}
		fmt.Fprintf(w, "    %s  %s %s %s %s %s", met, escape.Line(p.Name), p.Statistic, escape.Line(p.Value), p.Op, escape.Line(p.Limit))
		if p.Window != "" {
			fmt.Fprintf(w, "  window %s", escape.Word(p.Window))
		}
		w.WriteString("\n")
	}
	if len(d.Unmet) > 0 {
		fmt.Fprintf(w, "    unmet: %s\n", escape.Line(strings.Join(d.Unmet, ", ")))
	}
	if o := d.Override; o != nil {
		fmt.Fprintf(w, "    overridden by %s (event %d): %s\n", escape.Quote(o.Actor), o.K, escape.Quote(o.Reason))
	}
}

// stamp is a time of a ledger as people read it.
func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z") }

// decisionClaims says of each step up what it rests on.
func (b *check) decisionClaims() []Claim {
	var claims []Claim
	grade, word := Proved, ""
	for _, a := range b.ancestors() {
		if !a.tally.enough {
			grade, word = Stated, word+fmt.Sprintf("; of the keys that signed %s: %s", a.id, a.tally.words())
		}
	}
	if b.ledger.needsRecord {
		grade, word = Stated, word+"; that the ledger is older than the revocation of a key that signed it is what another key recorded"
	}
	for _, m := range b.ledger.state.Promotions(b.release.Provenance.Ledger.K) {
		j := m.Judgement
		step := fmt.Sprintf("the promotion of %s from %s to %s", m.Source.Bundle, m.Source.Channel, m.To)
		if o := m.Override; o != nil {
			claims = append(claims, Claim{"release.overridden", Stated, fmt.Sprintf("%s was overridden by %s although unmet: %s; the reason: %s",
				step, escape.Quote(o.Actor), strings.Join(o.Unmet, ", "), escape.Quote(o.Reason))})
			continue
		}
		claims = append(claims,
			Claim{"release.decision", grade, fmt.Sprintf("%s follows from the %s of it in the ledger that count, by policy %s%s", step, plural(int(j.Decision.Observed.Count), "window"), j.Policy.Digest, word)},
			Claim{"release.preregistered", Stated, fmt.Sprintf("by the ledger's clock that policy was registered, at %s, before those windows began", stamp(j.Policy.TimeMS))})
	}
	return claims
}
