package bundle

import (
	"bufio"
	"errors"
	"io"

	"github.com/relseal/relseal/finding"
)

var errStale = errors.New("the body of an entry was read after Next")

// stream is the Source of a tar, zstd around it or not.
type stream struct {
	keeper  gatekeeper
	in      *bufio.Reader
	tar     *tarReader // nil before the first Next
	closers []func() error
	turn    int // number of calls of Next, so that a body knows when it is over
	err     error
}

func newStream(r io.Reader, close func() error, maxBytes int64, report func(finding.Finding)) *stream {
	s := &stream{in: bufio.NewReaderSize(r, 64<<10), keeper: gatekeeper{report: report, maxBytes: maxBytes}}
	if close != nil {
		s.closers = append(s.closers, close)
	}
	return s
}

func (s *stream) Next() (*Entry, error) {
	s.turn++
	if s.err == nil && s.tar == nil {
		s.end(s.start())
	}
	for s.err == nil {
		path, size, err := s.tar.next()
		if err != nil {
			s.end(err)
			break
		}
		ok, err := s.keeper.admit(path, size)
		s.end(err)
		if ok {
			return &Entry{Path: path, Size: size, Body: &body{s: s, turn: s.turn}}, nil
		}
	}
	return nil, s.err
}

// start looks at the first bytes and puts the readers together.
func (s *stream) start() error {
	head, err := s.in.Peek(262)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case len(head) == 0:
		return formatf("the file is empty")
	case len(head) >= 4 && string(head[:4]) == zstdMagic:
		z, err := newUnzstd(s.in)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, z.Close)
		s.tar = &tarReader{r: bufio.NewReaderSize(z, 64<<10)}
	case len(head) >= 4 && string(head[1:4]) == "\x2a\x4d\x18" && head[0]&0xf0 == 0x50:
		return formatf("a skippable zstd frame comes first")
	case len(head) == 262 && string(head[257:]) == "ustar":
		s.tar = &tarReader{r: s.in}
	default:
		return formatf("neither a ustar archive nor one in a zstd frame")
	}
	return nil
}

// end ends reading, if err is not nil.
func (s *stream) end(err error) {
	if err != nil && s.err == nil {
		s.err = s.keeper.fail(err)
	}
}

func (s *stream) Close() error {
	if s.err == nil {
		s.err = errors.New("the bundle is closed")
	}
	var errs []error
	for _, close := range s.closers {
		errs = append(errs, close())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// body reads the current file of a stream.
type body struct {
	s    *stream
	turn int
}

func (b *body) Read(p []byte) (int, error) {
	s := b.s
	if s.turn != b.turn {
		return 0, errStale
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.tar.Read(p)
	if err != nil && err != io.EOF {
		s.end(err)
		err = s.err
	}
	return n, err
}
