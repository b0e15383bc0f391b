package audit

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/comb"
)

var manyEvents = flag.Int64("events", 20_000, "the length of the trail in BenchmarkTrail")

// BenchmarkTrail checks one trail in four ways, one after the other, as often as
// -benchtime says, and reports the medians of time an event and of the ratios
// within a round: the load of a machine changes, and a ratio less.
//
//	check      what Check does
//	one        ... in one goroutine: the time is that of the processor
//	plain      ... with crypto/ed25519 alone
//	simple     straightforward, see below
//	comb       nothing but the signatures, in one goroutine
func BenchmarkTrail(b *testing.B) {
	trail, err := io.ReadAll(newStream(b, *manyEvents))
	if err != nil {
		b.Fatal(err)
	}
	lib := func(o CheckOptions) func() error {
		o.Keys = trusted
		return func() error {
			s, err := Check(bytes.NewReader(trail), o)
			if err == nil && (s.K != *manyEvents || s.FailingCount > 0 || s.Key == nil) {
				err = fmt.Errorf("%+v", s)
			}
			return err
		}
	}
	heads, sigs, ok := signatures(b, trail)
	ways := []struct {
		name string
		run  func() error
	}{
		{"check", lib(CheckOptions{})},
		{"one", lib(CheckOptions{Workers: 1})},
		{"plain", lib(CheckOptions{Plain: true})},
		{"simple", func() error { return simple(bytes.NewReader(trail), alice.pub.Bytes(), *manyEvents) }},
		{"comb", func() error {
			comb.New(alice.pub).Verify(heads, sigs, ok)
			if slices.Contains(ok, false) {
				return errors.New("a signature is refused")
			}
			return nil
		}},
	}
	times := map[string][]float64{}
	for b.Loop() {
		for _, w := range ways {
			start := time.Now()
			if err := w.run(); err != nil {
				b.Fatalf("%s: %v", w.name, err)
			}
			times[w.name] = append(times[w.name], float64(time.Since(start))/float64(*manyEvents))
		}
	}
	for _, w := range ways {
		b.ReportMetric(median(times[w.name]), w.name+"-ns/event")
	}
	for _, r := range [][2]string{{"plain", "check"}, {"simple", "check"}, {"one", "comb"}} {
		var ratios []float64
		for i, t := range times[r[0]] {
			ratios = append(ratios, t/times[r[1]][i])
		}
		b.ReportMetric(median(ratios), r[0]+"/"+r[1])
	}
	b.ReportMetric(float64(len(trail))/float64(*manyEvents), "bytes/event")
	b.ReportMetric(0, "ns/op")
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// signatures returns what the events of a trail are signed with.
func signatures(t testing.TB, trail []byte) (heads [][]byte, sigs []sign.Signature, ok []bool) {
	for i, line := range bytes.Split(bytes.TrimSuffix(trail, []byte("\n")), []byte("\n")) {
		if i > 0 {
			r := salvage(line)
			if r.h == nil || r.sig == nil {
				t.Fatal("a line is damaged")
			}
			heads, sigs = append(heads, r.h[:]), append(sigs, *r.sig)
		}
	}
	return heads, sigs, make([]bool, len(sigs))
}

// simple verifies a trail as somebody would who reads its specification and has
// the standard library. It checks less: not that a line is canonical, nor what
// an event says beyond number, run and key.
func simple(r io.Reader, key ed25519.PublicKey, n int64) error {
	type event struct {
		K   int64 `json:"k"`
		Run struct {
			ID string `json:"id"`
		} `json:"run"`
		Verifier struct {
			PKRef string `json:"pk_ref"`
		} `json:"verifier"`
	}
	var genesis struct {
		H0      string          `json:"H_0"`
		Genesis json.RawMessage `json:"genesis"`
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	lines.Scan()
	if err := json.Unmarshal(lines.Bytes(), &genesis); err != nil {
		return err
	}
	var first event
	if err := json.Unmarshal(genesis.Genesis, &first); err != nil {
		return err
	}
	head := sha256.Sum256(genesis.Genesis)
	text := func(d [32]byte) string { return fmt.Sprintf("sha256:%x", d) }
	if text(head) != genesis.H0 {
		return errors.New("H_0")
	}
	var k int64
	for lines.Scan() {
		var line struct {
			H   string          `json:"H_k"`
			E   json.RawMessage `json:"e"`
			ID  string          `json:"id_k"`
			Sig string          `json:"sig_k"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return err
		}
		var e event
		if err := json.Unmarshal(line.E, &e); err != nil {
			return err
		}
		k++
		id := sha256.Sum256(line.E)
		head = sha256.Sum256(append(head[:], id[:]...))
		sig, err := base64.StdEncoding.DecodeString(line.Sig)
		switch {
		case err != nil:
			return err
		case e.K != k || e.Run != first.Run || e.Verifier != first.Verifier:
			return fmt.Errorf("event %d is another", k)
		case text(id) != line.ID || text(head) != line.H:
			return fmt.Errorf("event %d is not in the chain", k)
		case !ed25519.Verify(key, head[:], sig):
			return fmt.Errorf("event %d is not signed", k)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if k != n {
		return fmt.Errorf("%d events", k)
	}
	return nil
}
