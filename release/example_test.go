package release_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// A key signs with a key in memory.
type key struct{ ed25519.PrivateKey }

func (k key) Public() sign.PublicKey {
	pub, err := sign.ParsePublicKey(k.PrivateKey.Public().(ed25519.PublicKey))
	if err != nil {
		log.Fatal(err)
	}
	return pub
}

func (k key) Sign(m []byte) (sign.Signature, error) {
	return sign.Signature(ed25519.Sign(k.PrivateKey, m)), nil
}

// A clock that the example turns.
type clock struct{ at time.Duration }

func (c *clock) Now() (time.Time, int64, string) {
	return time.UnixMilli(1767326400000).Add(c.at), c.at.Microseconds(), "example"
}

// A printer seals nothing and prints what it was asked for.
type printer struct{}

func (printer) Seal(_ context.Context, p release.Promotion) (sign.Digest, error) {
	fmt.Printf("seal on %s over %d windows\n", p.Channel, p.Count)
	return sign.Sum(p.Decision), nil
}

func (printer) Publish() error { return nil }
func (printer) Discard()       {}

// A policy, a canary, its windows, and the decision that follows.
func Example() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path, c := filepath.Join(dir, "ledger.jsonl"), &clock{}
	o := release.Options{Signer: key{ed25519.NewKeyFromSeed(make([]byte, 32))}, Clock: c, Producer: "example", Actor: "ann"}
	if _, err := release.Create(path, "demo", o); err != nil {
		log.Fatal(err)
	}
	l, err := release.Open(path, o)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	_, err = l.Register(gates.Policy{
		Schema: gates.Schema, Mode: "literal", RCanary: "0.05", TObsMS: 120_000, TRollbackMS: 300_000, StaleMaxMS: 60_000, WMin: 2, NLTS: 3, MaxUndecidable: 2,
		TauScore: "0.95", GateRep: "0.02", TauPSD: gates.PSDLimit{Kind: "rel_l1", Max: "0.05"}, TauTB: gates.TBLimit{Kind: "rms", Max: "0.001", Unit: "s"},
		TauHB: "5", TauDrop: "0.01", TauInc: "0.1",
	})
	if err != nil {
		log.Fatal(err)
	}
	canary := release.Bundle{ID: sign.Sum([]byte("the manifest of a canary")), Product: "demo", Version: "1.0.0", Channel: gates.Canary}
	if _, err := l.Admit(canary); err != nil {
		log.Fatal(err)
	}
	for n := range int64(2) {
		start := 1767326400000 + c.at.Milliseconds()
		w := gates.Window{
			Schema: gates.WindowSchema, ID: fmt.Sprint("w", n+1), Channel: gates.Canary, Release: canary.ID.String(), StartMS: start, EndMS: start + 60_000,
			Score: "0.97", DeltaRep: "0.01", DeltaPSD: "0.01", RTB: "0.0002", HBLag: "1", DropRate: "0",
		}
		c.at += time.Minute
		if _, err := l.Observe([]gates.Window{w}, false); err != nil {
			log.Fatal(err)
		}
		out, err := l.Promote(context.Background(), canary, printer{}, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(out.Judgement.Outcome(), out.Judgement.Unmet())
	}
	// Output:
	// HOLD [COVERAGE WINDOWS]
	// seal on stable over 2 windows
	// PROMOTE []
}
