package verify_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// A tableRoot grants what a test says, also what no trust root could.
type tableRoot struct {
	keys      map[sign.KeyID]sign.PublicKey
	grants    map[string]map[sign.KeyID]sign.Grant
	threshold map[string]int
}

func (r tableRoot) Walk(map[string][]byte) (sign.Authority, []verify.Finding) { return r, nil }
func (r tableRoot) Has(int64, []byte) bool                                    { return false }
func (r tableRoot) Versions() (pinned, last int64)                            { return 1, 1 }
func (r tableRoot) Hash(int64) (sign.Digest, bool)                            { return sign.Digest{}, true }
func (r tableRoot) Expires() time.Time                                        { return time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC) }
func (r tableRoot) Threshold(role string) (now, least int) {
	return r.threshold[role], r.threshold[role]
}

func (r tableRoot) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	k, ok := r.keys[id]
	return k, ok
}

func (r tableRoot) Grant(role string, id sign.KeyID) (sign.Grant, bool) {
	g, ok := r.grants[role][id]
	return g, ok
}

// A stance is a cell of the table: a number is a fault, a higher one a worse fault.
type stance struct{ status, notBefore, notAfter, undated int }

var stances = [...]string{"status", "not_before", "not_after", "undated"}

func (s *stance) member(i int) *int {
	return []*int{&s.status, &s.notBefore, &s.notAfter, &s.undated}[i]
}

func (s stance) String() string {
	return fmt.Sprintf("%s, not_before %s, not_after %s, %s",
		[]string{"active", "retired", "revoked after it", "revoked during it", "revoked before it"}[s.status],
		[]string{"before it", "during it", "after it"}[s.notBefore],
		[]string{"after it", "during it", "before it"}[s.notAfter],
		[]string{"dated", "dated too late", "dated by itself", "not dated"}[s.undated])
}

// A part is what one key does in a bundle, from a first to a last time.
type part struct {
	name         string
	files        testbundle.Files
	key          testbundle.Key
	role         string
	first, last  time.Time
	threshold    int
	others       map[string][]testbundle.Key // that are active, by role
	needed, seal bool                        // the bundle does not verify without it; it is the sealing key
	recorded     bool                        // a ledger in the bundle says when it was there
}

func (p part) verdict(t *testing.T, data []byte, s stance, at time.Time) verify.Verdict {
	t.Helper()
	long, during := 24*time.Hour, p.first.Add(p.last.Sub(p.first)/2)
	early, late := p.first.Add(-long), p.last.Add(long)
	g := sign.Grant{
		NotBefore: []time.Time{early, during, late}[s.notBefore],
		NotAfter:  []time.Time{late.Add(long), during, early}[s.notAfter],
		Status:    []sign.Status{sign.Active, sign.Retired, sign.Revoked, sign.Revoked, sign.Revoked}[s.status],
	}
	if g.Status == sign.Revoked {
		g.RevokedSince = []time.Time{late.Add(long), during, early}[s.status-2]
	}
	root := tableRoot{map[sign.KeyID]sign.PublicKey{}, map[string]map[sign.KeyID]sign.Grant{}, map[string]int{}}
	grant := func(role string, k testbundle.Key, g sign.Grant) {
		key := public(t, k)
		root.keys[key.KeyID()] = key
		if root.grants[role] == nil {
			root.grants[role], root.threshold[role] = map[sign.KeyID]sign.Grant{}, 1
		}
		root.grants[role][key.KeyID()] = g
	}
	always := sign.Grant{NotBefore: early.AddDate(-1, 0, 0), NotAfter: late.AddDate(1, 0, 0), Status: sign.Active}
	for role, keys := range p.others {
		for _, k := range keys {
			grant(role, k, always)
		}
	}
	grant(p.role, p.key, g)
	root.threshold[p.role] = p.threshold

	by, when := public(t, thirdKey).KeyID(), early.Add(-time.Second)
	switch s.undated {
	case 1:
		when = late.Add(2 * long)
	case 2:
		by = public(t, p.key).KeyID()
	}
	o := verify.Options{Root: root, At: at}
	if s.undated < 3 {
		o.Dates = records{{Key: by, At: when}}
	}
	r, err := verify.Bytes(data, o)
	if r == nil {
		t.Fatal(err)
	}
	return r.Verdict
}

// records say the same of every bundle.
type records []verify.Dating

func (r records) Recorded(sign.Digest) []verify.Dating { return r }

