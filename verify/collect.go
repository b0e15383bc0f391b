package verify

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// The groups of checks, in the order of the report.
const (
	checkContainer = "container"
	checkManifest  = "manifest"
	checkSignature = "signature"
	checkFiles     = "files"
	checkEnvLock   = "envlock"
	checkCards     = "cards"
	checkTrail     = "trail"
	checkArtifacts = "artifacts"
	checkEvidence  = "evidence"
	checkRelease   = "release"
)

var checkOrder = []string{
	checkContainer, checkManifest, checkSignature, checkFiles, checkEnvLock,
	checkCards, checkTrail, checkArtifacts, checkEvidence, checkRelease,
}

// The outcomes of a group.
const (
	statusPass    = "pass"
	statusFail    = "fail"
	statusOpen    = "open"
	statusSkipped = "skipped"
)

// A collector gathers what the checks of one bundle, and of the bundles inside
// it, found.
type collector struct {
	findings []Finding
	totals   map[Code]int64
	checks   map[string]Verdict
	failing  map[string]*rangeSet // by path of the trail
	keys     map[sign.KeyID]map[string]bool
}

func newCollector() *collector {
	return &collector{
		totals:  map[Code]int64{},
		checks:  map[string]Verdict{},
		failing: map[string]*rangeSet{},
		keys:    map[sign.KeyID]map[string]bool{},
	}
}

// ran notes that a group of checks took place.
func (c *collector) ran(check string) { c.checks[check] = c.checks[check].Worse(Verified) }

// add records a finding of a group.
func (c *collector) add(check string, f Finding) {
	c.ran(check)
	c.checks[check] = c.checks[check].Worse(f.Verdict)
	c.record(f)
}

// record counts a finding, and keeps it unless there are too many of its code.
func (c *collector) record(f Finding) {
	c.totals[f.Code]++
	if c.totals[f.Code] <= limits.Findings {
		c.findings = append(c.findings, shortened(f))
	}
}

// maxText is how much a report quotes of anything: texts in a bundle may have 64
// KiB, and ten thousand findings may quote one each.
const maxText = 1000

// shortened returns f with no text of more than maxText bytes.
func shortened(f Finding) Finding {
	f.Text = shorten(f.Text)
	for _, p := range []**string{&f.Path, &f.Want, &f.Got} {
		if *p != nil && len(**p) > maxText {
			s := shorten(**p)
			*p = &s
		}
	}
	return f
}

func shorten(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// failed notes that a group found a fault that another group's finding names.
func (c *collector) failed(check string) { c.checks[check] = c.checks[check].Worse(Reject) }

// passed reports whether every one of the groups ran and found nothing that
// rejects or leaves open.
func (c *collector) passed(checks ...string) bool {
	for _, name := range checks {
		if c.checks[name] != Verified {
			return false
		}
	}
	return true
}

// used notes that a signature by key id in the file at path verified.
func (c *collector) used(id sign.KeyID, path string) {
	if c.keys[id] == nil {
		c.keys[id] = map[string]bool{}
	}
	c.keys[id][path] = true
}

// verified reports whether the file at path is a signature that verified.
func (c *collector) verified(path string) bool {
	for _, paths := range c.keys {
		if paths[path] {
			return true
		}
	}
	return false
}

// fails notes that events of the trail at path have a rejecting finding.
func (c *collector) fails(path string, first, last int64) {
	if c.failing[path] == nil {
		c.failing[path] = &rangeSet{}
	}
	c.failing[path].add(first, last)
}

// merge takes over what the checks of a bundle inside this one found: its
// findings and failing events carry their own paths, its groups count as evidence.
func (c *collector) merge(in *collector) {
	for _, f := range in.findings {
		c.record(f)
		in.totals[f.Code]--
	}
	for code, n := range in.totals {
		c.totals[code] += n // what was left out there
	}
	c.ran(checkEvidence)
	for _, v := range in.checks {
		c.checks[checkEvidence] = c.checks[checkEvidence].Worse(v)
	}
	maps.Copy(c.failing, in.failing)
	for id, paths := range in.keys {
		for path := range paths {
			c.used(id, path)
		}
	}
}

// verdict is the worst of all findings, VERIFIED if none matters.
func (c *collector) verdict() Verdict {
	v := Verified
	for _, w := range c.checks {
		v = v.Worse(w)
	}
	return v
}

// diag returns the findings, the worst first, and the status of every group.
func (c *collector) diag() Diag {
	d := Diag{Findings: slices.Clone(c.findings), FailingEvents: c.failingEvents()}
	slices.SortStableFunc(d.Findings, compareFindings)
	for _, name := range checkOrder {
		d.Checks = append(d.Checks, CheckStatus{name, status(c.checks[name])})
	}
	for code, n := range c.totals {
		if n > limits.Findings {
			if d.Totals == nil {
				d.Totals = map[Code]int64{}
			}
			d.Totals[code] = n
		}
	}
	return d
}

func status(v Verdict) string {
	switch v {
	case Verified:
		return statusPass
	case Reject:
		return statusFail
	case Undecidable:
		return statusOpen
	default:
		return statusSkipped
	}
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		-cmp.Compare(severity(a.Verdict), severity(b.Verdict)),
		cmp.Compare(deref(a.Path), deref(b.Path)),
		cmp.Compare(deref(a.K), deref(b.K)),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Text, b.Text),
	)
}

func severity(v Verdict) int { return slices.Index([]Verdict{Note, Undecidable, Reject}, v) }

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (c *collector) failingEvents() FailingEvents {
	all := &rangeSet{}
	f := FailingEvents{Ranges: [][2]int64{}}
	for _, path := range slices.Sorted(maps.Keys(c.failing)) {
		s := c.failing[path]
		f.Count += s.count
		all.union(s)
		f.Trails = append(f.Trails, FailingTrail{path, s.ranges})
	}
	if len(f.Trails) < 2 {
		f.Trails = nil
	}
	f.Ranges = append(f.Ranges, all.ranges...)
	return f
}

func (c *collector) keyUses() []KeyUse {
	uses := []KeyUse{}
	for id, paths := range c.keys {
		uses = append(uses, KeyUse{id, slices.Sorted(maps.Keys(paths))})
	}
	slices.SortFunc(uses, func(a, b KeyUse) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	return uses
}

// at puts a finding of a bundle inside another one in its place:
// evidence/x.audit.tar.zst!audit/trail.jsonl.
func at(prefix string, f finding.Finding) finding.Finding {
	if prefix == "" {
		return f
	}
	path := prefix
	if f.Path != nil {
		path += "!" + *f.Path
	}
	f.Path = &path
	return f
}
