package canon_test

import (
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// line is the size and shape of one event of a trail.
var line = `{"H_k":"sha256:` + strings.Repeat("0a", 32) + `","e":{"EnvLock":{"fingerprint":"sha256:` + strings.Repeat("1b", 32) +
	`"},"TS":{"snapshot":{"cpu_user":"1.25","makespan":"2.5"}},"action":"step.end","actor":"ci@example.test","clock":"` + strings.Repeat("c", 32) +
	`","inputs":{"hash":"sha256:` + strings.Repeat("2c", 32) + `"},"k":7,"notes":null,"outputs":{"hash":"sha256:` + strings.Repeat("3d", 32) +
	`","items":[{"hash":"sha256:` + strings.Repeat("4e", 32) + `","uri":"out/greetd"}]},"path":"build","rng":{"seed":"42"},"status":"ok",` +
	`"tau_mono_us":1234567890,"ts":"2026-01-02T03:04:05.000006Z"},"id_k":"sha256:` + strings.Repeat("5f", 32) + `","sig_k":"` + strings.Repeat("A", 86) + `=="}`

// record is the type of line. As in package audit the fields stand in the order
// of the specification, which is not the canonical one.
type record struct {
	H sign.Digest `json:"H_k"`
	E struct {
		K         int64  `json:"k"`
		TS        string `json:"ts"`
		TauMonoUS int64  `json:"tau_mono_us"`
		Clock     string `json:"clock"`
		Actor     string `json:"actor"`
		Action    string `json:"action"`
		EnvLock   struct {
			Fingerprint *sign.Digest `json:"fingerprint"`
		} `json:"EnvLock"`
		RNG struct {
			Seed *string `json:"seed"`
		} `json:"rng"`
		Inputs     items   `json:"inputs"`
		Outputs    items   `json:"outputs"`
		Path       *string `json:"path"`
		TimeSeries struct {
			Snapshot map[string]canon.Decimal `json:"snapshot"`
		} `json:"TS"`
		Notes   *string     `json:"notes"`
		Status  string      `json:"status,omitzero"`
		Details canon.Value `json:"details,omitzero"`
	} `json:"e"`
	ID  sign.Digest    `json:"id_k"`
	Sig sign.Signature `json:"sig_k"`
}

type items struct {
	Hash  sign.Digest `json:"hash"`
	Items []struct {
		Hash sign.Digest `json:"hash"`
		URI  string      `json:"uri"`
	} `json:"items,omitempty"`
}

func BenchmarkCheck(b *testing.B) {
	data := []byte(line)
	versus(b, func() error { return canon.Check(data) }, func() error { return canon.SlowCheck(data) })
}

func BenchmarkUnmarshal(b *testing.B) {
	data := []byte(line)
	versus(b,
		func() error { return canon.Unmarshal(data, new(record)) },
		func() error { return canon.SlowUnmarshal(data, new(record)) })
}

func BenchmarkMarshal(b *testing.B) {
	var r record
	if err := canon.Unmarshal([]byte(line), &r); err != nil {
		b.Fatal(err)
	}
	versus(b,
		func() error { _, err := canon.Marshal(&r); return err },
		func() error { _, err := canon.SlowMarshal(&r); return err })
}

// BenchmarkMembers takes the event out of its line.
func BenchmarkMembers(b *testing.B) {
	data := []byte(line)
	b.ReportAllocs()
	for b.Loop() {
		if member(data, "e") == nil {
			b.Fatal("no event")
		}
	}
}

// versus measures two ways in turn, so that both see the machine as it is, and
// reports the time of the first, that of the second and their ratio.
func versus(b *testing.B, fast, slow func() error) {
	const turn = 50
	var took [2]time.Duration
	for b.Loop() {
		for i, way := range []func() error{fast, slow} {
			start := time.Now()
			for range turn {
				if err := way(); err != nil {
					b.Fatal(err)
				}
			}
			took[i] += time.Since(start)
		}
	}
	ns := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N) / turn }
	b.ReportMetric(ns(took[0]), "ns/op")
	b.ReportMetric(ns(took[1]), "slow-ns/op")
	b.ReportMetric(float64(took[1])/float64(took[0]), "slow/fast")
}
