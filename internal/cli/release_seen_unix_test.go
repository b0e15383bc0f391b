//go:build unix

package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/known"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

// A promotion in this process.
type promotion struct {
	*pack.Promoter
	ledger *release.Ledger
	source release.Bundle
	before func() // Seal
}

func (p *promotion) Seal(ctx context.Context, o release.Promotion) (sign.Digest, error) {
	if p.before != nil {
		p.before()
	}
	return p.Promoter.Seal(ctx, o)
}

// open opens the ledger of a fresh directory to promote a bundle.
func (k *killed) open(t *testing.T, dir, source string) *promotion {
	t.Helper()
	key, err := private.Load(filepath.Join(k.dir, "release.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, id, err := pack.ReadRelease(source)
	if err != nil {
		t.Fatal(err)
	}
	heads, err := known.Bundle(source)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := keys.LoadTrusted([]string{filepath.Join(k.dir, "release.pub")})
	if err != nil {
		t.Fatal(err)
	}
	l, err := release.Open(filepath.Join(dir, "ledger.jsonl"), release.Options{Signer: key, Clock: ui.SystemClock(), Producer: ui.Producer, Actor: "ann", Digest: true, Known: heads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &promotion{
		Promoter: &pack.Promoter{Source: source, File: filepath.Join(dir, "stable.release.tar.zst"), Key: wrap.New(key), Known: verify.Options{Keys: trusted, Progress: new(verify.Progress)}},
		ledger:   l, source: release.Bundle{ID: id, Product: m.Product, Version: m.Version, Channel: m.Channel},
	}
}

func (p *promotion) promote() error {
	_, err := p.ledger.Promote(context.Background(), p.source, p, nil)
	return err
}

// TestSealedFromOneReading: the bundle of a promotion is verified without a second reading
// of the ledger, to the report of somebody who reads all of it.
func TestSealedFromOneReading(t *testing.T) {
	k := newKilled(t)
	dir := k.fresh(t)
	p := k.open(t, dir, filepath.Join(k.dir, "canary.release.tar.zst"))
	if err := p.promote(); err != nil {
		t.Fatal(err)
	}
	o := p.Known
	o.Progress = new(verify.Progress)
	report, err := verify.File(context.Background(), p.File, o)
	if err != nil {
		t.Fatal(err)
	}
	want, err := report.JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Sealed.Report.JSON()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, %s\nwant\n%s", err, got, want)
	}
	if once, twice := p.Known.Progress.Events.Load(), o.Progress.Events.Load(); twice-once != p.ledger.K-1 {
		t.Errorf("%d events were read while sealing, %d by a stranger, of a ledger of %d", once, twice, p.ledger.K-1)
	}
}

// TestLedgerChangedAfterReading: what is sealed is what was read.
func TestLedgerChangedAfterReading(t *testing.T) {
	k := newKilled(t)
	dir := k.fresh(t)
	p := k.open(t, dir, filepath.Join(k.dir, "canary.release.tar.zst"))
	p.before = func() {
		name := filepath.Join(dir, "ledger.jsonl")
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, bytes.Replace(data, []byte(`"score":"0.97"`), []byte(`"score":"0.98"`), 1), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.promote(); err == nil || !strings.Contains(err.Error(), "changed while it was being sealed") {
		t.Errorf("sealed another ledger than was read: %v", err)
	}
	if _, err := os.Stat(p.File); err == nil {
		t.Error("and it has its name")
	}
}
