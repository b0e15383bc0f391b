package bundle

import (
	"encoding/binary"
	"io"

	"github.com/relseal/relseal/internal/limits"
)

// zstdMagic starts a zstd frame (RFC 8878, section 3.1.1).
const zstdMagic = "\x28\xb5\x2f\xfd"

// zstdBlock is the most that one block may hold, packed or not.
const zstdBlock = 128 * limits.KiB

// The bits of a frame header's descriptor. Two more at either end give the
// sizes of the content size and of the dictionary id.
const (
	zstdSingleSegment = 1 << 5
	zstdUnused        = 1 << 4
	zstdReserved      = 1 << 3
	zstdChecksum      = 1 << 2
)

// A frame is a reader that lets exactly one zstd frame through. Decoders skip
// skippable frames, go on with a second frame and take a frame without checksum;
// all of these give one bundle two encodings that readers tell apart, so frame
// walks headers and blocks itself, before a decoder sees them.
type frame struct {
	r io.Reader

	state  func(*frame) error // reads the next part into ready, or its size into verbatim
	ready  []byte             // read and checked, not passed on yet
	direct int64              // bytes to pass on as they are, after ready
	err    error              // io.EOF after a good frame; it stays

	size     int64 // of the content, if declared, else -1
	blockMax int64
	passed   int64 // bytes that went through
	buf      [18]byte
}

func newFrame(r io.Reader) *frame { return &frame{r: r, state: (*frame).start, size: -1} }

func (f *frame) Read(p []byte) (n int, err error) {
	for len(f.ready) == 0 && f.direct == 0 && f.err == nil {
		f.err = f.state(f)
	}
	switch {
	case len(f.ready) > 0:
		n = copy(p, f.ready)
		f.ready = f.ready[n:]
	case f.err != nil:
		return 0, f.err
	default:
		n, err = f.r.Read(p[:min(int64(len(p)), f.direct)])
		f.direct -= int64(n)
		if err == io.EOF {
			err = nil
			if f.direct > 0 {
				err = errFrameCut()
			}
		}
		f.err = err
	}
	f.passed += int64(n)
	return n, f.err
}

func errFrameCut() error { return formatf("the zstd frame is truncated") }

// take reads the next n bytes into ready and returns them.
func (f *frame) take(n int) ([]byte, error) {
	from := len(f.ready)
	f.ready = f.buf[:from+n]
	_, err := io.ReadFull(f.r, f.ready[from:])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errFrameCut()
	}
	if err != nil {
		f.ready = nil
	}
	return f.buf[from : from+n], err
}

// start reads the frame header (RFC 8878, section 3.1.1.1).
func (f *frame) start() error {
	magic, err := f.take(5)
	if err != nil {
		return err
	}
	descriptor := magic[4]
	single := descriptor&zstdSingleSegment != 0
	switch {
	case string(magic[:4]) != zstdMagic:
		return f.refuse("not a zstd frame")
	case descriptor&(zstdReserved|zstdUnused) != 0:
		return f.refuse("a reserved bit of the zstd frame header is set")
	case descriptor&3 != 0:
		return f.refuse("the zstd frame names a dictionary")
	}
	var window uint64
	if !single {
		b, err := f.take(1)
		if err != nil {
			return err
		}
		window = 1 << (10 + b[0]>>3)
		window += window / 8 * uint64(b[0]&7)
	}
	size, declared, err := f.contentSize(descriptor>>6, single)
	if err != nil {
		return err
	}
	if single {
		window = size
	}
	switch {
	case window > limits.ZstdWindow:
		f.ready = nil
		return limitf("the zstd frame needs a window of %d bytes, the limit is %d", window, limits.ZstdWindow)
	case declared && size > uint64(limits.Bundle):
		f.ready = nil
		return limitf("the zstd frame declares %d bytes, the limit is %d", size, limits.Bundle)
	case descriptor&zstdChecksum == 0:
		return f.refuse("the zstd frame has no content checksum")
	}
	if declared {
		f.size = int64(size)
	}
	f.blockMax = min(int64(window), zstdBlock)
	f.state = (*frame).block
	return nil
}

// contentSize reads the size of the content that the header declares, if any.
func (f *frame) contentSize(flag byte, single bool) (size uint64, declared bool, err error) {
	if flag == 0 && !single {
		return 0, false, nil
	}
	b, err := f.take(1 << flag)
	if err != nil {
		return 0, false, err
	}
	switch flag {
	case 0:
		size = uint64(b[0])
	case 1:
		size = uint64(binary.LittleEndian.Uint16(b)) + 256
	case 2:
		size = uint64(binary.LittleEndian.Uint32(b))
	default:
		size = binary.LittleEndian.Uint64(b)
	}
	return size, true, nil
}

// The types of a block.
const (
	zstdRaw = iota
	zstdRLE
	zstdCompressed
	zstdReservedType
)

// block reads the header of a block (RFC 8878, section 3.1.1.2).
func (f *frame) block() error {
	b, err := f.take(3)
	if err != nil {
		return err
	}
	h := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
	last, kind, size := h&1 != 0, h>>1&3, h>>3
	if kind == zstdReservedType {
		return f.refuse("a zstd block has a reserved type")
	}
	if size > f.blockMax {
		f.ready = nil
		return formatf("a zstd block has %d bytes, the limit is %d", size, f.blockMax)
	}
	f.direct = size
	if kind == zstdRLE {
		f.direct = 1 // repeated size times
	}
	if last {
		f.state = (*frame).checksum
	}
	return nil
}

// checksum lets the checksum through, which the decoder compares.
func (f *frame) checksum() error {
	f.state = (*frame).end
	_, err := f.take(4)
	return err
}

// end checks that nothing follows.
func (f *frame) end() error {
	n, err := io.ReadFull(f.r, f.buf[:1])
	if n > 0 {
		return formatf("bytes follow the zstd frame")
	}
	return err // io.EOF
}

func (f *frame) refuse(text string) error {
	f.ready = nil
	return formatf("%s", text)
}
