package capture

import (
	"bufio"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/limits"
)

// stanzas yields the paragraphs of a package database, as dpkg and apk write
// them: lines of "key: value", an empty line between two packages. Of each it
// keeps the given keys, the first value of each. Lines that continue a value
// (descriptions, lists of files) start with white space and are passed over.
func stanzas(r io.Reader, keys ...string) iter.Seq2[map[string]string, error] {
	return func(yield func(map[string]string, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 4*limits.MiB) // the longest are dependencies and triggers
		s := map[string]string{}
		for lines.Scan() {
			l := lines.Text()
			if strings.TrimSpace(l) == "" {
				if len(s) > 0 && !yield(s, nil) {
					return
				}
				s = map[string]string{}
				continue
			}
			key, value, ok := strings.Cut(l, ":")
			if _, again := s[key]; ok && !again && slices.Contains(keys, key) {
				s[key] = strings.TrimSpace(value)
			}
		}
		switch err := lines.Err(); {
		case err != nil:
			yield(nil, err)
		case len(s) > 0:
			yield(s, nil)
		}
	}
}
