package canon_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/relseal/relseal/canon"
)

// The canonical form is canonical, is its own canonical form, and says what the
// input says to a parser that is not ours.
func FuzzCanonicalize(f *testing.F) {
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		out, err := canon.Canonicalize(in)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		check := canon.Check(in)
		if (check == nil) != (err == nil && bytes.Equal(in, out)) {
			t.Fatalf("Check says %v of %q, canonical form %q", check, in, out)
		}
		if check != nil {
			readable(t, check)
		}
		if err != nil {
			return
		}
		if again, err := canon.Canonicalize(out); err != nil || !bytes.Equal(out, again) {
			t.Fatalf("canonical form of %q is %q, %v", out, again, err)
		}
		if !reflect.DeepEqual(meaning(t, in), meaning(t, out)) {
			t.Fatalf("%q and %q differ", in, out)
		}
	})
}

func meaning(t *testing.T, data []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json refuses %q: %v", data, err)
	}
	return v
}

// What parses marshals to the same bytes, which are canonical.
func FuzzUnmarshal(f *testing.F) {
	f.Fuzz(func(t *testing.T, in []byte) {
		var v, slow doc
		err, want := canon.Unmarshal(in, &v), canon.SlowUnmarshal(in, &slow)
		if !sameError(err, want) {
			t.Fatalf("%q: %v, the slow way says %v", in, err, want)
		}
		if err != nil {
			readable(t, err)
			return
		}
		if !reflect.DeepEqual(v, slow) {
			t.Fatalf("%q: %+v, the slow way reads %+v", in, v, slow)
		}
		if out, err := canon.Marshal(v); err != nil || !bytes.Equal(in, out) {
			t.Fatalf("%q marshals to %q, %v", in, out, err)
		}
		if err := canon.Check(in); err != nil {
			t.Fatal(err)
		}
	})
}

// What is written does not depend on the way, and neither does an error.
func FuzzMarshal(f *testing.F) {
	addAll(f, recognised, refusals)
	f.Add([]byte(`[{"b":{"d":[],"c":{}},"a":[{"z":"}\"","y":"{","":1}]},[],{}]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, v := range []any{
			canon.Value(in),
			string(in),
			struct {
				B []canon.Value `json:"b"`
				C string        `json:"c,omitzero"`
				A canon.Value   `json:"a"`
			}{A: in, B: []canon.Value{in, in}},
			map[string]int{string(in): 1},
		} {
			got, err := canon.Marshal(v)
			want, slow := canon.SlowMarshal(v)
			if !bytes.Equal(got, want) || !sameError(err, slow) {
				t.Fatalf("%+v: %q, %v; the slow way writes %q, %v", v, got, err, want, slow)
			}
		}
	})
}

func sameError(a, b error) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error())
}

// addAll adds what is short enough not to slow the search down.
func addAll(f *testing.F, groups ...[]string) {
	for _, doc := range slices.Concat(groups...) {
		if len(doc) < 2000 {
			f.Add([]byte(doc))
		}
	}
}

func FuzzDecimal(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		checkParse(t, s)
		if len(s) < 1000 { // the oracle's arithmetic is not linear
			checkImport(t, s)
		}
	})
}
