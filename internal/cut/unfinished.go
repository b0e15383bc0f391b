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

// markSealing makes that file. done removes it, unless bundles are still set aside.
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
		if missing(aside(audit, c.result.Run)) && missing(aside(last, c.result.Run)) {
			os.Remove(f.Name())
		}
	}, nil
}

// setAside gives the bundles of an earlier cut other names, the ReleaseBundle first: it
// never stands beside the AuditBundle of another cut.
func setAside(audit, last, run string) error {
	for _, file := range []string{last, audit} {
		if err := os.Rename(file, aside(file, run)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// aside is the name that a bundle has while the cut of a run takes its place.
func aside(file, run string) string {
	kind := ".release"
	if strings.HasSuffix(file, ".audit.tar.zst") {
		kind = ".audit"
	}
	return filepath.Join(filepath.Dir(file), "."+run+kind+".old")
}

// settle removes what the cut of a run has set aside, if its ReleaseBundle is there.
// Else it removes the AuditBundle of the run, which would be in the way of the next cut,
// and gives the earlier bundles their names back, the ReleaseBundle last.
func settle(audit, last, run string) {
	if missing(last) {
		if m, err := pack.ReadAudit(audit); err == nil && m.Run.ID == run {
			os.Remove(audit)
		}
	}
	for _, file := range []string{audit, last} {
		_, err := os.Lstat(file)
		if err == nil {
			err = os.Remove(aside(file, run))
		} else if errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(aside(file, run), file)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}

func missing(file string) bool {
	_, err := os.Lstat(file)
	return errors.Is(err, fs.ErrNotExist)
}

// sweep settles the bundles of a run whose cut was killed before it had named its
// ReleaseBundle. The record of the run stays.
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
		run := filepath.Base(filepath.Dir(mark))
		if whole {
			settle(audit, last, run)
		}
		release()
		if !whole || missing(aside(audit, run)) && missing(aside(last, run)) {
			os.Remove(mark)
		}
	}
}
