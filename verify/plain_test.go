package verify_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

// TestPlainAgrees verifies every vector with and without short cuts, by any number
// of workers, with files read ahead and hashed beside it and without: the bytes of
// the report are the same.
func TestPlainAgrees(t *testing.T) {
	files, err := filepath.Glob(vectorDir + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		v := readVector(t, file)
		if v.Expect.Error != "" {
			continue // of the keys: nothing is verified
		}
		var names []string
		for _, k := range v.Keys {
			names = append(names, filepath.Join(vectorDir, k))
		}
		trusted, err := keys.LoadTrusted(names)
		if err != nil {
			t.Fatal(err)
		}
		report := func(plain bool, workers int, large int64) []byte {
			defer verify.SetLarge(large)()
			o := verify.Options{Keys: trusted, Strict: v.Strict}
			if v.Artifacts != "" {
				if o.Artifacts, err = verify.Dir(filepath.Join(vectorDir, v.Artifacts)); err != nil {
					t.Fatal(err)
				}
			}
			r, err := verify.File(engine.With(context.Background(), engine.Options{Plain: plain, Workers: workers}), filepath.Join(vectorDir, v.Bundle), o)
			if r == nil {
				t.Fatal(err)
			}
			data, err := r.JSON()
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		want := report(true, 1, 1<<20)
		for _, plain := range []bool{false, true} {
			for _, workers := range []int{1, 2, 3, 16} {
				large := int64(workers%2) << 20 // 0: every file
				if got := report(plain, workers, large); !bytes.Equal(got, want) {
					t.Errorf("%s: plain %v, %d workers, large from %d:\n%s\nwant\n%s", v.Bundle, plain, workers, large, got, want)
				}
			}
		}
	}
}
