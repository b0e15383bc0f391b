package audit

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/regular"
)

// A disk is what a log asks of its file. Tests put faults in between.
type disk interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Size() (int64, error) // an error too if the path no longer names the file
	Lock(ctx context.Context, waiting func(holder string)) (unlock func() error, err error)
	Close() error
}

// errReplaced reports that events would go to a file that nobody sees.
var errReplaced = errors.New("the trail was removed or replaced while it was open")

type osDisk struct {
	*os.File
	abs string
}

// openDisk opens a trail for reading and writing, not for appending: Windows
// cannot cut a file that was opened that way. Writes go to an offset that was
// read under the lock.
func openDisk(path, abs string) (disk, error) {
	f, err := regular.OpenUpdate(path)
	if err != nil {
		return nil, err
	}
	return &osDisk{f, abs}, nil
}

func (d *osDisk) Lock(ctx context.Context, waiting func(holder string)) (func() error, error) {
	return durable.LockFile(ctx, d.File, waiting)
}

func (d *osDisk) Size() (int64, error) {
	same, err := durable.Same(d.File, d.abs)
	if err == nil && !same {
		err = &fs.PathError{Op: "append", Path: d.Name(), Err: errReplaced}
	}
	if err != nil {
		return 0, err
	}
	info, err := d.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
