package verify_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// BenchmarkArtifact hashes a file of 256 MiB as --artifacts does and with openssl,
// in turn, and reports the median of openssl's time over ours.
func BenchmarkArtifact(b *testing.B) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		b.Skip("there is no openssl to compare with")
	}
	const size = 256 << 20
	dir := b.TempDir()
	file := filepath.Join(dir, "artifact")
	data := make([]byte, size)
	rng := rand.NewChaCha8([32]byte{7})
	rng.Read(data)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		b.Fatal(err)
	}
	want := sign.Sum(data)
	data = nil
	var ours, theirs, ratios []float64
	round := func() {
		start := time.Now()
		set, err := verify.Dir(dir)
		if err != nil {
			b.Fatal(err)
		}
		if ok, err := set.Has(want, size); !ok || err != nil {
			b.Fatal(ok, err)
		}
		a := time.Since(start).Seconds()
		start = time.Now()
		if out, err := exec.Command(openssl, "dgst", "-sha256", file).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		o := time.Since(start).Seconds()
		ours, theirs, ratios = append(ours, a), append(theirs, o), append(ratios, o/a)
	}
	for b.Loop() {
		round()
	}
	for len(ratios) < 7 {
		round()
	}
	median := func(v []float64) float64 { return slices.Sorted(slices.Values(v))[len(v)/2] }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(size/1e6/median(ours), "MB/s")
	b.ReportMetric(size/1e6/median(theirs), "openssl-MB/s")
	b.ReportMetric(median(ratios), "openssl/ours")
}