func public(t *testing.T, k testbundle.Key) sign.PublicKey {
	t.Helper()
	key, err := keys.ParsePublic(k.PEM())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// asked are the times to ask about: before the key has its role, after that and before
// it is revoked, and after all; and none.
func asked(last time.Time) []time.Time {
	if os.Getenv("RELSEAL_WHOLE") == "" {
		return make([]time.Time, 1) // a quarter of the table
	}
	return []time.Time{{}, last.Add(12 * time.Hour), last.Add(36 * time.Hour), last.AddDate(1, 0, 0)}
}

// No combination of what a root says of a key is judged more mildly than the same with
// one fault less, whatever the key does in the bundle and whatever time is asked about.
func TestOneFaultLess(t *testing.T) {
	clock := func(hms string) time.Time {
		at, err := time.Parse(time.RFC3339, "2026-01-02T"+hms+"Z")
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	runs, ledgerFrom, ledgerTo := clock("03:04:01"), clock("04:00:00"), clock("04:31:10")
	runEnd := runs.Add(time.Duration(len(demo().Lines())-1) * time.Second)
	_, promotion := promoted(func(s *story) { s.l.Key = ledgerKey })
	audit, release := demo().Seal(), demo().Release(releaseKey, nil)
	auditBy := map[string][]testbundle.Key{"audit": {releaseKey}}
	vouched := map[string][]testbundle.Key{"audit": {otherKey}}
	with := func(role string, keys ...testbundle.Key) map[string][]testbundle.Key {
		return map[string][]testbundle.Key{"audit": {releaseKey}, role: keys}
	}
	moves := func(more map[string][]testbundle.Key) map[string][]testbundle.Key {
		m := map[string][]testbundle.Key{"audit": {releaseKey}, "release.canary": {releaseKey}, "release.stable": {releaseKey}}
		maps.Copy(m, more)
		return m
	}
	ledgers := map[string][]testbundle.Key{"ledger": {ledgerKey}, "release.canary": nil}
	canary := newStoryOf(demo())
	canary.l.Key = ledgerKey
	canary.is(demo().Release(otherKey, func(m M) { m["gates"] = canary.policy }))
	canary.l.Events[1]["details"].(M)["bundle"] = canary.canary
	windows := canary.observe(canary.canary, "canary", 60, nil)
	decision := canary.decided(1870, windows, nil)
	lifted := demo().Promote(releaseKey, canary.stable(canary.promote(1870, decision, nil), decision, 3, 5), nil)
	parts := []part{
		{"sealing", audit, releaseKey, "audit", runs, runEnd, 1, nil, true, true, false},
		{"sealing, others vouch", endorsed(audit, testbundle.AuditPredicate, otherKey), releaseKey, "audit", runs, runEnd, 1, vouched, false, true, false},
		{"sealing, one of two", endorsed(audit, testbundle.AuditPredicate, otherKey), releaseKey, "audit", runs, runEnd, 2, vouched, true, true, false},
		{"sealing a release", demo().Release(otherKey, nil), otherKey, "release.canary", runEnd, runEnd, 1, auditBy, true, true, false},
		{"further, needed", endorsed(release, testbundle.ReleasePredicate, otherKey), otherKey, "release.canary", runEnd, runEnd, 2, with("release.canary", releaseKey), true, false, false},
		{"further, not needed", endorsed(release, testbundle.ReleasePredicate, otherKey), otherKey, "release.canary", runEnd, runEnd, 1, with("release.canary", releaseKey), false, false, false},
		{"signing the ledger", demo().Promote(releaseKey, promotion, nil), ledgerKey, "ledger", ledgerFrom, ledgerTo, 1, moves(nil), true, false, false},
		{"sealing the canary that went up", lifted, otherKey, "release.canary", runEnd, runEnd, 1, moves(ledgers), true, true, true},
		{"signing evidence", demo().Release(otherKey, nil), releaseKey, "audit", runs, runEnd, 1, map[string][]testbundle.Key{"release.canary": {otherKey}}, true, true, false},
	}
	rank := []verify.Verdict{verify.Verified, verify.Undecidable, verify.Reject}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			data := p.files.Tar()
			for _, at := range asked(p.last) {
				got := map[stance]verify.Verdict{}
				for i := range 5 * 3 * 3 * 4 {
					s := stance{i / 36, i / 12 % 3, i / 4 % 3, i % 4}
					v := p.verdict(t, data, s, at)
					got[s] = v
					for m := range stances {
						less := s
						if *less.member(m)--; *less.member(m) < 0 {
							continue
						}
						if slices.Index(rank, v) < slices.Index(rank, got[less]) {
							t.Errorf("at %v: %v\n  is %s, and with a smaller fault in %s\n  %v\n  it is %s", at, s, v, stances[m], less, got[less])
						}
					}
					revoked := s.status == 4 || s.status >= 2 && at.IsZero()
					switch dated := (s.undated == 0 || p.recorded) && s.status == 2 && (p.seal || p.role == "ledger"); {
					case s == stance{} && v != verify.Verified:
						t.Errorf("at %v: %v: %s", at, s, v)
					case p.needed && revoked && !dated && v == verify.Verified:
						t.Errorf("at %v: %v: a revoked key counts", at, s)
					case p.needed && s.notAfter > 0 && p.first != p.last && v == verify.Verified, p.needed && s.notAfter > 1 && v == verify.Verified:
						t.Errorf("at %v: %v: a key counts after its time", at, s)
					}
				}
			}
		})
	}
}
