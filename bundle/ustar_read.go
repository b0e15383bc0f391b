package bundle

import "io"

// tarReader reads a canonical tar, one file after the other. Its errors are
// *Error for what is wrong with the tar; others come from the reader below.
type tarReader struct {
	r    io.Reader
	path string // of the current file
	left int64  // bytes of it that were not read yet
	pad  int64  // zero bytes after it
}

// next goes to the next file. It returns io.EOF after the last one, when both
// zero blocks were there and nothing behind them.
func (t *tarReader) next() (path string, size int64, err error) {
	if err := t.finish(); err != nil {
		return "", 0, err
	}
	var h block
	if err := t.fill(h[:], "the tar ends without its two zero blocks"); err != nil {
		return "", 0, err
	}
	if h == (block{}) {
		return "", 0, t.end()
	}
	path, size, fault := parseHeader(h)
	if fault != nil {
		return "", 0, fault
	}
	t.path, t.left, t.pad = path, size, padding(size)
	return path, size, nil
}

// finish reads what is left of the current file and the zero bytes after it.
func (t *tarReader) finish() error {
	if _, err := io.Copy(io.Discard, t); err != nil {
		return err
	}
	var b block
	zeros := b[:t.pad]
	if err := t.fill(zeros, "the tar is truncated"); err != nil {
		return err
	}
	if b != (block{}) {
		return formatf("the padding after the file is not zero").at(t.path)
	}
	t.path, t.pad = "", 0
	return nil
}

// end checks that the second zero block follows and that nothing follows it.
func (t *tarReader) end() error {
	var h block
	if err := t.fill(h[:], "the tar ends with one zero block, not two"); err != nil {
		return err
	}
	if h != (block{}) {
		return formatf("a zero block stands in the middle of the tar")
	}
	switch n, err := io.ReadFull(t.r, h[:1]); {
	case n > 0:
		return formatf("bytes follow the end of the tar")
	default:
		return err // io.EOF
	}
}

// fill reads len(p) bytes. atEnd says what is wrong where there are none.
func (t *tarReader) fill(p []byte, atEnd string) error {
	_, err := io.ReadFull(t.r, p)
	switch {
	case err == io.ErrUnexpectedEOF:
		return formatf("the tar is truncated").at(t.path)
	case err == io.EOF:
		return formatf("%s", atEnd).at(t.path)
	}
	return err
}

// Read reads from the current file.
func (t *tarReader) Read(p []byte) (int, error) {
	if t.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > t.left {
		p = p[:t.left]
	}
	n, err := t.r.Read(p)
	t.left -= int64(n)
	switch {
	case err == io.EOF && t.left > 0:
		return n, formatf("the tar is truncated").at(t.path)
	case err == io.EOF:
		err = nil // the next call says so
	}
	return n, err
}
