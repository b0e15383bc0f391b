//go:build !windows

package run_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/run"
	"github.com/relseal/relseal/sign"
)

// A key signs with a key in memory; keys/private has keys in files.
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

// A pipeline of one step, and the trail that says what happened.
func ExampleExecute() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s := key{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	trail := filepath.Join(dir, "trail.jsonl")
	genesis := audit.Genesis{Purpose: audit.PurposeRun, Run: audit.Run{ID: audit.NewRunID([16]byte{1})}}
	for _, card := range []*audit.Hash{&genesis.PipelineCard, &genesis.ParamCard} {
		digest := sign.Sum([]byte("the canonical form of the card"))
		card.Hash = &digest
	}
	env := sign.Sum([]byte("the canonical form of the EnvLock"))
	genesis.EnvLock.Fingerprint = &env
	rec, err := audit.Create(trail, genesis, s, audit.SystemClock())
	if err != nil {
		log.Fatal(err)
	}
	defer rec.Close()

	result, err := run.Execute(context.Background(), run.Job{
		Dir:    dir,
		LogDir: filepath.Join(dir, "log"),
		Pipeline: cards.Pipeline{Steps: []cards.Step{
			{ID: "greet", Run: []string{"echo", "hello"}, Stdout: "hello.txt"},
		}},
		Actor:    "release@example.test",
		Producer: "example 1",
	}, rec)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range result.Artifacts {
		fmt.Println(result.Outcome, a.URI, a.Size)
	}

	f, err := os.Open(trail)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for r, err := range audit.Events(f, sign.Only(s.Public())) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.E.K, r.E.Action)
	}
	// Output:
	// ok hello.txt 6
	// 1 run.start
	// 2 step.start
	// 3 step.end
	// 4 run.end
	// 5 trail.close
}
