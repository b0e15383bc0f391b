package canon_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
)

// What the restrictions add to RFC 8785 and RFC 8259, by the text of the error.
const (
	notInteger = "number is not an integer within"
	badName    = "member name has a character outside U+0020 to U+007E"
	duplicate  = "duplicate member name"
	tooDeep    = "nested deeper than 64"
)

// foreign holds the vectors of other projects.
const foreign = "../testdata/foreign"

func read(t *testing.T, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// rows decodes a file of JSON lines; a member that T lacks is an error.
func rows[T any](t *testing.T, elem ...string) []T {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(read(t, elem...)))
	d.DisallowUnknownFields()
	var all []T
	for d.More() {
		var row T
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no rows", filepath.Join(elem...))
	}
	return all
}

// refused checks that in is refused for the reason given.
func refused(t *testing.T, in []byte, reason string) {
	t.Helper()
	got, err := canon.Canonicalize(in)
	if err == nil {
		t.Errorf("%.80q: accepted as %.80q", in, got)
		return
	}
	if !strings.Contains(err.Error(), reason) {
		t.Errorf("%.80q: %v, want %s", in, err, reason)
	}
	readable(t, err)
}

// becomes checks that in has the canonical form want.
func becomes(t *testing.T, in, want []byte) {
	t.Helper()
	got, err := canon.Canonicalize(in)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%.80q: got %q, %v; want %q", in, got, err, want)
		return
	}
	if err := canon.Check(got); err != nil {
		t.Errorf("%.80q: %v", got, err)
	}
}

// The pairs of the authors of RFC 8785, and the one of its section 3.2.3.
func TestRFC8785(t *testing.T) {
	dir := filepath.Join(foreign, "jcs")
	for name, reason := range map[string]string{
		"arrays": "", "unicode": "",
		"french": badName, "structures": badName, "weird": badName,
		"values": notInteger,
	} {
		t.Run(name, func(t *testing.T) {
			in := read(t, dir, "cyberphone", "input", name+".json")
			want := read(t, dir, "cyberphone", "output", name+".json")
			if reason != "" {
				refused(t, in, reason)
				refused(t, want, reason)
				return
			}
			becomes(t, in, want)
			becomes(t, want, want)
		})
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "cyberphone", "input", "*")); len(files) != 6 {
		t.Errorf("%d inputs, want 6", len(files))
	}
	refused(t, read(t, dir, "json-canon", "rfc8785", "key_sorting_input.json"), badName)
}

// A row of json-canon, which drives a command: canonicalize prints the form,
// verify checks it, and exit 2 refuses.
type jsonCanon struct {
	ID     string   `json:"id"`
	Mode   string   `json:"mode"`
	Args   []string `json:"args"`
	Input  string   `json:"input"`
	Stdout string   `json:"want_stdout"`
	Stderr string   `json:"want_stderr_contains"`
	Exit   int      `json:"want_exit"`
}

func TestJSONCanon(t *testing.T) {
	dir := filepath.Join(foreign, "jcs", "json-canon", "vectors")
	differ := map[string]string{ // where we do, and why: "" accepts
		// json-canon refuses noncharacters. RFC 8785 carries them and so do we.
		"VEC-REJ-0016": "", "VEC-REJ-0017": "", "VEC-REJ-0018": "", "VEC-OFF-0003": "",
		// It takes every number of RFC 8785. Ours are integers in one spelling.
		"VEC-CANON-0023": notInteger, "VEC-CANON-0024": notInteger, "VEC-CANON-0025": notInteger, "VEC-CANON-0026": notInteger,
		"VEC-CANON-0027": notInteger, "VEC-CANON-0028": notInteger, "VEC-CANON-0029": notInteger, "VEC-CANON-0030": notInteger,
		"VEC-CANON-0031": notInteger, "VEC-CANON-0033": notInteger, "VEC-CANON-0034": notInteger,
	}
	// Both refuse -0, which RFC 8785 writes as 0, and 1e-400, which it rounds to 0.
	reasons := map[string]string{
		"NUMBER_NEGZERO": notInteger, "NUMBER_OVERFLOW": notInteger, "NUMBER_UNDERFLOW": notInteger,
		"LONE_SURROGATE": "invalid surrogate pair", "DUPLICATE_KEY": duplicate, "INVALID_GRAMMAR": "",
		"at byte 1": "byte 1: invalid surrogate pair", "at byte 7": "byte ", // they count the second escape
	}
	seen := 0
	for _, name := range []string{"core", "reject", "verify", "offsets"} {
		for _, row := range rows[jsonCanon](t, dir, name+".jsonl") {
			in, want := []byte(row.Input), []byte(row.Stdout)
			reason, differs := differ[row.ID]
			switch {
			case differs && reason == "":
				seen++
				if _, err := canon.Canonicalize(in); err != nil {
					t.Errorf("%s: %v", row.ID, err)
				}
			case differs:
				seen++
				refused(t, in, reason)
			case row.Args != nil: // a fault of their command line
			case row.Mode == "verify":
				if err := canon.Check(in); (err == nil) != (row.Exit == 0) {
					t.Errorf("%s: %v", row.ID, err)
				}
			case row.Exit == 0:
				becomes(t, in, want)
			default:
				reason, ok := reasons[row.Stderr]
				if !ok {
					t.Errorf("%s: unknown reason %q", row.ID, row.Stderr)
				}
				refused(t, in, reason)
			}
		}
	}
	if seen != len(differ) {
		t.Errorf("%d of the %d rows that differ exist", seen, len(differ))
	}
}

