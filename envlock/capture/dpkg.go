package capture

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/relseal/relseal/internal/regular"
)

// dpkg reads the database of dpkg: one file, and one for each package in images
// that were built without dpkg (distroless).
func (m *machine) dpkg(context.Context) ([]Package, error) {
	const dir = "/var/lib/dpkg"
	files := []string{dir + "/status"}
	var single []string
	if !m.known(func() { single = m.names(dir + "/status.d") }) {
		return nil, errors.New(dir + "/status.d could not be read")
	}
	for _, name := range single {
		if !strings.HasSuffix(name, ".md5sums") {
			files = append(files, path.Join(dir, "status.d", name))
		}
	}
	var all []Package
	found := false
	for _, file := range files {
		list, err := m.dpkgFile(file)
		switch {
		case isAbsent(err):
			continue
		case err != nil:
			return nil, err
		}
		found = true
		all = append(all, list...)
	}
	if !found {
		return nil, fs.ErrNotExist
	}
	return all, nil
}

func (m *machine) dpkgFile(name string) ([]Package, error) {
	f, err := regular.OpenView(m.root.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseDpkg(f)
}

func parseDpkg(r io.Reader) (list []Package, err error) {
	for s, err := range stanzas(r, "Package", "Status", "Version", "Architecture", "Source") {
		if err != nil {
			return nil, err
		}
		state, here := dpkgState(s["Status"])
		if s["Package"] == "" || !here {
			continue
		}
		list = append(list, Package{
			Manager: Dpkg, Name: s["Package"], Version: s["Version"], Arch: s["Architecture"], State: state,
			Source: dpkgSource(s["Source"]),
		})
	}
	return list, nil
}

// dpkgState reads "install ok installed": what is wanted, whether an error
// happened, and the state. A package that was removed can leave an entry with its
// configuration; there is none of its files then.
func dpkgState(status string) (state string, here bool) {
	words := strings.Fields(status)
	if len(words) == 0 {
		return "", true // status.d has no states
	}
	switch state = words[len(words)-1]; state {
	case "installed":
		return "", true
	case "not-installed", "config-files":
		return "", false
	default:
		return state, true
	}
}

// dpkgSource turns "gcc-12 (12.2.0-14)" into gcc-12@12.2.0-14. The version is
// there only where it is not that of the package.
func dpkgSource(s string) string {
	name, version, ok := strings.Cut(s, " (")
	if !ok {
		return s
	}
	return name + "@" + strings.TrimSuffix(version, ")")
}
