package docs

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys"
	roots "github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// forgeries is how many bundles insiders make of one world.
const forgeries = 25

var (
	firstWorld = flag.Uint64("world", 0, "seed of the first world that TestInsiders draws")
	someWorlds = flag.Int("worlds", 0, "how many worlds it draws, instead of a sample or all")
)

// Whoever holds a limited key makes any bundle at all with it. No claim of the
// report is false, nothing is VERIFIED that the keys could not make alone, and the
// second verifier gives the same answer: under the root, and with keys alone. A
// sample; all of it with RELSEAL_WHOLE=1. A fault names its world: -world 7 -worlds 1
// plays it again.
func TestInsiders(t *testing.T) {
	worlds := 12
	if os.Getenv("RELSEAL_WHOLE") == "1" {
		worlds = 100_000 / forgeries
	}
	if *someWorlds > 0 {
		play(t, *firstWorld, *someWorlds)
		return
	}
	sum := play(t, *firstWorld, worlds)
	for _, answer := range []string{"root VERIFIED", "root UNDECIDABLE", "root REJECT", "keys VERIFIED", "keys UNDECIDABLE", "keys REJECT"} {
		if sum.answers[answer] < worlds*forgeries/100 {
			t.Errorf("only %d of %d are %s", sum.answers[answer], worlds*forgeries, answer)
		}
	}
	for id, truth := range truths {
		if truth != nil && sum.claims[id] == 0 && id != "artifact.held" {
			t.Errorf("no report makes the claim %s", id)
		}
	}
}

// A tally counts what came out.
type tally struct {
	sync.Mutex
	answers map[string]int // by way and verdict
	claims  map[string]int
}

// play tries worlds from the seed first on and reports what is wrong, until it is much.
func play(t *testing.T, first uint64, worlds int) *tally {
	fillKeyring()
	sum := &tally{answers: map[string]int{}, claims: map[string]int{}}
	base := newSecond(t)
	var next, wrong atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		p := &player{t: t, base: base, file: filepath.Join(t.TempDir(), "bundle"), sum: sum}
		wait.Go(func() {
			for n := next.Add(1) - 1; n < int64(worlds) && wrong.Load() < 40; n = next.Add(1) - 1 {
				seed := first + uint64(n)
				w := newWorld(seed)
				for i := range forgeries {
					for _, fault := range p.try(w, w.forge()) {
						wrong.Add(1)
						t.Errorf("world %d, bundle %d: %s", seed, i, fault)
					}
				}
			}
		})
	}
	wait.Wait()
	t.Logf("%d bundles: %v; claims %v", worlds*forgeries, sum.answers, sum.claims)
	return sum
}

// A player verifies what insiders make.
type player struct {
	t    *testing.T
	base *second
	file string
	sum  *tally

	in     *world // whose roots these are
	chains map[string]chainPair
}

// try verifies a forgery under the root and with keys alone, and says what is wrong
// with the answers.
func (p *player) try(w *world, f forgery) (faults []string) {
	data := f.files.Tar()
	p.write(data)
	say := func(way string, r *verify.Report, s *second, o *oracle) {
		o.judge()
		for _, fault := range o.faults {
			faults = append(faults, fmt.Sprintf("%s: %s: FALSE %s\n%s", f.what, way, fault, r.Summary()))
		}
		if s.verdict() != string(r.Verdict) || !slices.Equal(s.codes(), codesOf(r)) {
			faults = append(faults, fmt.Sprintf("%s: %s: DISAGREE the second verifier says %s with %q, relseal %s with %q\n%s", f.what, way, s.verdict(), s.findings, r.Verdict, codesOf(r), r.Summary()))
		}
		p.sum.Lock()
		p.sum.answers[way+" "+string(r.Verdict)]++
		for _, c := range r.Claims {
			p.sum.claims[c.ID]++
		}
		p.sum.Unlock()
	}
	r, s := p.rooted(w, f, data)
	say("root", r, s, &oracle{w: w, f: f, r: r, root: s.rooted.last(), latest: s.latest, later: s.later != ""})
	r, s, trusted := p.keys(w, f, data)
	say("keys", r, s, &oracle{w: w, f: f, r: r, keys: trusted, later: s.later != ""})
	return faults
}

