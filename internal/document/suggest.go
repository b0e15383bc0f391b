package document

import (
	"slices"
	"strings"
)

// Suggest returns `did you mean "steps"?` if one of the known names is a likely
// correction of name, else "".
func Suggest(name string, known []string) string {
	if name == "" || len(name) > correctable {
		return ""
	}
	if short := strings.TrimSuffix(name, "_ms"); short != name && slices.Contains(known, short) {
		return didYouMean(short) // the canonical name of a duration
	}
	best, least := "", 1+min(2, len(name)/2)
	for _, k := range known {
		if len(k) > correctable {
			continue
		}
		d := distance(strings.ToLower(name), strings.ToLower(k))
		if d < least {
			best, least = k, d
		}
	}
	if best == "" || best == name {
		return ""
	}
	return didYouMean(best)
}

func didYouMean(name string) string { return "did you mean " + Quote(name) + "?" }

// correctable is how long a name worth correcting may be: the distance takes
// quadratic time.
const correctable = 64

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours between a and b (restricted Damerau-Levenshtein), in bytes.
func distance(a, b string) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, prev, row = prev, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
