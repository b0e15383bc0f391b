package audit

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// BenchmarkImport appends what a stream of lines says, in bulk, and signs as often
// with crypto/ed25519 and without a log: sign/import is how much slower the log is, or
// above 1 faster.
func BenchmarkImport(b *testing.B) {
	const events = 10_000
	var lines [][]byte
	for i := range events {
		lines = append(lines, fmt.Appendf(nil, `{"action":"step.progress","actor":"ci@example.test","notes":"%d of %d done","details":{"done":%d}}`, i, events, i))
	}
	_, l := create(b, ledgerGenesis())
	l.signer = inBulk{alice}
	r := newRace(b)
	r.add("sign", func() error { return bareSigning(events) })
	r.add("import", func() error {
		drafts := make([]Draft, 0, 1000)
		for i, line := range lines {
			d, err := ImportDraft(line)
			if err != nil {
				return err
			}
			if drafts = append(drafts, d); len(drafts) == cap(drafts) || i == len(lines)-1 {
				if _, err := l.AppendAll(drafts); err != nil {
					return err
				}
				drafts = drafts[:0]
			}
		}
		return nil
	})
	r.run(events)
	r.cpuRatio("sign", "import")
	r.ratio("sign", "import")
}

func bareSigning(n int) error {
	head := make([]byte, 32)
	for range n {
		head[0] = ed25519.Sign(alice.priv, head)[0]
	}
	return nil
}

// BenchmarkAppend appends one event at a time from one goroutine, the same from 64
// at once, and signs, writes and syncs as many lines without a log.
func BenchmarkAppend(b *testing.B) {
	const events, appenders = 512, 64
	_, l := create(b, ledgerGenesis())
	l.signer = inBulk{alice}
	d := note("a note of usual length, such as a tool would write")
	bare, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	line := bytes.Repeat([]byte("x"), 850)
	disk := &osDisk{File: bare}

	r := newRace(b)
	r.add("bare", func() error {
		head := make([]byte, 32)
		for range events {
			head[0] = ed25519.Sign(alice.priv, head)[0]
			if _, err := bare.Write(line); err != nil {
				return err
			}
			if err := disk.Sync(); err != nil {
				return err
			}
		}
		return nil
	})
	r.add("one", func() error {
		for range events {
			if _, err := l.Append(d); err != nil {
				return err
			}
		}
		return nil
	})
	r.add("together", func() error {
		var wg sync.WaitGroup
		faults := make(chan error, appenders)
		for range appenders {
			wg.Go(func() {
				for range events / appenders {
					if _, err := l.Append(d); err != nil {
						faults <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(faults)
		return <-faults
	})
	r.run(events)
	r.ratio("bare", "one")
	r.ratio("one", "together")
}
