package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// compareExpected returns the first difference between what a case expects and
// what came out, or "". A result may say more than a case expects, except for the members
// that are there only when they have something to say.
func compareExpected(expect, got []byte) string {
	want, err := decodeAny(expect)
	if err != nil {
		return "expect: " + err.Error()
	}
	have, err := decodeAny(got)
	if err != nil {
		return err.Error()
	}
	members, ok := want.(map[string]any)
	if !ok || len(members) == 0 {
		return "expect is not an object with members"
	}
	if out, ok := have.(map[string]any); ok {
		for _, name := range []string{"alerts", "error", "to"} {
			if _, expected := members[name]; !expected && out[name] != nil {
				return fmt.Sprintf("%s: got %v, want none", name, out[name])
			}
		}
	}
	return difference("", want, have)
}

func decodeAny(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

func difference(at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, name := range slices.Sorted(maps.Keys(w)) {
			value, present := g[name]
			if !present {
				return fmt.Sprintf("%s: got nothing, want %v", at+name, w[name])
			}
			if d := difference(at+name, w[name], value); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			if d := difference(at+"["+strconv.Itoa(i)+"]", w[i], g[i]); d != "" {
				return d
			}
		}
		return ""
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(w, g) {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s: got %v, want %v", at, got, want)
}

// tolerance is what the cases ask for: relative above 1, absolute below.
const tolerance = 1e-9

// sameNumber compares integers exactly and statistics with the tolerance.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	_, errA := a.Int64()
	_, errB := b.Int64()
	x, err1 := a.Float64()
	y, err2 := b.Float64()
	if errA == nil && errB == nil || err1 != nil || err2 != nil {
		return false
	}
	return math.Abs(x-y) <= tolerance*max(1, math.Abs(x))
}
