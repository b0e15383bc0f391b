package envlock

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// ErrSchema reports a document that is not of this format, or of a version that
// this program does not know.
var ErrSchema = errors.New("not an EnvLock of a known version")

// Parse returns the EnvLock whose canonical form is data. It accepts exactly the
// bytes that Marshal writes: the schema first, then all eleven components, facts
// that are texts or null, lock files sorted by path. An error wraps [ErrSchema]
// where the schema is another one.
func Parse(data []byte) (Lock, error) {
	if err := checkSize(data); err != nil {
		return Lock{}, err
	}
	if err := checkSchema(data); err != nil {
		return Lock{}, err
	}
	var l Lock
	if err := canon.Unmarshal(data, &l); err != nil {
		return Lock{}, fmt.Errorf("envlock: %w", err)
	}
	if err := l.check(); err != nil {
		return Lock{}, err
	}
	return l, nil
}

// Marshal returns the canonical form of l, the bytes of envlock.json. What Parse
// would refuse is an error.
func (l Lock) Marshal() ([]byte, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	data, err := canon.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("envlock: %w", err)
	}
	return data, checkSize(data)
}

// Fingerprint returns EnvLock.fingerprint for the bytes of envlock.json.
func Fingerprint(canonical []byte) sign.Digest { return sign.Sum(canonical) }

// Fingerprint returns EnvLock.fingerprint: the digest of what Marshal returns.
func (l Lock) Fingerprint() (sign.Digest, error) {
	data, err := l.Marshal()
	if err != nil {
		return sign.Digest{}, err
	}
	return Fingerprint(data), nil
}

// All yields the components by name, in the order of the specification.
func (c Components) All() iter.Seq2[string, Component] {
	return func(yield func(string, Component) bool) {
		_ = yield("os", c.OS) &&
			yield("kernel", c.Kernel) &&
			yield("libc", c.Libc) &&
			yield("compilers", c.Compilers) &&
			yield("runtimes", c.Runtimes) &&
			yield("drivers", c.Drivers) &&
			yield("firmware", c.Firmware) &&
			yield("containers", c.Containers) &&
			yield("hw", c.HW) &&
			yield("backend", c.Backend) &&
			yield("options", c.Options)
	}
}

// checkSchema looks at nothing but the schema, so that a document of a later
// version is reported as that and not by the first member that is new in it.
func checkSchema(data []byte) error {
	var doc map[string]canon.Value
	if err := canon.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("envlock: %w", err)
	}
	v, ok := doc["schema"]
	if !ok {
		return fmt.Errorf("envlock: %w: it has no schema", ErrSchema)
	}
	var schema string
	if err := canon.Unmarshal(v, &schema); err != nil {
		return fmt.Errorf("envlock: %w: its schema is no text", ErrSchema)
	}
	return isSchema(schema)
}

func isSchema(s string) error {
	if s != Schema {
		return fmt.Errorf("envlock: %w: schema is %+q, want %q", ErrSchema, clip(s), Schema)
	}
	return nil
}

func checkSize(data []byte) error {
	if len(data) > limits.EnvLock {
		return fmt.Errorf("envlock: %d bytes, above the limit of %d", len(data), limits.EnvLock)
	}
	return nil
}

// check holds l to what its types do not say. Characters and sizes of texts are
// the business of package canon.
func (l Lock) check() error {
	if err := isSchema(l.Schema); err != nil {
		return err
	}
	for component, facts := range l.Env.All() {
		if _, ok := facts[""]; ok {
			return fmt.Errorf("envlock: component %s has a fact without a name", component)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Variables)) {
		if name == "" || strings.Contains(name, "=") {
			return fmt.Errorf("envlock: %+q is no name of a variable", clip(name))
		}
	}
	for i, lock := range l.Locks {
		if err := CheckLockPath(lock.Path); err != nil {
			return fmt.Errorf("envlock: %w", err)
		}
		if i > 0 && l.Locks[i-1].Path >= lock.Path {
			return fmt.Errorf("envlock: lock file %+q is not in order, or there twice", clip(lock.Path))
		}
	}
	return nil
}

// CheckLockPath returns an error unless p may name a lock file: relative to the
// project and below it, in its shortest form, separated by "/", in U+0020 to
// U+007E without "\".
func CheckLockPath(p string) error {
	if p == "." || !fs.ValidPath(p) || !canon.Printable(p) || strings.Contains(p, `\`) {
		return fmt.Errorf("lock file %+q: not a clean path below the project", clip(p))
	}
	return nil
}

// clip keeps error lines short when the input is not.
func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}
