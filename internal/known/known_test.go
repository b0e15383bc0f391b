package known

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

var h0 = sign.Sum([]byte("genesis"))

func head(k int64) release.Head {
	return release.Head{H0: h0, K: k, HK: sign.Sum([]byte{byte(k)})}
}

// The state never goes back, whoever is last to write.
func TestState(t *testing.T) {
	s := State(filepath.Join(t.TempDir(), "not yet there"))
	if h, err := s.Head(h0); h != nil || err != nil {
		t.Fatalf("%+v %v", h, err)
	}
	var all sync.WaitGroup
	for k := int64(1); k <= 20; k++ {
		all.Go(func() {
			if err := s.Keep(context.Background(), head(k)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := s.Keep(context.Background(), head(3)); err != nil {
		t.Fatal(err)
	}
	h, err := s.Head(h0)
	if err != nil || h.K != 20 || h.HK != head(20).HK || *h.H0 != h0 || h.Source.Kind != release.KnownState {
		t.Errorf("%+v %v", h, err)
	}
	if h, err := s.Head(sign.Sum([]byte("another"))); h != nil || err != nil {
		t.Errorf("%+v %v", h, err)
	}
	// What is damaged is no memory, and no reason to go on without one.
	for _, data := range []string{"", "junk\n", "{}\n"} {
		if err := os.WriteFile(s.File(h0), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Head(h0); err == nil {
			t.Errorf("%q was read", data)
		}
		if err := s.Keep(context.Background(), head(30)); err == nil {
			t.Errorf("%q was overwritten", data)
		}
	}
	if err := Write(s.File(h0), release.Head{H0: head(1).HK, K: 1, HK: h0}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Head(h0); err == nil || !strings.Contains(err.Error(), "the head of another ledger") {
		t.Errorf("%v", err)
	}
}

func TestWord(t *testing.T) {
	d := head(7).HK.String()
	if h, err := Parse("7:" + d); err != nil || len(h) != 1 || h[0].K != 7 || h[0].HK != head(7).HK || h[0].H0 != nil {
		t.Errorf("%+v %v", h, err)
	}
	for _, arg := range []string{"07:" + d, "-1:" + d, "+1:" + d, "7:" + d[:20], "7", ":" + d, d, ""} {
		if h, err := Parse(arg); err == nil {
			t.Errorf("%q is %+v", arg, h)
		}
	}
}

// A bundle pins the head of its ledger; a directory knows what those of a product do.
func TestBundles(t *testing.T) {
	vectors := "../../testdata/vectors"
	heads, err := Parse(filepath.Join(vectors, "good-stable.tar.zst"))
	if err != nil || len(heads) != 1 || heads[0].K == 0 || heads[0].Source.Kind != release.KnownBundle {
		t.Fatalf("%+v %v", heads, err)
	}
	if _, err := Parse(filepath.Join(vectors, "good-audit.tar.zst")); err == nil {
		t.Error("an audit bundle knows a ledger")
	}
	data, err := os.ReadFile(filepath.Join(vectors, "good-stable.tar.zst"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"a.release.tar.zst": data, "cut.release.tar.zst": data[:100], "b.tar": data} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var skipped []string
	skip := func(name string, _ error) { skipped = append(skipped, filepath.Base(name)) }
	if heads, err := Dir(dir, "demo", h0, skip); err != nil || len(heads) != 1 || strings.Join(skipped, " ") != "cut.release.tar.zst" {
		t.Errorf("%+v %v %q", heads, err, skipped)
	}
	if heads, err := Dir(dir, "other", h0, skip); err != nil || len(heads) != 0 {
		t.Errorf("of another product: %+v %v", heads, err)
	}
	if heads, err := Dir(filepath.Join(dir, "none"), "demo", h0, skip); err != nil || len(heads) != 0 {
		t.Errorf("of no directory: %+v %v", heads, err)
	}
}
