package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A signer is a sign.Signer over a key in memory; package keys/private has better ones.
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
	}, s, audit.SystemClock())
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
		Keys: sign.Only(key),
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

// A trail is read with range; the first error is a reason to stop.
func ExampleEvents() {
	s := signer{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	trail, err := makeTrail(s, "service.start", "model.load", "service.stop")
	if err != nil {
		fmt.Println(err)
		return
	}
	show := func(trail []byte) {
		for r, err := range audit.Events(bytes.NewReader(trail), sign.Only(s.Public())) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(r.E.K, r.E.Action)
		}
	}
	show(trail)
	show(bytes.Replace(trail, []byte("model.load"), []byte("model.lost"), 1))
	// Output:
	// 1 service.start
	// 2 model.load
	// 3 service.stop
	// 1 service.start
	// event 2: E_EVENT_ID: id_k is not the digest of the event
}

// makeTrail returns a ledger with an event for each action.
func makeTrail(s signer, actions ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ledger.jsonl")
	log, err := audit.Create(path, audit.Genesis{Purpose: audit.PurposeLedger, Run: audit.Run{ID: "service"}}, s, audit.SystemClock())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	for _, action := range actions {
		if _, err := log.Append(audit.Draft{Actor: audit.Txt("svc@example.test"), Action: action}); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(path)
}