func (p *player) write(data []byte) {
	if err := os.WriteFile(p.file, data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// rooted verifies under the root.
func (p *player) rooted(w *world, f forgery, data []byte) (*verify.Report, *second) {
	have := p.have(w, f)
	second := *p.base
	second.rooted = have.second
	o := verify.Options{Root: have.ours}
	if f.at != 0 {
		o.At = time.UnixMilli(int64(testbundle.Millis(f.at)))
		second.now = o.At
	}
	if f.ledger != nil {
		authority, _ := have.ours.Walk(nil)
		dates, err := verify.ReadDatings(bytes.NewReader(f.ledger), authority)
		if err == nil {
			o.Dates = dates
			second.dates(string(f.ledger))
		}
		p.later(f, verify.LedgerKeys(authority), &o, &second)
	}
	second.bundle(data)
	return p.report(o), &second
}

// A chainPair is what a reader has of the root, read by relseal and by the second
// verifier.
type chainPair struct {
	ours   *roots.Chain
	second *secondChain
}

// have returns the versions that a reader has. They are read once in a world.
func (p *player) have(w *world, f forgery) chainPair {
	which := fmt.Sprint(f.pinned, f.later)
	if p.in != w {
		p.in, p.chains = w, map[string]chainPair{}
	}
	if pair, ok := p.chains[which]; ok {
		return pair
	}
	ours, err := roots.Pin(w.roots[f.pinned-1])
	if err != nil {
		p.t.Fatal(err)
	}
	pair := chainPair{ours: ours}
	pair.second, _ = pinRoot(w.roots[f.pinned-1])
	if f.later && f.pinned == 1 {
		if err := ours.Add(w.roots[1]); err != nil {
			p.t.Fatal(err)
		}
		pair.second.add(w.roots[1], "", 0)
	}
	p.chains[which] = pair
	return pair
}

// later gives both the ledger that the caller has, if it is one for them.
func (p *player) later(f forgery, keys sign.Verifiers, o *verify.Options, s *second) {
	o.History, s.history = f.past, f.past
	later, err := verify.ReadLater(bytes.NewReader(f.ledger), keys)
	if err == nil {
		o.Later, s.later = later, string(f.ledger)
	}
}

func (p *player) report(o verify.Options) *verify.Report {
	r, err := verify.File(context.Background(), p.file, o)
	if r == nil {
		p.t.Fatal(err)
	}
	return r
}

// keys verifies with keys alone: those of the insider and of who sealed the runs, or
// all of them.
func (p *player) keys(w *world, f forgery, data []byte) (*verify.Report, *second, map[string]bool) {
	second := *p.base
	second.keys = map[string]ed25519.PublicKey{}
	trusted, list := map[string]bool{}, []sign.PublicKey{}
	for role, holders := range w.holders {
		for _, h := range holders {
			if (f.all || role == "audit" || f.held[h.key.ID()]) && !trusted[h.key.ID()] {
				trusted[h.key.ID()] = true
				list = append(list, publicKeys.get(h.key.ID(), func() sign.PublicKey {
					key, err := keys.ParsePublic(h.key.PEM())
					if err != nil {
						p.t.Fatal(err)
					}
					return key
				}))
				second.trust(publicOf(h.key))
			}
		}
	}
	o := verify.Options{Keys: keys.NewTrusted(list...)}
	if f.ledger != nil {
		p.later(f, o.Keys, &o, &second)
	}
	second.bundle(data)
	return p.report(o), &second, trusted
}

var publicKeys memo[sign.PublicKey]

func publicOf(k testbundle.Key) ed25519.PublicKey {
	pem := k.TUFKey()["keyval"].(testbundle.M)["public"].(string)
	return hashed(pem)
}
