package audit

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/bulk"
)

// A testSigner signs with a key made from one byte.
type testSigner struct {
	priv ed25519.PrivateKey
	pub  sign.PublicKey
}

// An inBulk signer signs many heads at a time.
type inBulk struct{ testSigner }

func (s inBulk) SignAll(messages [][]byte) ([]sign.Signature, error) {
	sigs := make([]sign.Signature, len(messages))
	bulk.New(s.priv).Sign(messages, sigs)
	return sigs, nil
}

func newSigner(seed byte) testSigner {
	priv := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	pub, err := sign.ParsePublicKey(priv.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return testSigner{priv, pub}
}

func (s testSigner) Public() sign.PublicKey { return s.pub }

func (s testSigner) Sign(message []byte) (sign.Signature, error) {
	return sign.Signature(ed25519.Sign(s.priv, message)), nil
}

var (
	alice   = newSigner(1)
	mallory = newSigner(2)
	trusted = sign.Only(alice.pub)
)

// A fakeClock goes on by one millisecond at each reading.
type fakeClock struct {
	ts   time.Time
	tau  int64
	name string
}

func newClock() *fakeClock {
	return &fakeClock{time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), 1_000_000, "clock-a"}
}

// laterClock is the same clock an hour later.
func laterClock() *fakeClock {
	c := newClock()
	return &fakeClock{c.ts.Add(time.Hour), c.tau + time.Hour.Microseconds(), c.name}
}

func (c *fakeClock) Now() (time.Time, int64, string) {
	c.ts, c.tau = c.ts.Add(time.Millisecond), c.tau+1000
	return c.ts, c.tau, c.name
}

func digest(s string) *sign.Digest {
	d := sign.Sum([]byte(s))
	return &d
}

func runGenesis() Genesis {
	return Genesis{
		Purpose:      PurposeRun,
		Run:          Run{NewRunID([16]byte{1, 2, 3})},
		EnvLock:      Fingerprint{digest("env")},
		PipelineCard: Hash{digest("pipeline")},
		ParamCard:    Hash{digest("param")},
		Product:      "greetd",
	}
}

func ledgerGenesis() Genesis {
	return Genesis{Purpose: PurposeLedger, Run: Run{"greetd-releases"}}
}

// runDrafts are the eight events of a small run.
func runDrafts() []Draft {
	seed := "42"
	all := []Draft{
		{Action: ActionRunStart, Details: canon.Value(`{"source":{"commit":"c0ffee"}}`)},
		{Action: ActionStepStart, Path: Txt("build"), Inputs: []Item{{*digest("b"), "b.go"}, {*digest("a"), "a.go"}}},
		{Action: ActionStepEnd, Path: Txt("build"), Status: StatusOK, Outputs: []Item{{*digest("bin"), "out/bin"}}},
		{Action: ActionStepStart, Path: Txt("test")},
		{Action: ActionStepEnd, Path: Txt("test"), Status: StatusFailed, Error: Txt("exit status 1")},
		{Action: "operator.note", Notes: Txt("naïve & <plain>")},
		{Action: ActionRunEnd, Status: StatusFailed, Snapshot: map[string]canon.Decimal{"makespan": "1.25"}},
		{Action: ActionTrailClose},
	}
	for i := range all {
		all[i].Actor, all[i].Code, all[i].Seed = Txt("ci"), *digest("code"), &seed
	}
	return all
}

// A maker writes the lines of a trail with right digests, links and signatures,
// whatever the events say: a Log would refuse some of them.
type maker struct {
	t      testing.TB
	signer testSigner
	header Header
	recs   []Record
	lines  []string
}

func (m *maker) must(line []byte, err error) string {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
	return string(line)
}

// newMaker starts a trail; edit, if not nil, changes the genesis first.
func newMaker(t testing.TB, g Genesis, edit func(*Genesis)) *maker {
	t.Helper()
	m := &maker{t: t, signer: alice}
	ts, _, _ := newClock().Now()
	g.Schema, g.Created, g.Verifier = Schema, NewTime(ts), Key{alice.pub.KeyID()}
	if edit != nil {
		edit(&g)
	}
	data := m.must(canon.Marshal(g))
	m.header = Header{H0: sign.Sum([]byte(data)), Genesis: g}
	m.header.Sig, _ = m.signer.Sign(m.header.H0[:])
	m.lines = append(m.lines, m.must(canon.Marshal(m.header)))
	return m
}

// seal completes event e after the head prev.
func (m *maker) seal(prev sign.Digest, e Event, s testSigner) Record {
	m.t.Helper()
	r := Record{E: e, ID: sign.Sum([]byte(m.must(canon.Marshal(e))))}
	r.H = Link(prev, r.ID)
	r.Sig, _ = s.Sign(r.H[:])
	return r
}

// add appends the events of drafts, stamped by the log's own code; edit, if not
// nil, changes each event before it is sealed.
func (m *maker) add(drafts []Draft, edit func(*Event)) *maker {
	m.t.Helper()
	clock := newClock()
	for range 1 + len(m.recs) { // one for the genesis
		clock.Now()
	}
	l := &Log{clock: clock, judge: &judge{genesis: &m.header.Genesis}}
	for _, d := range drafts {
		k, prev := int64(len(m.recs)+1), m.header.H0
		if k > 1 {
			prev = m.recs[k-2].H
		}
		e, err := l.stamp(d, k)
		if err != nil {
			m.t.Fatal(err)
		}
		if edit != nil {
			edit(&e)
		}
		r := m.seal(prev, e, m.signer)
		m.recs = append(m.recs, r)
		m.lines = append(m.lines, m.must(canon.Marshal(r)))
	}
	return m
}

func (m *maker) String() string { return strings.Join(m.lines, "\n") + "\n" }

// goodRun returns the trail of a run without a fault.
func goodRun(t testing.TB) *maker {
	return newMaker(t, runGenesis(), nil).add(runDrafts(), nil)
}

// result is what Check said.
type result struct {
	Summary
	found            []finding.Finding
	events, doubtful []Record
}

func check(t testing.TB, trail string, edit func(*CheckOptions)) *result {
	t.Helper()
	res := new(result)
	o := CheckOptions{
		Path:     "audit/trail.jsonl",
		Keys:     trusted,
		Report:   func(f finding.Finding) { res.found = append(res.found, f) },
		Event:    func(r Record) { res.events = append(res.events, r) },
		Doubtful: func(r Record) { res.doubtful = append(res.doubtful, r) },
	}
	if edit != nil {
		edit(&o)
	}
	var err error
	if res.Summary, err = Check(strings.NewReader(trail), o); err != nil {
		t.Fatal(err)
	}
	agree(t, trail, o, res)
	return res
}

// codes draws the findings: "E_SEQUENCE@5 E_TRAIL_OPEN@8?", with "?" for
// UNDECIDABLE and "~" for a note.
func (r *result) codes() string {
	var all []string
	for _, f := range r.found {
		s := string(f.Code)
		if f.K != nil {
			s += fmt.Sprintf("@%d", *f.K)
		}
		switch f.Verdict {
		case finding.Undecidable:
			s += "?"
		case finding.Note:
			s += "~"
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func want(t *testing.T, r *result, codes string) {
	t.Helper()
	if got := r.codes(); got != codes {
		t.Errorf("findings\n got %s\nwant %s", got, codes)
		for _, f := range r.found {
			t.Logf("%s: %s", f.Code, f.Text)
		}
	}
}
