package bundle

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
)

// A gatekeeper decides which files a source lets out and reports the others.
// All sources ask the same one, so that they answer alike.
type gatekeeper struct {
	report   func(finding.Finding)
	maxBytes int64

	names names
	last  string // the path before
	files int
	bytes int64
	ext   int64 // bytes under sig/ext/
	sig   int64 // bytes of the other files under sig/
}

// admit reports whether the next file is let out. An error ends reading.
func (g *gatekeeper) admit(path string, size int64) (bool, error) {
	if err := g.count(); err != nil {
		return false, err
	}
	if size > g.maxBytes-g.bytes {
		return false, limitf("the files have more than %d bytes together", g.maxBytes)
	}
	g.bytes += size
	fault := g.names.add(path)
	if fault == nil {
		fault = g.tooLarge(path, size)
	}
	if fault != nil {
		g.report(fault.Finding())
		return false, nil
	}
	if g.last != "" && compare(g.last, path) > 0 {
		g.report(formatf("the file comes after %s, not before it", g.last).at(path).Finding())
	}
	g.last = path
	return true, nil
}

// refuse reports an entry that is no regular file.
func (g *gatekeeper) refuse(path, text string) error {
	if err := g.count(); err != nil {
		return err
	}
	g.report(formatf("%s", text).at(path).Finding())
	return nil
}

func (g *gatekeeper) count() error {
	g.files++
	if g.files > limits.Files {
		return limitf("more than %d files", limits.Files)
	}
	return nil
}

func (g *gatekeeper) tooLarge(path string, size int64) *Error {
	if most := sizeLimit(path); size > most {
		return limitf("the file has %d bytes, the limit is %d", size, most).at(path)
	}
	if strings.HasPrefix(path, SigExtDir) {
		g.ext += size
		if g.ext > limits.SigExt {
			return limitf("the files under %s have more than %d bytes together", SigExtDir, limits.SigExt).at(path)
		}
	} else if strings.HasPrefix(path, sigDir) {
		g.sig += size
		if g.sig > limits.SigAll {
			return limitf("the files under %s have more than %d bytes together", sigDir, limits.SigAll).at(path)
		}
	}
	return nil
}

// fail turns the error that ends reading into what Next returns from then on: a
// fault of form is reported first.
func (g *gatekeeper) fail(err error) error {
	fault, ok := err.(*Error)
	if !ok {
		return err
	}
	g.report(fault.Finding())
	return fmt.Errorf("%w: %w", ErrBroken, fault)
}