func TestJSONTestSuite(t *testing.T) {
	dir := filepath.Join(foreign, "jsontestsuite", "test_parsing")
	forbidden := map[string]string{ // valid by RFC 8259, refused by our restrictions
		"y_number.json":                          notInteger,
		"y_number_0e+1.json":                     notInteger,
		"y_number_0e1.json":                      notInteger,
		"y_number_double_close_to_zero.json":     notInteger,
		"y_number_int_with_exp.json":             notInteger,
		"y_number_minus_zero.json":               notInteger,
		"y_number_negative_zero.json":            notInteger,
		"y_number_real_capital_e.json":           notInteger,
		"y_number_real_capital_e_neg_exp.json":   notInteger,
		"y_number_real_capital_e_pos_exp.json":   notInteger,
		"y_number_real_exponent.json":            notInteger,
		"y_number_real_fraction_exponent.json":   notInteger,
		"y_number_real_neg_exp.json":             notInteger,
		"y_number_real_pos_exponent.json":        notInteger,
		"y_number_simple_real.json":              notInteger,
		"y_object_extreme_numbers.json":          notInteger,
		"y_structure_lonely_negative_real.json":  notInteger,
		"y_object_duplicated_key.json":           duplicate,
		"y_object_duplicated_key_and_value.json": duplicate,
		"y_object_escaped_null_in_key.json":      badName,
	}
	// Every implementation-defined file happens to hold something that we refuse.
	undefined := func(name string) string {
		switch {
		case strings.HasPrefix(name, "i_number"):
			return notInteger
		case name == "i_structure_500_nested_arrays.json":
			return tooDeep
		default: // invalid UTF-8, a lone surrogate, a byte order mark, UTF-16
			return "invalid "
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	count := map[byte]int{}
	for _, entry := range entries {
		name := entry.Name()
		count[name[0]]++
		t.Run(name, func(t *testing.T) {
			in := read(t, dir, name)
			reason, no := forbidden[name]
			delete(forbidden, name)
			switch {
			case no:
				refused(t, in, reason)
			case name[0] == 'i':
				refused(t, in, undefined(name))
			case name[0] == 'n':
				refused(t, in, "")
			default:
				out, err := canon.Canonicalize(in)
				if err != nil {
					t.Fatal(err)
				}
				becomes(t, out, out)
			}
		})
	}
	if len(forbidden) > 0 || count['y'] != 95 || count['n'] != 188 || count['i'] != 35 {
		t.Errorf("files %v; of those that we forbid, missing: %v", count, forbidden)
	}
}

func TestJSONTestSuiteTransform(t *testing.T) {
	dir := filepath.Join(foreign, "jsontestsuite", "test_transform")
	accepted := map[string]string{
		"number_1000000000000000.json":  `[1000000000000000]`,
		"string_with_escaped_NULL.json": `["A\u0000B"]`,
	}
	reasons := map[string]string{"number": notInteger, "object_key": badName, "object_same": duplicate, "string": "invalid "}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 22 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, entry := range entries {
		in := read(t, dir, entry.Name())
		if want, ok := accepted[entry.Name()]; ok {
			becomes(t, in, []byte(want))
			continue
		}
		for prefix, reason := range reasons {
			if strings.HasPrefix(entry.Name(), prefix) {
				refused(t, in, reason)
			}
		}
	}
}
