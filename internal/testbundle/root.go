package testbundle

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"
)

// TUFKey returns the key as a trust root lists it, and TUFID its name there.
func (k Key) TUFKey() M {
	return M{"keytype": "ed25519", "scheme": "ed25519", "keyval": M{"public": hex.EncodeToString(k.public())}}
}

func (k Key) TUFID() string {
	sum := sha256.Sum256(Canon(k.TUFKey()))
	return hex.EncodeToString(sum[:])
}

// TUFIDs returns the names of keys, sorted.
func TUFIDs(keys ...Key) []string {
	ids := []string{}
	for _, k := range keys {
		ids = append(ids, k.TUFID())
	}
	sort.Strings(ids)
	return ids
}

// Grant returns what a role says of a key: active from 2026 to 2030, but for more.
func Grant(k Key, more M) M {
	g := M{"keyid": k.TUFID(), "not_before": "2026-01-01T00:00:00Z", "not_after": "2030-01-01T00:00:00Z", "status": "active"}
	for name, value := range more {
		g[name] = value
	}
	return g
}

// RootRole returns a role of a trust root.
func RootRole(threshold int, grants ...M) M {
	sort.Slice(grants, func(i, j int) bool { return grants[i]["keyid"].(string) < grants[j]["keyid"].(string) })
	return M{"keys": append([]M{}, grants...), "threshold": threshold}
}

// Root returns what is signed of a version of a trust root. It lists those of the
// keys that have a role; the holders are among them.
func Root(version int, roles M, threshold int, holders []Key, keys ...Key) M {
	nobody := M{"keyids": []string{}, "threshold": 1}
	s := M{
		"_type": "root", "spec_version": "1.0.31", "consistent_snapshot": true, "version": version, "expires": "2031-01-01T00:00:00Z",
		"keys":            M{},
		"roles":           M{"root": M{"keyids": TUFIDs(holders...), "threshold": threshold}, "snapshot": nobody, "targets": nobody, "timestamp": nobody},
		"x-relseal-roles": M{"schema": "relseal/roles/v1", "roles": roles},
	}
	text := string(Canon(M{"r": s["roles"], "x": s["x-relseal-roles"]}))
	for _, k := range append(append([]Key{}, holders...), keys...) {
		if id := k.TUFID(); strings.Contains(text, id) {
			s["keys"].(M)[id] = k.TUFKey()
		}
	}
	return s
}

// SignRoot returns the file of a version with signatures by keys.
func SignRoot(s M, keys ...Key) []byte {
	sigs := []M{}
	for _, k := range keys {
		sigs = append(sigs, M{"keyid": k.TUFID(), "sig": hex.EncodeToString(k.Sign(Canon(s)))})
	}
	sort.SliceStable(sigs, func(i, j int) bool { return sigs[i]["keyid"].(string) < sigs[j]["keyid"].(string) })
	return Canon(M{"signatures": sigs, "signed": s})
}
