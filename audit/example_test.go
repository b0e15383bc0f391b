package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A signer is a sign.Signer over a key in memory; package keys has better ones.
type signer struct{ priv ed25519.PrivateKey }

func (s signer) Public() sign.PublicKey {
	pub, err := sign.ParsePublicKey(s.priv.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return pub
}

func (s signer) Sign(message []byte) (sign.Signature, error) {
	return sign.Signature(ed25519.Sign(s.priv, message)), nil
}

// trust is a sign.Verifiers that trusts one key.
type trust struct{ key sign.PublicKey }

func (t trust) Verifier(id sign.KeyID) (sign.PublicKey, bool) { return t.key, t.key.KeyID() == id }

// wall is an audit.Clock of the process.
type wall struct{ start time.Time }

func (w wall) Now() (time.Time, int64, string) {
	return time.Now(), time.Since(w.start).Microseconds(), "example"
}

func Example() {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ledger.jsonl")
	s := signer{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}

	log, err := audit.Create(path, audit.Genesis{
		Purpose: audit.PurposeLedger,
		Run:     audit.Run{ID: "greetd"},
	}, s, wall{time.Now()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	for _, action := range []string{"policy.register", "window", "promote"} {
		r, err := log.Append(audit.Draft{Actor: audit.Txt("release@example.test"), Action: action})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("recorded", r.E.K, r.E.Action)
	}

	// Anybody with the public key can check the file.
	trail, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	checkTrail(trail, s.Public())
	checkTrail(bytes.Replace(trail, []byte("window"), []byte("widow"), 1), s.Public())

	// Output:
	// recorded 1 policy.register
	// recorded 2 window
	// recorded 3 promote
	// 3 events, 0 of them failing
	// REJECT E_EVENT_ID at event 2
	// 3 events, 1 of them failing
}

func checkTrail(trail []byte, key sign.PublicKey) {
	sum, err := audit.Check(bytes.NewReader(trail), audit.CheckOptions{
		Keys: trust{key},
		Bare: true,
		Report: func(f finding.Finding) {
			fmt.Println(f.Verdict, f.Code, "at event", *f.K)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sum.K, "events,", sum.FailingCount, "of them failing")
}
