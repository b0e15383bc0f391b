package bundle

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/regular"
)

// dir is the Source of a directory. It is listed when it is opened; each file is
// opened when its turn comes, and must be the one that was listed.
type dir struct {
	root   *os.Root
	keeper gatekeeper
	items  []item
	broken *Error // what ended the listing, if anything did

	file *regular.File // the current one
	turn int
	err  error
}

func openDir(name string, info fs.FileInfo, maxBytes int64, report func(finding.Finding)) (Source, error) {
	root, err := regular.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	d := &dir{root: root, keeper: gatekeeper{report: report, maxBytes: maxBytes}}
	now, err := root.Stat(".")
	if err == nil && !os.SameFile(info, now) {
		err = fmt.Errorf("%s was replaced while it was being opened", name)
	}
	if err == nil {
		d.items, d.broken, err = list(root)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return d, nil
}

func (d *dir) Next() (*Entry, error) {
	d.turn++
	d.closeFile()
	if d.err == nil && d.broken != nil {
		d.end(d.broken)
	}
	for d.err == nil {
		if len(d.items) == 0 {
			d.err = io.EOF
			break
		}
		it := d.items[0]
		d.items = d.items[1:]
		entry, err := d.entry(it)
		d.end(err)
		if entry != nil {
			return entry, nil
		}
	}
	return nil, d.err
}

// entry opens the file of an item. Both results are nil if it is left out.
func (d *dir) entry(it item) (*Entry, error) {
	if it.fault != "" {
		return nil, d.keeper.refuse(it.path, it.fault)
	}
	ok, err := d.keeper.admit(it.path, it.info.Size())
	if !ok || err != nil {
		return nil, err
	}
	f, err := regular.OpenSelfIn(d.root, it.path)
	if _, other := errors.AsType[*regular.KindError](err); other {
		d.changed(it.path)
		return nil, nil
	}
	if err != nil {
		return nil, unlessGone(err)
	}
	there, err := regular.LstatIn(d.root, it.path) // os.Root follows links that stay inside, so a link would not show otherwise
	now, statErr := f.Stat()
	if err = cmp.Or(err, statErr); err != nil {
		f.Close()
		return nil, unlessGone(err)
	}
	if !same(it.info, there) || !same(it.info, now) {
		f.Close()
		d.changed(it.path)
		return nil, nil
	}
	d.file = f
	size := it.info.Size()
	return &Entry{Path: it.path, Size: size, Body: &fileBody{d: d, turn: d.turn, path: it.path, left: size}}, nil
}

// unlessGone returns err, or nil if it says that there is no such file: then it is
// not in the bundle, and what its manifest says of that is judged. Everything else
// (permission, too many open files, a disk that does not answer) is no fault of the
// bundle and says nothing about it.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// same reports whether b describes the regular file that a does, unchanged.
// Systems use the number of a removed file again, so its time is looked at too.
func same(a, b fs.FileInfo) bool {
	return b.Mode().IsRegular() && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// changed reports a file that is not what was listed; it returns what Body says.
func (d *dir) changed(path string) error {
	return d.keeper.fail(formatf("the file changed while the directory was being read").at(path))
}

func (d *dir) end(err error) {
	if err != nil && d.err == nil {
		d.err = d.keeper.fail(err)
	}
}

func (d *dir) closeFile() {
	if d.file != nil {
		d.file.Close()
		d.file = nil
	}
}

func (d *dir) Close() error {
	d.closeFile()
	if d.err == nil {
		d.err = errors.New("the bundle is closed")
	}
	return d.root.Close()
}

// fileBody reads the current file of a directory: as many bytes as were listed,
// and then makes sure that there are no more.
type fileBody struct {
	d    *dir
	turn int
	path string
	left int64
	err  error
}

func (b *fileBody) Read(p []byte) (int, error) {
	switch {
	case b.turn != b.d.turn || b.d.file == nil:
		return 0, errStale
	case b.err != nil:
		return 0, b.err
	case b.left == 0:
		b.err = b.atEnd()
		return 0, b.err
	}
	n, err := b.d.file.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case err == io.EOF && b.left > 0:
		b.err = b.d.changed(b.path)
	case err != io.EOF:
		b.err = err
	}
	return n, b.err
}

func (b *fileBody) atEnd() error {
	var more [1]byte
	n, err := b.d.file.Read(more[:])
	if n > 0 {
		return b.d.changed(b.path)
	}
	return err // io.EOF
}
