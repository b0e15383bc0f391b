package root_test

import (
	"encoding/pem"
	"strings"

	"github.com/relseal/relseal/internal/testbundle"
)

// The roots of these tests are made by package testbundle, without the package that
// they test. Keys have names here.
type M = testbundle.M

func key(name string) testbundle.Key { return testbundle.NewKey(name) }

func named(names ...string) (keys []testbundle.Key) {
	for _, n := range names {
		keys = append(keys, key(n))
	}
	return keys
}

var everybody = named("alice", "bob", "carol", "one", "two", "three", "four")

func rawKey(name string) []byte {
	block, _ := pem.Decode(key(name).PEM())
	return block.Bytes[12:]
}

func tufKey(name string) M { return key(name).TUFKey() }

func tufID(name string) string { return key(name).TUFID() }

func grant(name string, more M) M { return testbundle.Grant(key(name), more) }

func role(threshold int, grants ...M) M { return testbundle.RootRole(threshold, grants...) }

func ids(names ...string) []string { return testbundle.TUFIDs(named(names...)...) }

// signed returns a version held by alice and bob, both of whom must sign.
func signed(version int, roles M) M {
	return held(M{"version": version, "roles": roles}, 2, "alice", "bob")
}

// held returns the version with other holders; s may also be the number and the
// roles alone.
func held(s M, threshold int, names ...string) M {
	roles := s["roles"].(M)
	if ext, ok := s["x-relseal-roles"].(M); ok {
		roles = ext["roles"].(M)
	}
	return testbundle.Root(s["version"].(int), roles, threshold, named(names...), everybody...)
}

func set(s M, path string, v any) M {
	at := s
	names := strings.Split(path, ".")
	for _, n := range names[:len(names)-1] {
		at = at[n].(M)
	}
	if at[names[len(names)-1]] = v; v == nil {
		delete(at, names[len(names)-1])
	}
	return s
}

// signBy returns the file of a version with signatures by the named keys.
func signBy(s M, names ...string) []byte { return testbundle.SignRoot(s, named(names...)...) }
