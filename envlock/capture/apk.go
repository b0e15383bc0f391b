package capture

import (
	"context"
	"io"
	"io/fs"

	"github.com/relseal/relseal/internal/regular"
)

// apk reads the database of apk-tools. Since /lib became a link to /usr/lib it can
// also be there without one.
func (m *machine) apk(context.Context) ([]Package, error) {
	for _, name := range []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed"} {
		if list, err := m.apkFile(name); !isAbsent(err) {
			return list, err
		}
	}
	return nil, fs.ErrNotExist
}

func (m *machine) apkFile(name string) ([]Package, error) {
	f, err := regular.OpenView(m.root.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseApk(f)
}

func parseApk(r io.Reader) (list []Package, err error) {
	for s, err := range stanzas(r, "P", "V", "A", "o") {
		if err != nil {
			return nil, err
		}
		if s["P"] != "" {
			list = append(list, Package{Manager: Apk, Name: s["P"], Version: s["V"], Arch: s["A"], Source: s["o"]})
		}
	}
	return list, nil
}
