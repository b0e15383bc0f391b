package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/relseal/relseal/internal/limits"
)

// rpmDatabases are the files in which rpm keeps its database: SQLite, Berkeley DB
// or its own. Reading those would take a parser for each, so rpm is asked; an
// image with a database and without rpm has packages that cannot be read.
var rpmDatabases = []string{
	"/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/Packages.db", "/usr/lib/sysimage/rpm/Packages",
	"/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages.db", "/var/lib/rpm/Packages",
}

// rpmFormat has one line for each package; white space cannot be in any of these.
const rpmFormat = `%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n`

// maxPackages bounds what rpm may say: 100 bytes for each of 100,000 packages.
const maxPackages = 10 * limits.MiB

// rpm asks rpm, and only where there is a database: rpm -qa makes one otherwise.
func (m *machine) rpm(ctx context.Context) ([]Package, error) {
	there := false
	switch known := m.known(func() { there = m.anyExists(rpmDatabases) }); {
	case !known:
		return nil, errors.New("whether there is a database of rpm could not be read")
	case !there:
		return nil, fs.ErrNotExist
	}
	t, err := m.find("rpm")
	if err != nil {
		return nil, errors.New("there is a database of rpm and no rpm to read it")
	}
	out, _, err := m.askAtMost(ctx, maxPackages, t, "-qa", "--queryformat", rpmFormat)
	if err != nil {
		return nil, fmt.Errorf("rpm: %v", err) // not wrapped: that a file is missing would mean that no database is there
	}
	return parseRPM(out)
}

func parseRPM(out []byte) (list []Package, err error) {
	for l := range bytes.Lines(out) {
		f := strings.Split(strings.TrimSuffix(string(l), "\n"), "\t")
		if len(f) != 4 {
			return nil, errors.New("rpm does not answer in the form that it was asked for")
		}
		for i, v := range f {
			if v == "(none)" {
				f[i] = ""
			}
		}
		if f[0] == "gpg-pubkey" { // a key that rpm trusts, kept as if it were a package
			continue
		}
		list = append(list, Package{Manager: RPM, Name: f[0], Version: f[1], Arch: f[2], Source: f[3]})
	}
	return list, nil
}
