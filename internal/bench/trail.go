package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/sign"
)

// A Trail is the record of a run that was made to be measured.
type Trail struct {
	file   string
	events int64
	size   int64 // bytes
	key    sign.PublicKey
}

// A key signs with a key that exists for one measurement.
type key struct {
	private ed25519.PrivateKey
	public  sign.PublicKey
}

func (k key) Public() sign.PublicKey { return k.public }

func (k key) Sign(message []byte) (sign.Signature, error) {
	return sign.Signature(ed25519.Sign(k.private, message)), nil
}

func newKey() (key, error) {
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return key{}, err
	}
	public, err := sign.ParsePublicKey(pub)
	return key{private, public}, err
}

// MakeTrail records a run of n events in dir, such as a tool writes that
// tells how far it has come.
func MakeTrail(ctx context.Context, dir string, n int64) (*Trail, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	t := &Trail{file: filepath.Join(dir, "trail.jsonl"), events: n, key: key.public}
	none := sign.Sum(nil)
	log, err := audit.Create(t.file, audit.Genesis{
		Purpose: audit.PurposeRun, Run: audit.Run{ID: audit.NewRunID([16]byte{})},
		EnvLock: audit.Fingerprint{Fingerprint: &none}, PipelineCard: audit.Hash{Hash: &none}, ParamCard: audit.Hash{Hash: &none},
	}, key, clock.System())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	var drafts []audit.Draft
	for k := int64(1); k <= n; k++ {
		d := audit.Draft{Action: "step.progress", Actor: audit.Txt("bench"), Code: none, Notes: audit.Txt(fmt.Sprintf("%d of %d done", k, n))}
		if k == 1 {
			d.Action = audit.ActionRunStart
		}
		if drafts = append(drafts, d); len(drafts) < 1000 && k < n {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := log.AppendAll(drafts); err != nil {
			return nil, err
		}
		drafts = drafts[:0]
	}
	info, err := os.Stat(t.file)
	if err != nil {
		return nil, err
	}
	t.size = info.Size()
	return t, nil
}
