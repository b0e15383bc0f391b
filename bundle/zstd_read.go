package bundle

import (
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/relseal/relseal/internal/limits"
)

// unzstd reads the content of one zstd frame, in bounded memory. Its errors are
// *Error for what is wrong with the frame; others come from the reader below.
type unzstd struct {
	frame *frame
	dec   *zstd.Decoder
	size  int64 // bytes read so far
	err   error
}

func newUnzstd(r io.Reader) (*unzstd, error) {
	f := newFrame(r)
	dec, err := zstd.NewReader(f,
		zstd.WithDecoderConcurrency(1), // decodes in Read: no goroutine, no read-ahead
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(limits.ZstdWindow),
		zstd.WithDecoderMaxMemory(limits.ZstdWindow))
	if err != nil {
		return nil, err
	}
	return &unzstd{frame: f, dec: dec}, nil
}

func (z *unzstd) Read(p []byte) (int, error) {
	if z.err != nil {
		return 0, z.err
	}
	n, err := z.dec.Read(p)
	z.size += int64(n)
	switch {
	case err != nil:
		z.err = z.fault(err)
	case expands(z.size, z.frame.passed):
		z.err = limitf("the zstd frame unpacks to more than %d bytes and %d times its size", limits.ExpandFree, limits.Expand)
	}
	return n, z.err
}

// fault says in our words what the decoder's error means.
func (z *unzstd) fault(err error) error {
	switch {
	case z.frame.err != nil && z.frame.err != io.EOF:
		return z.frame.err // the decoder saw what came of it
	case err == io.EOF && z.frame.err == io.EOF && (z.frame.size < 0 || z.frame.size == z.size):
		return io.EOF
	case err == io.EOF, errors.Is(err, zstd.ErrFrameSizeMismatch), errors.Is(err, zstd.ErrFrameSizeExceeded):
		return formatf("the zstd frame does not hold the number of bytes it declares")
	case errors.Is(err, zstd.ErrCRCMismatch):
		return formatf("the zstd content checksum is wrong")
	default:
		return formatf("a zstd block is corrupt")
	}
}

func (z *unzstd) Close() error {
	z.dec.Close()
	return nil
}

// A block of four bytes may stand for 128 KiB, so 4 KiB can claim 128 MiB of a
// reader's time. Up to limits.ExpandFree bytes any ratio passes; above that,
// content may have no more than limits.Expand times the bytes that were read for it.

// expands reports whether size bytes are too many to come from packed.
func expands(size, packed int64) bool { return size-limits.ExpandFree > limits.Expand*packed }
