package release

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

type testSigner struct {
	priv ed25519.PrivateKey
	pub  sign.PublicKey
}

func (s testSigner) Public() sign.PublicKey { return s.pub }

func (s testSigner) Sign(m []byte) (sign.Signature, error) {
	return sign.Signature(ed25519.Sign(s.priv, m)), nil
}

var alice = func() testSigner {
	priv := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	pub, err := sign.ParsePublicKey(priv.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return testSigner{priv, pub}
}()

// A testClock is set by the tests; it stands still.
type testClock struct{ at time.Duration }

var start = time.UnixMilli(1767326400000)

func (c *testClock) Now() (time.Time, int64, string) {
	return start.Add(c.at), c.at.Microseconds(), "clock"
}

func ms(at time.Duration) int64 { return start.Add(at).UnixMilli() }

func digest(s string) sign.Digest { return sign.Sum([]byte(s)) }

func policy() gates.Policy {
	return gates.Policy{
		Schema: gates.Schema, Mode: "literal", RCanary: "0.05", TObsMS: 180_000, TRollbackMS: 300_000, StaleMaxMS: 120_000, WMin: 3, NLTS: 2, MaxUndecidable: 2,
		SkewMaxMS: 1000, TauScore: "0.95", GateRep: "0.02", TauPSD: gates.PSDLimit{Kind: "rel_l1", Max: "0.05"},
		TauTB: gates.TBLimit{Kind: "rms", Max: "0.001", Unit: "s"}, TauHB: "5", TauDrop: "0.01", TauInc: "0.1",
	}
}

// A fixture is a ledger on disk with its clock.
type fixture struct {
	t     testing.TB
	path  string
	clock *testClock
	*Ledger
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{t: t, path: filepath.Join(t.TempDir(), "ledger.jsonl"), clock: &testClock{}}
	if _, err := Create(f.path, "demo", f.options()); err != nil {
		t.Fatal(err)
	}
	f.open()
	t.Cleanup(func() { f.Close() })
	return f
}

func (f *fixture) options() Options {
	return Options{Signer: alice, Clock: f.clock, Producer: "relseal test", Actor: "tester"}
}

// open opens the ledger again, as another process would.
func (f *fixture) open() {
	f.t.Helper()
	if f.Ledger != nil {
		f.Close()
	}
	var err error
	if f.Ledger, err = Open(f.path, f.options()); err != nil {
		f.t.Fatal(err)
	}
}

func bundleOf(name, channel string) Bundle {
	return Bundle{ID: digest(name), Product: "demo", Version: "1.0.0", Channel: channel}
}

func (f *fixture) register() {
	f.t.Helper()
	if _, err := f.Register(policy()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) admit(name string) Bundle {
	f.t.Helper()
	b := bundleOf(name, gates.Canary)
	if _, err := f.Admit(b); err != nil {
		f.t.Fatal(err)
	}
	return b
}

// window is a good one of a minute.
func window(b Bundle, n int, from time.Duration) gates.Window {
	return gates.Window{
		Schema: gates.WindowSchema, ID: fmt.Sprintf("%s-%d", b.Channel, n), Channel: b.Channel, Release: b.ID.String(), StartMS: ms(from), EndMS: ms(from + time.Minute),
		Score: "0.97", DeltaRep: "0.01", DeltaPSD: "0.01", RTB: "0.0002", HBLag: "1", DropRate: "0", IncidentRate: "0",
	}
}

// dropping is one that triggers.
func dropping(b Bundle, n int, from time.Duration) gates.Window {
	w := window(b, n, from)
	w.DropRate = "0.5"
	return w
}

// observe appends n good windows from now on, and goes to their end. A function
// may change them.
func (f *fixture) observe(b Bundle, n int, change func(*gates.Window)) {
	f.t.Helper()
	r := f.State.Release(b.ID)
	var ws []gates.Window
	for i := range n {
		w := window(b, int(r.Count)+i+1, f.clock.at)
		if change != nil {
			change(&w)
		}
		ws = append(ws, w)
		f.clock.at += time.Minute
	}
	o, err := f.Observe(ws, false)
	if err != nil || o.Appended != n {
		f.t.Fatalf("appended %d of %d: %v %v", o.Appended, n, o.Refused, err)
	}
}

// A fileSealer writes what a bundle is made of to a file.
type fileSealer struct {
	path   string
	before error // fail before anything is written
	after  error // fail once it is
	named  error // fail when it is to get its name
	during func()
	calls  int

	sealed []byte
}

func (s *fileSealer) Seal(_ context.Context, p Promotion) (sign.Digest, error) {
	s.calls++
	if s.during != nil {
		s.during()
	}
	if s.before != nil {
		return sign.Digest{}, s.before
	}
	data, err := canon.Marshal(struct {
		Source  sign.Digest `json:"source"`
		Channel string      `json:"channel"`
		Policy  gates.Policy
		Said    string
		Scores  map[string]string
		Windows []int64
		K       int64
		H0, HK  sign.Digest
	}{p.Source, p.Channel, p.Policy, string(p.Decision), p.Scores, []int64{p.First, p.Last, p.Count}, p.Ledger.K, p.Ledger.H0, p.Ledger.HK})
	if err != nil {
		return sign.Digest{}, err
	}
	lines, err := p.Lines.Open()
	if err != nil {
		return sign.Digest{}, err
	}
	defer lines.Close()
	text, err := io.ReadAll(lines)
	if err != nil || int64(len(text)) != p.Lines.Size || sign.Sum(text) != p.Lines.Hash {
		return sign.Digest{}, fmt.Errorf("the lines are not what they are said to be: %v", err)
	}
	data = append(data, text...)
	there, err := os.ReadFile(s.path)
	if err == nil && !bytes.Equal(there, data) {
		return sign.Digest{}, fs.ErrExist
	}
	s.sealed = data
	return sign.Sum(data), s.after
}

func (s *fileSealer) Publish() error {
	if s.named != nil {
		return s.named
	}
	return os.WriteFile(s.path, s.sealed, 0o644)
}

func (s *fileSealer) Discard() { s.sealed = nil }

func (f *fixture) sealer() *fileSealer {
	return &fileSealer{path: filepath.Join(f.t.TempDir(), "bundle")}
}

func (f *fixture) promote(b Bundle, s Sealer) Outcome {
	f.t.Helper()
	o, err := f.Promote(context.Background(), b, s, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return o
}

// actions lists what the ledger says, read from the file with all its checks.
func (f *fixture) actions() []string {
	f.t.Helper()
	data, err := os.ReadFile(f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	var all []string
	sum, err := audit.Check(bytes.NewReader(data), audit.CheckOptions{Keys: sign.Only(alice.pub), Bare: true,
		Report: func(x finding.Finding) { f.t.Errorf("%s: %s", x.Code, x.Text) },
		Event:  func(r audit.Record) { all = append(all, r.E.Action) }})
	if err != nil || sum.Key == nil {
		f.t.Fatalf("key %v: %v", sum.Key, err)
	}
	v, err := Read(bytes.NewReader(data), sign.Only(alice.pub))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, x := range v.Faults {
		f.t.Errorf("event %d: %v", x.K, x)
	}
	return all
}
