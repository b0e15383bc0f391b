package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// The bundles whose every byte is changed in turn: small ones, since each change
// is one verification.
var small = []string{"good-audit.tar.zst", "good-release.tar.zst"}

// TestEveryByteOfEveryFile changes one bit of every byte of every file of an
// unpacked bundle, or of a sample of the bytes. There is none that does not matter.
func TestEveryByteOfEveryFile(t *testing.T) {
	eachSmall(t, func(t *testing.T, bundle string, trusted sign.Verifiers) {
		_, files := read(t, bundle)
		dir := filepath.Join(t.TempDir(), "b")
		lay(t, dir, files)
		if verdict := judge(t, dir, trusted); verdict != verify.Verified {
			t.Fatalf("%s before any change", verdict)
		}
		sampled := every(t, 9)
		for _, path := range files.Paths() {
			f := open(t, filepath.Join(dir, filepath.FromSlash(path)))
			eachByte(t, f, files[path], sampled, func(i int) {
				if verdict := judge(t, dir, trusted); verdict != verify.Reject {
					t.Errorf("%s with byte %d of %s changed", verdict, i, path)
				}
			})
		}
	})
}

// TestEveryByteOfTheTar changes the tar and cuts it off, also just before, at and
// after the end of each block.
func TestEveryByteOfTheTar(t *testing.T) {
	eachSmall(t, func(t *testing.T, bundle string, trusted sign.Verifiers) {
		tar, _ := read(t, bundle)
		name := filepath.Join(t.TempDir(), "b.tar")
		if err := os.WriteFile(name, tar, 0o644); err != nil {
			t.Fatal(err)
		}
		if verdict := judge(t, name, trusted); verdict != verify.Verified {
			t.Fatalf("%s before any change", verdict)
		}
		f := open(t, name)
		eachByte(t, f, tar, every(t, 9), func(i int) {
			if verdict := judge(t, name, trusted); verdict != verify.Reject {
				t.Errorf("%s with byte %d changed", verdict, i)
			}
		})
		sampled := every(t, 97)
		atBlock := func(n int) bool { return (n+1)%512 < 3 }
		eachPrefix(t, f, len(tar), func(n int) bool { return atBlock(n) || sampled(n) }, func(n int) {
			if verdict := judge(t, name, trusted); verdict != verify.Reject {
				t.Errorf("%s of the first %d bytes of %d", verdict, n, len(tar))
			}
		})
	})
}

// every takes each nth position, others in each run; with RELSEAL_WHOLE=1 it takes all.
// Of an odd n all eight bits have their turn.
func every(t *testing.T, n int) func(i int) bool {
	if whole {
		return func(int) bool { return true }
	}
	first := chance(t).IntN(n)
	return func(i int) bool { return i%n == first }
}

// TestEveryByteOfTheZstd: zstd is transport, so some bits of it say nothing. A
// change is rejected or makes no difference to the tar.
func TestEveryByteOfTheZstd(t *testing.T) {
	eachSmall(t, func(t *testing.T, bundle string, trusted sign.Verifiers) {
		packed, err := os.ReadFile(bundle)
		if err != nil {
			t.Fatal(err)
		}
		tar := unzstd(t, packed)
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		name := filepath.Join(t.TempDir(), "b.tar.zst")
		if err := os.WriteFile(name, packed, 0o644); err != nil {
			t.Fatal(err)
		}
		f := open(t, name)
		eachByte(t, f, packed, every(t, 3), func(i int) {
			switch verdict := judge(t, name, trusted); verdict {
			case verify.Reject:
			case verify.Verified:
				changed := bytes.Clone(packed)
				changed[i] ^= bit(i)
				if again, err := z.DecodeAll(changed, nil); err != nil || !bytes.Equal(again, tar) {
					t.Errorf("VERIFIED with byte %d changed, and it is not the same tar (%v)", i, err)
				}
			default:
				t.Errorf("%s with byte %d changed", verdict, i)
			}
		})
		eachPrefix(t, f, len(packed), every(t, 9), func(n int) {
			if verdict := judge(t, name, trusted); verdict != verify.Reject {
				t.Errorf("%s of the first %d bytes of %d", verdict, n, len(packed))
			}
		})
	})
}

func eachSmall(t *testing.T, test func(t *testing.T, bundle string, trusted sign.Verifiers)) {
	if testing.Short() {
		t.Skip("-short: verifies a bundle once for each of its bytes")
	}
	t.Parallel()
	trusted, err := keys.LoadTrusted([]string{vectors + "/keys/release.pub"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range small {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, filepath.Join(vectors, name), trusted)
		})
	}
}

// judge returns the verdict about a bundle. A panic is a fault like others, and
// says at which change it was.
func judge(t *testing.T, name string, trusted sign.Verifiers) (verdict verify.Verdict) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			verdict = verify.Verdict(fmt.Sprintf("panic: %v\n%s\n", r, debug.Stack()))
		}
	}()
	r, err := verify.File(t.Context(), name, verify.Options{Keys: trusted})
	if r == nil {
		return verify.Verdict(err.Error())
	}
	return r.Verdict
}

func open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// bit is the one that is changed in byte i: over eight bytes, each.
func bit(i int) byte { return 1 << (i % 8) }

// eachByte changes the bytes of a file in turn, and back.
func eachByte(t *testing.T, f *os.File, data []byte, try func(i int) bool, look func(i int)) {
	t.Helper()
	if len(data) == 0 {
		t.Errorf("%s is empty: no byte to change", f.Name())
	}
	for i, b := range data {
		if !try(i) {
			continue
		}
		_, err := f.WriteAt([]byte{b ^ bit(i)}, int64(i))
		if err == nil {
			look(i)
			_, err = f.WriteAt([]byte{b}, int64(i))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(io.NewSectionReader(f, 0, int64(len(data))+1))
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%s is not what it was (%v)", f.Name(), err)
	}
}

// eachPrefix cuts a file shorter and shorter, down to nothing.
func eachPrefix(t *testing.T, f *os.File, size int, try func(n int) bool, look func(n int)) {
	t.Helper()
	for n := size - 1; n >= 0; n-- {
		if !try(n) {
			continue
		}
		if err := f.Truncate(int64(n)); err != nil {
			t.Fatal(err)
		}
		look(n)
	}
}
