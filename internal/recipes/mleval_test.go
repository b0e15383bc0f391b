package recipes

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/policyfile"
)

// TestMLEval does what the example's README says, and holds what it says of the
// result.
func TestMLEval(t *testing.T) {
	relseal(t)
	unix(t)
	need(t, "go", "sh")
	dir := copyExample(t, "ml-eval")
	readme := filepath.Join(dir, "README.md")
	e := execute(t, dir, nil, "sh", "-eu", "-c", blocks(t, readme)[0].text)
	if e.code != 0 || !strings.Contains(e.stdout, "\nVERIFIED  release bundle sha256:") {
		t.Fatalf("exit %d\n%s", e.code, e)
	}

	audit := filepath.Join(dir, "dist", "mleval-1.0.0.audit.tar.zst")
	evidence := bundleFiles(t, audit)
	for _, name := range []string{"out/y_ref.csv", "out/y_new.csv", "out/delta_rep.txt"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(evidence["artifacts/"+name], data) {
			t.Errorf("the evidence does not hold %s", name)
		}
	}
	checkSeeds(t, audit)

	ref, got := readSeries(t, evidence["artifacts/out/y_ref.csv"]), readSeries(t, evidence["artifacts/out/y_new.csv"])
	rep := deltaRep(got.y, ref.y)
	if said, want := string(evidence["artifacts/out/delta_rep.txt"]), fmt.Sprintf("%.9f\n", rep); said != want {
		t.Errorf("the report says %q, want %q", said, want)
	}
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	psd, tb := deltaPSD(got.y, ref.y), residual(got.ts, got.tau)
	policy := readPolicy(t, filepath.Join(dir, "gates.yaml"))
	for _, m := range []struct {
		name, said string
		value      float64
		limit      string
	}{
		{"delta_rep", fmt.Sprintf("| %.4f |", rep), rep, string(policy.GateRep)},
		{"delta_psd", fmt.Sprintf("| %.4f |", psd), psd, string(policy.TauPSD.Max)},
		{"r_tb", fmt.Sprintf("| %.0f µs |", tb*1e6), tb, string(policy.TauTB.Max)},
	} {
		limit, err := strconv.ParseFloat(m.limit, 64)
		if err != nil {
			t.Fatal(err)
		}
		// A measure of 0 would show nothing: the two would be one.
		if m.value <= 0 || m.value > limit {
			t.Errorf("%s is %v, want above 0 and at most %s", m.name, m.value, m.limit)
		}
		if !strings.Contains(string(page), m.said) {
			t.Errorf("the README does not give %s as %s", m.name, m.said)
		}
	}
}

// TestMLEvalTests runs the example's own tests.
func TestMLEvalTests(t *testing.T) {
	relseal(t)
	need(t, "go")
	must(t, copyExample(t, "ml-eval"), nil, "go", "test", "-count=1", "./...") // not what an earlier copy came to
}

// TestMLEvalTry does the two things that the end of the README suggests.
func TestMLEvalTry(t *testing.T) {
	relseal(t)
	unix(t)
	need(t, "go")
	dir := copyExample(t, "ml-eval")
	replace(t, filepath.Join(dir, "quantized.go"), "weightBits = 8\n", "weightBits = 4\n")
	must(t, dir, nil, "relseal", "cut", "--new-key", "--version", "1.1.0", ".")
	if said, err := os.ReadFile(filepath.Join(dir, "out", "delta_rep.txt")); err != nil || !strings.HasPrefix(string(said), "0.11") {
		t.Errorf("with weights of 4 bits delta_rep is %q, %v", said, err)
	}

	card := filepath.Join(dir, "cards", "pipeline.yaml")
	data, err := os.ReadFile(card)
	if err != nil {
		t.Fatal(err)
	}
	before, again, _ := strings.Cut(string(data), "- id: again\n")
	again = strings.Replace(again, `-seed, "42"`, `-seed, "43"`, 1)
	if err := os.WriteFile(card, []byte(before+"- id: again\n"+again), 0o644); err != nil {
		t.Fatal(err)
	}
	e := execute(t, dir, nil, "relseal", "cut", "--version", "1.2.0", ".")
	if _, err := os.Stat(filepath.Join(dir, "dist", "mleval-1.2.0.release.tar.zst")); e.code != 2 || !strings.Contains(e.stderr, "E_NONDETERMINISM") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with another seed in the step again: exit %d, %v, want 2 and no release\n%s", e.code, err, e)
	}
}

// unix skips a test where the example does not claim to work.
func unix(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the steps run out/mleval, which on Windows needs an extension")
	}
}

// checkSeeds holds that every event states the card's seed.
func checkSeeds(t *testing.T, bundle string) {
	t.Helper()
	all := events(t, bundle)
	for i, e := range all {
		if e.RNG.Seed != "42" {
			t.Errorf("event %d states the seed %q", i+1, e.RNG.Seed)
		}
	}
	if len(all) != 13 { // five steps with a start and an end, and the run's own three
		t.Errorf("%d events, want 13", len(all))
	}
}

// A series is what the example writes, read by other code than its own.
type series struct{ ts, tau, y []float64 }

func readSeries(t *testing.T, data []byte) series {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) != 1025 || strings.Join(rows[0], ",") != "ts,tau_mono,y" {
		t.Fatalf("%d lines, %v", len(rows), err)
	}
	var s series
	for _, row := range rows[1:] {
		var v [3]float64
		for i, cell := range row {
			if v[i], err = strconv.ParseFloat(cell, 64); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(s.tau); n > 0 && v[1] <= s.tau[n-1] {
			t.Fatalf("line %d: tau_mono does not increase", n+2)
		}
		s.ts, s.tau, s.y = append(s.ts, v[0]), append(s.tau, v[1]), append(s.y, v[2])
	}
	return s
}

func deltaRep(got, ref []float64) float64 {
	var above, below float64
	for i := range ref {
		above += (got[i] - ref[i]) * (got[i] - ref[i])
		below += ref[i] * ref[i]
	}
	return math.Sqrt(above / below)
}

// deltaPSD is the relative L1 distance of the two power spectra; their common
// scale cancels out.
func deltaPSD(got, ref []float64) float64 {
	a, b := power(got), power(ref)
	var above, below float64
	for i := range b {
		above += math.Abs(a[i] - b[i])
		below += b[i]
	}
	return above / below
}

func power(y []float64) []float64 {
	n := len(y)
	s := make([]float64, n/2+1)
	for k := range s {
		var sum complex128
		for i, v := range y {
			sum += complex(v, 0) * cmplx.Rect(1, -2*math.Pi*float64(i*k%n)/float64(n))
		}
		s[k] = real(sum)*real(sum) + imag(sum)*imag(sum)
		if k > 0 && k < n/2 {
			s[k] *= 2 // one-sided
		}
	}
	return s
}

// residual is the rms of ts - (alpha + beta tau) for the least-squares line.
func residual(ts, tau []float64) float64 {
	n := float64(len(ts))
	var x, y float64
	for i := range ts {
		x, y = x+tau[i]/n, y+(ts[i]-ts[0])/n
	}
	var xx, xy, rr float64
	for i := range ts {
		xx += (tau[i] - x) * (tau[i] - x)
		xy += (tau[i] - x) * (ts[i] - ts[0] - y)
	}
	for i := range ts {
		r := ts[i] - ts[0] - y - xy/xx*(tau[i]-x)
		rr += r * r / n
	}
	return math.Sqrt(rr)
}

func readPolicy(t *testing.T, file string) gates.Policy {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := policyfile.Parse(file, data)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}
