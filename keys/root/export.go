package root

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/relseal/relseal/sign"
)

// AllowedSigners returns the file that ssh-keygen -Y verify reads: a line for each
// key and validity, whose principals are the roles, for signatures of bundles
// alone. A key that is revoked has no line. OpenSSH knows no thresholds.
func (r *Root) AllowedSigners() []byte {
	type line struct {
		key       sign.PublicKey
		from, til Time
	}
	roles := map[line][]string{}
	for _, name := range sign.Roles() {
		for _, g := range r.file.Signed.Extension.Roles[name].Keys {
			if g.Status != sign.Revoked {
				l := line{r.keys[g.KeyID], g.NotBefore, g.NotAfter}
				roles[l] = append(roles[l], name)
			}
		}
	}
	var lines []string
	for l, names := range roles {
		lines = append(lines, fmt.Sprintf("%s namespaces=\"%s\",valid-after=\"%s\",valid-before=\"%s\" %s",
			strings.Join(names, ","), sign.Namespace, sshTime(l.from), sshTime(l.til), l.key.AuthorizedKey("")))
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, ""))
}

func sshTime(t Time) string { return t.UTC().Format("20060102150405Z") }

// Revoked returns the keys that are revoked and since when, by their id.
func (r *Root) Revoked() map[sign.PublicKey]Time {
	found := map[sign.PublicKey]Time{}
	for _, role := range r.file.Signed.Extension.Roles {
		for _, g := range role.Keys {
			if g.RevokedSince != nil {
				found[r.keys[g.KeyID]] = *g.RevokedSince
			}
		}
	}
	return found
}

// KRL returns the revoked keys as a key revocation list of OpenSSH (PROTOCOL.krl):
// the header and, if there are any, one section of explicit keys. It has no time
// of its own: its version is that of the root, its date the latest revocation.
func (r *Root) KRL() []byte {
	revoked := r.Revoked()
	var latest time.Time
	var keys [][]byte
	for key, since := range revoked {
		keys = append(keys, key.SSH())
		if since.After(latest) {
			latest = since.Time
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	const (
		version      = 1
		explicitKeys = 2 // KRL_SECTION_EXPLICIT_KEY
	)
	b := []byte("SSHKRL\n\x00")
	b = binary.BigEndian.AppendUint32(b, version)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Version()))
	b = binary.BigEndian.AppendUint64(b, uint64(max(latest.Unix(), 0)))
	b = binary.BigEndian.AppendUint64(b, 0) // flags
	b = appendString(b, nil)                // reserved
	b = appendString(b, fmt.Appendf(nil, "root version %d", r.Version()))
	if len(keys) > 0 {
		var section []byte
		for _, k := range keys {
			section = appendString(section, k)
		}
		b = appendString(append(b, explicitKeys), section)
	}
	return b
}

func appendString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// PublicKeys returns the keys that are not revoked as PEM, by file name: the role
// and the first digits of the key's id.
func (r *Root) PublicKeys() map[string][]byte {
	files := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(r.file.Signed.Extension.Roles)) {
		for _, g := range r.file.Signed.Extension.Roles[name].Keys {
			if key := r.keys[g.KeyID]; g.Status != sign.Revoked {
				files[fmt.Sprintf("%s-%s.pub", name, key.KeyID().Hex()[:12])] = key.PEM()
			}
		}
	}
	return files
}
