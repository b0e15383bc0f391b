package bundle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
)

// unpack reads a zstd frame through the same reader as a bundle.
func unpack(data []byte) ([]byte, error) {
	z, err := newUnzstd(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return io.ReadAll(z)
}

func TestZstdRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 511, 1 << 16, 128<<10 - 1, 128 << 10, 1 << 20, 9 << 20} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i * i >> 7)
		}
		packed := zstdOf(t, data)
		if got, err := unpack(packed); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %d bytes back, %v", n, len(got), err)
		}
		if again := zstdOf(t, data); !bytes.Equal(again, packed) {
			t.Errorf("%d bytes: packed differently the second time", n)
		}
	}
}

// Every bit of the frame flipped: a finding or the identical tar.
func TestZstdMutations(t *testing.T) {
	good := zstdOf(t, tarOf(small...))
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if got := readBytes(t, bad); !got.rejected() {
				got.wantClean(t, small)
			}
		}
	}
}

func TestZstdCut(t *testing.T) {
	long := tarOf(append(small, file{"z", strings.Repeat("0123456789abcdef", 40_000)})...)
	for _, good := range [][]byte{zstdOf(t, tarOf(small...)), zstdOf(t, long)} {
		for n := range good {
			if got := readBytes(t, good[:n]); len(got.findings) != 1 || !errors.Is(got.err, ErrBroken) {
				t.Fatalf("first %d of %d bytes: %v", n, len(good), got)
			}
		}
	}
}

// rawFrame builds a frame of raw blocks by hand: descriptor, what follows it in
// the header, blocks, checksum.
func rawFrame(descriptor byte, header []byte, checksum []byte, blocks ...[]byte) []byte {
	b := append([]byte(zstdMagic), descriptor)
	b = append(b, header...)
	for i, data := range blocks {
		h := uint32(len(data)) << 3
		if i == len(blocks)-1 {
			h |= 1
		}
		b = append(b, byte(h), byte(h>>8), byte(h>>16))
		b = append(b, data...)
	}
	return append(b, checksum...)
}

// sumOf returns the content checksum of data, as a good frame ends with it.
func sumOf(t *testing.T, data []byte) []byte {
	packed := zstdOf(t, data)
	return packed[len(packed)-4:]
}

func TestZstdFrames(t *testing.T) {
	tar := tarOf(small[0])
	sum := sumOf(t, tar)
	good := zstdOf(t, tar)
	size8 := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
	var plain bytes.Buffer
	w, err := zstd.NewWriter(&plain, zstd.WithEncoderCRC(false))
	if err == nil {
		_, err = w.Write(tar)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	skippable := append([]byte("\x53\x2a\x4d\x18"), 3, 0, 0, 0, 'a', 'b', 'c')
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

	for _, c := range []struct {
		name string
		data []byte
		want string // "" for a frame that is accepted
	}{
		{"window 1 KiB", rawFrame(4, []byte{0}, sum, tar[:1024], tar[1024:]), ""},
		{"window 8 MiB", rawFrame(4, []byte{13 << 3}, sum, tar), ""},
		{"empty blocks", rawFrame(4, []byte{13 << 3}, sum, nil, tar, nil, nil), ""},
		{"size declared", rawFrame(4|3<<6, append([]byte{13 << 3}, size8(uint64(len(tar)))...), sum, tar), ""},
		{"single segment", rawFrame(4|1<<5|3<<6, size8(uint64(len(tar))), sum, tar), ""},

		{"window above 8 MiB", rawFrame(4, []byte{13<<3 | 1}, sum, tar), "E_LIMIT : the zstd frame needs a window of 9437184"},
		{"window 3.75 TiB", rawFrame(4, []byte{255}, sum, tar), "E_LIMIT"},
		{"single segment above 8 MiB", rawFrame(4|1<<5|3<<6, size8(8<<20+1), sum, tar), "E_LIMIT"},
		{"size 2^63", rawFrame(4|3<<6, append([]byte{13 << 3}, size8(1<<63)...), sum, tar), "E_LIMIT"},
		{"size unknown to decoders", rawFrame(4|3<<6, append([]byte{13 << 3}, size8(1<<64-1)...), sum, tar), "E_LIMIT"},
		{"size one more", rawFrame(4|3<<6, append([]byte{13 << 3}, size8(uint64(len(tar)+1))...), sum, tar), "number of bytes it declares"},
		{"size one less", rawFrame(4|3<<6, append([]byte{13 << 3}, size8(uint64(len(tar)-1))...), sum, tar), "number of bytes it declares"},
		{"reserved bit", rawFrame(4|1<<3, []byte{0}, sum, tar[:1024], tar[1024:]), "reserved bit"},
		{"unused bit", rawFrame(4|1<<4, []byte{0}, sum, tar[:1024], tar[1024:]), "reserved bit"},
		{"dictionary", rawFrame(4|1, []byte{0, 7}, sum, tar[:1024], tar[1024:]), "dictionary"},
		{"dictionary 0", rawFrame(4|1, []byte{0, 0}, sum, tar[:1024], tar[1024:]), "dictionary"},
		{"no checksum", plain.Bytes(), "no content checksum"},
		{"wrong checksum", rawFrame(4, []byte{13 << 3}, []byte("1234"), tar), "content checksum is wrong"},
		{"block above the window", rawFrame(4, []byte{0}, sum, tar), "a zstd block has 2048 bytes, the limit is 1024"},
		{"block above 128 KiB", rawFrame(4, []byte{13 << 3}, sum, make([]byte, 128<<10+1)), "the limit is 131072"},
		{"reserved block", join([]byte(zstdMagic), []byte{4, 0, 7, 0, 0}, sum), "reserved type"},
		{"repeated byte above 128 KiB", join([]byte(zstdMagic), []byte{4, 13 << 3, 0x0b, 0, 0x10, 0}, sum), "the limit is 131072"},
		{"garbage block", join([]byte(zstdMagic), []byte{4, 0, 4<<3 | 5, 0, 0}, []byte("abcd"), sum), "corrupt"},
		{"skippable first", join(skippable, good), "skippable zstd frame comes first"},
		{"skippable last", join(good, skippable), "bytes follow the zstd frame"},
		{"skippable alone", skippable, "skippable zstd frame comes first"},
		{"second frame", join(good, good), "bytes follow the zstd frame"},
		{"empty second frame", join(good, zstdOf(t, nil)), "bytes follow the zstd frame"},
		{"one byte more", join(good, []byte{0}), "bytes follow the zstd frame"},
		{"inside another", zstdOf(t, good), "the tar is truncated"},
		{"split over frames", join(zstdOf(t, tar[:1000]), zstdOf(t, tar[1000:])), "bytes follow the zstd frame"},
		{"gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"), "neither"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := readBytes(t, c.data)
			if c.want == "" {
				got.wantClean(t, small[:1])
				return
			}
			got.wantFinding(t, c.want)
		})
	}
}

