package bundle

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/relseal/relseal/internal/limits"
)

// zstdWriter packs what is written to it into one zstd frame. The same content
// gives the same frame, as long as the compressor stays the same.
type zstdWriter struct {
	enc    *zstd.Encoder
	size   int64 // bytes written to it
	packed countWriter
}

func newZstdWriter(w io.Writer) (*zstdWriter, error) {
	z := &zstdWriter{packed: countWriter{w: w}}
	var err error
	z.enc, err = zstd.NewWriter(&z.packed,
		zstd.WithEncoderConcurrency(1), // concurrent encoders cut blocks by timing
		zstd.WithEncoderLevel(zstd.SpeedDefault),
		zstd.WithWindowSize(limits.ZstdWindow),
		zstd.WithEncoderCRC(true),
		zstd.WithZeroFrames(true))
	return z, err
}

// Write refuses content that a reader would refuse for its ratio. It counts
// after every chunk, as the reader does, and what the encoder still holds back
// counts against the content.
func (z *zstdWriter) Write(p []byte) (int, error) {
	n, err := z.enc.Write(p)
	z.size += int64(n)
	if err == nil && expands(z.size, z.packed.n) {
		err = fmt.Errorf("the content shrinks to less than 1/%d of its size: a reader would take it for a bomb", limits.Expand)
	}
	return n, err
}

func (z *zstdWriter) Close() error { return z.enc.Close() }

// countWriter counts the bytes that reach w.
type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
