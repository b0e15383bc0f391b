package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
)

func sortItems(items []Item) ([]Item, error) {
	sorted := slices.SortedFunc(slices.Values(items), func(a, b Item) int { return strings.Compare(a.URI, b.URI) })
	if sorted == nil {
		sorted = []Item{}
	}
	for i, it := range sorted {
		if it.URI == "" || !canon.Printable(it.URI) {
			return nil, fmt.Errorf("uri %+q is empty or has a character outside U+0020 to U+007E", it.URI)
		}
		if i > 0 && sorted[i-1].URI == it.URI {
			return nil, fmt.Errorf("uri %q occurs twice", it.URI)
		}
	}
	return sorted, nil
}
