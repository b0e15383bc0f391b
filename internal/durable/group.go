package durable

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// A Group is files that appear one after the other and belong together: with the last
// of them they are all there. Until then a list of them lies in their directory. If
// their maker is killed, [Sweep] goes by the list and removes those that had appeared.
type Group struct {
	dir  string
	list *os.File
}

// A groupList is what stands in a list.
type groupList struct {
	Files []groupFile `json:"files"`
}

type groupFile struct {
	Name   string `json:"name"` // with slashes, relative to the directory
	SHA256 string `json:"sha256"`
}

// maxList bounds a list that is read.
const maxList = 1 << 16

// A Member is one file of a group.
type Member struct {
	Name string // with slashes, relative to the directory of the group
	Data []byte
}

// Together says that files will appear in dir, in this order, which do not exist yet.
// Call Done when the last is there or all are gone again.
func Together(dir string, members []Member) (*Group, error) {
	var l groupList
	for _, m := range members {
		digest := sha256.Sum256(m.Data)
		l.Files = append(l.Files, groupFile{m.Name, hex.EncodeToString(digest[:])})
	}
	data, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	first := filepath.Join(dir, members[0].Name)
	f, err := lockedFile(dir, 0o600, listSuffix)
	if err != nil {
		return nil, at("create", first, err)
	}
	g := &Group{dir, f}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		g.Done()
		return nil, at("write", first, err)
	}
	return g, nil
}

// Done says that the files are all there, or none.
func (g *Group) Done() {
	closeToRename(g.list)
	os.Remove(g.list.Name())
	g.list.Close()
}

// Undo removes the files that have appeared.
func (g *Group) Undo() {
	undo(g.dir, g.list, true)
	g.Done()
}

// undo removes the files of a list, if the last is missing or incomplete says that they
// are not all there. A file that holds something else is not one of them. A list that is
// not whole is older than its files.
func undo(dir string, list *os.File, incomplete bool) {
	if _, err := list.Seek(0, io.SeekStart); err != nil {
		return
	}
	data, err := io.ReadAll(io.LimitReader(list, maxList))
	var l groupList
	if err != nil || json.Unmarshal(data, &l) != nil || len(l.Files) == 0 {
		return
	}
	for _, f := range l.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return
		}
	}
	at := func(f groupFile) string { return filepath.Join(dir, filepath.FromSlash(f.Name)) }
	if _, err := os.Lstat(at(l.Files[len(l.Files)-1])); !incomplete && !errors.Is(err, os.ErrNotExist) {
		return
	}
	for _, f := range l.Files {
		if hasDigest(at(f), f.SHA256) {
			os.Remove(at(f))
		}
		// Directories that were made for it are empty now.
		for parent := filepath.Dir(at(f)); parent != filepath.Clean(dir) && os.Remove(parent) == nil; {
			parent = filepath.Dir(parent)
		}
	}
	syncDir(dir)
}

// hasDigest reports whether path is a regular file with that digest.
func hasDigest(path, digest string) bool {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := openToLock(path) // waits for nobody
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return err == nil && hex.EncodeToString(h.Sum(nil)) == digest
}
