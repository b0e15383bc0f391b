package cut

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/internal/regular"
)

// sealing is the file in a run directory that is there and locked while the bundles of
// the run are sealed. It holds the path of the AuditBundle, which comes first, a NUL, and that of
// the ReleaseBundle.
const sealing = ".sealing"

// markSealing makes that file. done removes it.
func (c *cut) markSealing(audit, last string) (done func(), err error) {
	if audit, err = filepath.Abs(audit); err != nil {
		return nil, err
	}
	if last, err = filepath.Abs(last); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(c.result.RunDir, sealing), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	release := durable.Hold(f)
	if _, err := f.WriteString(audit + "\x00" + last); err != nil {
		release()
		return nil, err
	}
	return func() {
		release()
		os.Remove(f.Name())
	}, nil
}

// sweep removes the AuditBundle of a run whose cut was killed before it had sealed a
// ReleaseBundle: it would be in the way of the next. The record of the run stays.
func (c *cut) sweep() {
	marks, _ := filepath.Glob(filepath.Join(c.p.file(".relseal"), "runs", "*", sealing))
	for _, mark := range marks {
		f, err := regular.OpenUpdate(mark)
		if err != nil {
			continue
		}
		free, release := durable.TryHold(f)
		if !free {
			continue
		}
		data, _ := regular.ReadFile(mark, 1<<16)
		audit, last, whole := strings.Cut(string(data), "\x00")
		if _, err := os.Lstat(last); whole && errors.Is(err, fs.ErrNotExist) {
			if m, err := pack.ReadAudit(audit); err == nil && m.Run.ID == filepath.Base(filepath.Dir(mark)) {
				os.Remove(audit)
			}
		}
		release()
		os.Remove(mark)
	}
}
