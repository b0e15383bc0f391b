package verify_test

import (
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// tiny returns a run with nothing in it that need not be there: one that failed
// before its first step.
func tiny() *testbundle.Run {
	r := demo()
	none := []string{}
	r.Lock["locks"], r.Lock["variables"] = []M{}, M{}
	for name := range r.Lock["env"].(M) {
		r.Lock["env"].(M)[name] = M{}
	}
	r.Pipeline["tools"], r.Pipeline["locks"], r.Pipeline["env"], r.Pipeline["rng"] = none, none, none, nil
	r.Pipeline["steps"] = []M{{"id": "b", "needs": none, "run": []string{"b"}, "inputs": none, "outputs": none}}
	r.Params["params"] = []M{}
	r.Outcome, r.Outputs = "failed", map[string]string{}
	seed, producer := M{"seed": nil}, r.Events[0]["code"]
	r.Events = []M{
		{"action": "run.start", "code": producer, "rng": seed},
		{"action": "run.end", "code": producer, "rng": seed, "status": "failed"},
		{"action": "trail.close", "code": producer, "rng": seed},
	}
	return r
}

// each calls try with every number below n, on all processors.
func each(n int, try func(i int)) {
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			for i := w; i < n; i += workers {
				try(i)
			}
		})
	}
	wait.Wait()
}

// No bit of any file of a bundle can be flipped, and no file be cut, without
// being found.
func TestEveryBitCounts(t *testing.T) {
	sample, first := os.Getenv("RELSEAL_WHOLE") == "", rand.IntN(97) // one bit of every third byte, another third in each run
	o := verify.Options{Keys: damage{}.trusted(t)}
	files := tiny().Seal()
	if r, err := verify.Bytes(files.Tar(), o); err != nil || !r.Valid {
		t.Fatalf("%v\n%s", err, r.Summary())
	}
	for _, path := range files.Paths() {
		good := files[path]
		try := func(what string, at int, data []byte) {
			r, err := verify.Bytes(set(files, path, data).Tar(), o)
			if r == nil || r.Verdict != verify.Reject || len(r.Diag.Findings) == 0 {
				t.Errorf("%s: %s %d: %v, %v", path, what, at, r, err)
			}
		}
		each(8*len(good), func(bit int) {
			if sample && (bit/8%3 != first%3 || bit%8 != bit/8%8) {
				return
			}
			data := append([]byte{}, good...)
			data[bit/8] ^= 1 << (bit % 8)
			try("bit", bit, data)
		})
		each(len(good), func(n int) {
			if !sample || n%3 == first%3 {
				try("cut to", n, good[:n])
			}
		})
	}
	tar := files.Tar()
	each(len(tar), func(n int) {
		if sample && n%97 != first {
			return
		}
		if r, err := verify.Bytes(tar[:n], o); err != nil || r.Verdict != verify.Reject || len(r.Diag.Findings) == 0 {
			t.Errorf("the first %d bytes of the tar: %v, %v", n, r, err)
		}
	})
}