// Content that is nothing but repetition ends in a finding, after little of it and in
// little memory, however much is claimed.
func TestZstdBomb(t *testing.T) {
	h := header("artifacts/zeros", 8<<30-1)
	var b bytes.Buffer
	b.WriteString(zstdMagic)
	b.Write([]byte{4, 13 << 3})
	b.Write([]byte{0x00, 0x10, 0}) // a raw block of 512 bytes
	b.Write(h[:])
	for range 8 << 13 { // 8 GiB in 256 KiB
		b.Write([]byte{0x02, 0, 0x10, 0}) // 128 KiB of one byte
	}
	before := heapInUse()
	var peak uint64
	var findings []string
	src := NewReader(&b, func(f finding.Finding) { findings = append(findings, describe(f)) })
	defer src.Close()
	e, err := src.Next()
	if err != nil {
		t.Fatal(err, findings)
	}
	n, err := io.Copy(io.Discard, readerFunc(func(p []byte) (int, error) {
		peak = max(peak, heapInUse())
		return e.Body.Read(p)
	}))
	if !errors.Is(err, ErrBroken) || len(findings) != 1 || !strings.Contains(findings[0], "E_LIMIT") {
		t.Errorf("%v, findings %q", err, findings)
	}
	if n > 2*limits.ExpandFree {
		t.Errorf("read %d MiB of it", n>>20)
	}
	if peak > before+64<<20 {
		t.Errorf("took %d MiB", (peak-before)>>20)
	}
}

// readerFunc hides the other methods of a reader and is asked for 1 MiB at a time.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (f readerFunc) WriteTo(w io.Writer) (int64, error) {
	buf := make([]byte, 1<<20)
	var n int64
	for {
		k, err := f(buf)
		n += int64(k)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// What the writer lets pass, the reader does: at the limit, too.
func TestZstdExpansionAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("packs 600 MiB")
	}
	var b bytes.Buffer
	w, err := newZstdWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 32<<10)
	written := int64(0)
	for err == nil && written < 600<<20 {
		_, err = w.Write(chunk)
		written += int64(len(chunk))
	}
	if err == nil {
		t.Fatalf("%d MiB of zeros were packed into %d bytes", written>>20, b.Len())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// One chunk was too many, so the frame without a reader's last step passes.
	z, err := newUnzstd(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	n, err := io.CopyN(io.Discard, z, written-1<<20)
	if err != nil {
		t.Errorf("the writer packed %d bytes and the reader stopped after %d: %v", written, n, err)
	}
}

// Whatever the walker lets through is one frame that the reference rules accept,
// and a reader of zstd that knows nothing of us gets the same bytes.
func FuzzZstd(f *testing.F) {
	tar := tarOf(small...)
	f.Add(zstdOf(f, tar))
	f.Add(zstdOf(f, nil))
	f.Add(rawFrame(4, []byte{0}, []byte("1234"), []byte("abc"), nil))
	f.Add(append(zstdOf(f, tar), zstdOf(f, tar)...))
	addArchives(f, "zst-*")
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := unpack(data)
		if err != nil {
			var fault *Error
			if !errors.As(err, &fault) {
				t.Errorf("error %v is no fault of form", err)
			}
			return
		}
		want, err := dec.DecodeAll(data, nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("accepted; another decoder says %v", err)
		}
	})
}
