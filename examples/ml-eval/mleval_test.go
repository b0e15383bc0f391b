package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestPCG32(t *testing.T) {
	// The first numbers that pcg32-demo of the reference implementation prints:
	// seed 42, stream 54.
	r := newPCG32(42, 54)
	for i, want := range []uint32{0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e} {
		if got := r.next(); got != want {
			t.Errorf("number %d is %#x, want %#x", i, got, want)
		}
	}
}

func TestSeed(t *testing.T) {
	for text, ok := range map[string]bool{
		"0": true, "42": true, "18446744073709551615": true,
		"": false, "18446744073709551616": false, "-1": false, "042": false, "+42": false, "0x2a": false, "4_2": false,
	} {
		if seed, err := parseSeed(text); (err == nil) != ok || ok && fmt.Sprint(seed) != text {
			t.Errorf("%q: %d, %v", text, seed, err)
		}
	}
}

// TestBytes: the same bytes on every machine, with any number of processors. A
// machine that rounds elsewhere, or a change of the program, is found here.
func TestBytes(t *testing.T) {
	want := map[string]string{
		"ref": "4e93f24a4bf28d9fb5593de97282dde4ee109c7b3d9a54da16d4089a01d5fd99",
		"new": "a7a04a4f3eb093281bfc71318229fb39e551b001079b6e203840ef7617f5d8f5",
	}
	for _, processors := range []int{1, 3} {
		before := runtime.GOMAXPROCS(processors)
		for command, sum := range want {
			if got := fmt.Sprintf("%x", sha256.Sum256([]byte(output(t, command, "-seed", "42")))); got != sum {
				t.Errorf("%s with %d processors has the SHA-256 %s, want %s", command, processors, got, sum)
			}
		}
		runtime.GOMAXPROCS(before)
	}
}

// TestFit: the weights are the two that made the signal, and about zero.
func TestFit(t *testing.T) {
	want := [order]float64{poleA, poleB}
	for i, w := range fit(signal(42)[:train]) {
		if math.Abs(w-want[i]) > 0.05 { // three times the error that 4096 samples leave
			t.Errorf("weight %d is %v, want about %v", i, w, want[i])
		}
	}
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const top = "ts,tau_mono,y\n"
	ref := file("ref.csv", top+"10.0,0.0,3.0\n10.1,0.1,-4.0\n")
	for _, c := range []struct{ name, csv, want string }{
		{"same", top + "20.0,0.0,3.0\n20.1,0.1,-4.0\n", "0.000000000\n"},
		{"other", top + "10.0,0.0,3.3\n10.1,0.1,-4.4\n", "0.100000000\n"}, // 0.5 / 5
		{"times", top + "10.0,0.0,3.0\n10.1,0.2,-4.0\n", "different sample times"},
		{"short", top + "10.0,0.0,3.0\n", "different sample times"},
		{"columns", "tau_mono,ts,y\n", "columns"},
		{"text", top + "10.0,0.0,NaN\n10.1,0.1,-4.0\n", "line 2: y is"},
	} {
		var out strings.Builder
		err := run([]string{"report", ref, file(c.name+".csv", c.csv)}, &out, io.Discard)
		if got := out.String(); got != c.want && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	empty := file("empty.csv", top)
	if err := run([]string{"report", empty, empty}, io.Discard, io.Discard); err == nil {
		t.Error("two series without samples differ by nothing")
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{"", "old", "ref", "ref -seed x", "new -seed 1 more", "report one.csv"} {
		if err := run(strings.Fields(args), io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestFixed(t *testing.T) {
	for v, want := range map[int64]string{0: "0.000", 7: "0.007", -7: "-0.007", 1234567: "1234.567", -1000: "-1.000"} {
		if got := fixed(v, 3); got != want {
			t.Errorf("%d: %s, want %s", v, got, want)
		}
	}
	if got := decimal(-1e-12); got != "0.000000000" {
		t.Errorf("a little below zero is %s", got)
	}
}

// What the cards say is what the program does.
func TestCards(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	params := read("cards/params.yaml")
	for _, want := range []string{
		fmt.Sprintf(`{name: rate, value: %d,`, rate),
		fmt.Sprintf(`{name: train, value: %d,`, train),
		fmt.Sprintf(`{name: samples, value: %d,`, samples),
		fmt.Sprintf(`{name: pole_a, value: "%v",`, poleA),
		fmt.Sprintf(`{name: pole_b, value: "%v",`, poleB),
		fmt.Sprintf(`{name: order, value: %d,`, order),
		fmt.Sprintf(`{name: ridge, value: "%v",`, ridge),
		fmt.Sprintf(`{name: weight_bits, value: %d,`, weightBits),
		fmt.Sprintf(`{name: value_steps, value: %d,`, valueSteps),
		fmt.Sprintf(`{name: jitter, value: %d,`, jitter),
		fmt.Sprintf(`{name: skew, value: %d,`, skewPPM),
	} {
		if !strings.Contains(params, want) {
			t.Errorf("cards/params.yaml does not say %s", want)
		}
	}

	// The card's seed is the one that its steps pass on.
	pipeline := read("cards/pipeline.yaml")
	_, rest, _ := strings.Cut(pipeline, `rng: {family: pcg32, seed: "`)
	seed, _, ok := strings.Cut(rest, `"`)
	steps, passed := strings.Count(pipeline, "[out/mleval, ref,")+strings.Count(pipeline, "[out/mleval, new,"), strings.Count(pipeline, fmt.Sprintf(`-seed, "%s"]`, seed))
	if !ok || steps != 3 || passed != steps {
		t.Errorf("cards/pipeline.yaml: %d of %d steps pass on the seed %q", passed, steps, seed)
	}
}

func output(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(args, &out, io.Discard); err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return out.String()
}
