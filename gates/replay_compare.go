package gates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/relseal/relseal/canon"
)

// compareDocuments names the members in which two documents differ, as deep down as
// objects and arrays go.
func compareDocuments(recorded, follows any) ([]MemberDifference, error) {
	a, err := decodeCanonical(recorded)
	if err != nil {
		return nil, err
	}
	b, err := decodeCanonical(follows)
	if err != nil {
		return nil, err
	}
	var c comparison
	c.values("", a, b)
	return c.differences, c.err
}

func decodeCanonical(doc any) (any, error) {
	data, err := canon.Marshal(doc)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	err = d.Decode(&v)
	return v, err
}

type comparison struct {
	differences []MemberDifference
	err         error
}

func (c *comparison) values(at string, a, b any) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			c.objects(at, x, y)
			return
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				c.values(fmt.Sprintf("%s[%d]", at, i), x[i], y[i])
			}
			return
		}
	default:
		if a == b {
			return
		}
	}
	c.differences = append(c.differences, MemberDifference{at, c.text(a), c.text(b)})
}

func (c *comparison) objects(at string, a, b map[string]any) {
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		path := name
		if at != "" {
			path = at + "." + name
		}
		x, inA := a[name]
		y, inB := b[name]
		switch {
		case inA && inB:
			c.values(path, x, y)
		case inA:
			c.differences = append(c.differences, MemberDifference{path, c.text(x), "absent"})
		default:
			c.differences = append(c.differences, MemberDifference{path, "absent", c.text(y)})
		}
	}
}

func (c *comparison) text(v any) string {
	data, err := json.Marshal(v)
	if err == nil {
		data, err = canon.Canonicalize(data)
	}
	if err != nil {
		c.err = err
	}
	return string(data)
}
