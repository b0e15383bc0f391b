package audit

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
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

// An inBulk signer signs many heads with one call.
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

// A fakeClock advances by one millisecond at each reading.
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

// A maker writes the lines of a trail with right digests, links and signatures. It
// accepts events that a Log would refuse.
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

// result is what Check returned and reported.
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
	checkVariants(t, trail, o, res)
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

// variants are other ways of checking a trail: with lines decoded in part, in chunks of
// one line and of many, by one worker and by three, with and without package comb, and
// without any short cut.
var variants = []struct {
	lines, workers  int
	plain, oneByOne bool
	actions         []string
}{
	{chunkLines, 1, false, false, []string{}},
	{2, 2, false, true, []string{ActionStepStart}},
	{1, 3, true, false, []string{ActionStepEnd, ActionRunEnd}},
}

// checkVariants checks a trail in all these ways and compares the results with res. check
// calls it, so that every test of Check is a test of all of them.
func checkVariants(t testing.TB, trail string, o CheckOptions, res *result) {
	t.Helper()
	for _, way := range variants {
		other := new(result)
		p := o
		p.EventActions, p.Workers, p.Plain, p.oneByOne = way.actions, way.workers, way.plain, way.oneByOne
		p.Report = func(f finding.Finding) { other.found = append(other.found, f) }
		if o.Event != nil {
			p.Event = func(r Record) { other.events = append(other.events, r) }
		}
		if o.Doubtful != nil {
			p.Doubtful = func(r Record) { other.doubtful = append(other.doubtful, r) }
		}
		var err error
		if other.Summary, err = checkLines(newLineReader(strings.NewReader(trail)), p, way.lines); err != nil {
			t.Fatal(err)
		}
		var events []Record
		for i, r := range res.events {
			if i == 0 || slices.Contains(way.actions, r.E.Action) {
				events = append(events, r)
			}
		}
		if o.Report != nil && !reflect.DeepEqual(other.found, res.found) {
			t.Errorf("%+v: findings\n got %s\nwant %s", way, other.codes(), res.codes())
		}
		if !reflect.DeepEqual(other.Summary, res.Summary) {
			t.Errorf("%+v: summary\n got %+v\nwant %+v", way, other.Summary, res.Summary)
		}
		if !reflect.DeepEqual(other.events, events) {
			t.Errorf("%+v: events %v, want %v", way, ks(other.events), ks(events))
		}
		if !reflect.DeepEqual(other.doubtful, res.doubtful) {
			t.Errorf("%+v: doubtful %v, want %v", way, ks(other.doubtful), ks(res.doubtful))
		}
	}
}

// A stream is the trail of a run of n events of about 850 bytes that has not ended. Its
// lines are made while it is read.
type stream struct {
	n, k  int64
	head  sign.Digest
	clock *fakeClock
	parts []string // of an event, around its number and its times
	line  []byte
	rest  []byte
}

func newStream(t testing.TB, n int64) *stream {
	start := runDrafts()[0]
	progress := Draft{Actor: start.Actor, Code: start.Code, Seed: start.Seed, Action: "step.progress", Notes: Txt("six of seven done")}
	m := newMaker(t, runGenesis(), nil).add([]Draft{start, progress}, nil)

	e := m.recs[1].E
	text := m.must(canon.Marshal(e))
	for _, member := range [][2]string{
		{`"k":`, "2"}, {`"tau_mono_us":`, strconv.FormatInt(e.TauMonoUS, 10)}, {`"ts":"`, e.TS.String()},
	} {
		text = strings.Replace(text, member[0]+member[1], member[0]+"|", 1)
	}
	s := &stream{n: n, k: 1, head: m.recs[0].H, clock: laterClock(), parts: strings.Split(text, "|")}
	if len(s.parts) != 4 {
		t.Fatal(text)
	}
	s.rest = []byte(m.lines[0] + "\n" + m.lines[1] + "\n")
	return s
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.k == s.n {
			return 0, io.EOF
		}
		s.next()
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// next makes the next line.
func (s *stream) next() {
	s.k++
	ts, tau, _ := s.clock.Now()
	b := append(s.line[:0], `{"H_k":"`...)
	b = append(append(b, s.head.String()...), `","e":`...)
	from := len(b)
	b = strconv.AppendInt(append(b, s.parts[0]...), s.k, 10)
	b = strconv.AppendInt(append(b, s.parts[1]...), tau, 10)
	b = ts.AppendFormat(append(b, s.parts[2]...), timeLayout)
	b = append(b, s.parts[3]...)
	id := sign.Sum(b[from:])
	s.head = Link(s.head, id)
	copy(b[hAt:], s.head.String())
	sig, _ := alice.Sign(s.head[:])
	b = append(append(b, `,"id_k":"`...), id.String()...)
	b = append(append(b, `","sig_k":"`...), sig.String()...)
	s.line = append(b, '"', '}', '\n')
	s.rest = s.line
}
