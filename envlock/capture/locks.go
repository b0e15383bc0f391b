package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// readLocks returns the digests of the lock files. They are opened below the
// project: a symbolic link that leaves it is refused.
func readLocks(project *os.Root, paths []string, problems *Problems) []envlock.LockFile {
	locks := make([]envlock.LockFile, 0, len(paths))
	for _, p := range sorted(paths) {
		if envlock.CheckLockPath(p) != nil {
			problems.add(KindLock, p, "not a clean path below the project", `write it relative to the project, with "/", without "." or ".."`, nil)
			continue
		}
		hash, err := sumBelow(project, filepath.FromSlash(p))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			problems.add(KindLock, p, "no such file in the project", "make the lock file or take it from the list", err)
		case err != nil:
			problems.add(KindLock, p, cause(err), "", err)
		default:
			locks = append(locks, envlock.LockFile{Path: p, Hash: hash})
		}
	}
	return locks
}

func sumBelow(dir *os.Root, name string) (sign.Digest, error) {
	f, err := regular.OpenIn(dir, name)
	if err != nil {
		return sign.Digest{}, err
	}
	defer f.Close()
	d, _, err := sign.SumReader(f)
	return d, err
}

// cause drops the operation and the path, which the problem names already.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
