package canon_test

import (
	"cmp"
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
)

// The two oracles: the expression of the doc comment, and what ImportDecimal
// reads as a number.
var (
	isCanonical = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,39})(\.[0-9]{0,39}[1-9])?$`)
	isNumber    = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE]([+-]?[0-9]+))?$`)
)

func TestParseDecimal(t *testing.T) {
	forty := strings.Repeat("9", 40)
	for _, s := range []string{
		"0", "1", "-1", "0.5", "-0.5", "10", "1.05", forty, "-" + forty + "." + forty, "0." + strings.Repeat("0", 39) + "1",
		"", "-", "-0", "-0.0", "+1", "00", "01", "1.", ".5", "1.0", "1.50", "-00.5", "1e5", "1E5", "0x1", " 1", "1 ", "1\n", "1_000", "1,5",
		"--1", "1.2.3", "NaN", "Infinity", "١", "１", "1\x00", "\xff", forty + "9", "0." + strings.Repeat("0", 40) + "1", "1" + forty + "." + forty,
	} {
		checkParse(t, s)
	}
}

// A drawn text of the right alphabet is a Decimal iff the expression says so.
func TestParseDecimalProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 200_000 {
		b := make([]byte, 1+r.IntN(7))
		for i := range b {
			b[i] = "001259-.+e "[r.IntN(11)]
		}
		if checkParse(t, string(b)) {
			accepted++
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d of the texts were decimals", accepted)
	}
}

// Two Decimals compare as the numbers that they are.
func TestDecimalCmp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	orders := map[int]int{}
	for range 100_000 {
		var ds [2]canon.Decimal
		for i := range ds {
			b := make([]byte, 1+r.IntN(5))
			for i := range b {
				b[i] = "0119-."[r.IntN(6)]
			}
			ds[i], _ = canon.ParseDecimal(string(b))
		}
		if ds[0] == "" || ds[1] == "" {
			continue
		}
		got := ds[0].Cmp(ds[1])
		if want := ds[0].Rat().Cmp(ds[1].Rat()); got != want {
			t.Fatalf("%s and %s: %d, want %d", ds[0], ds[1], got, want)
		}
		orders[got]++
	}
	if min(orders[-1], orders[0], orders[1]) < 100 {
		t.Errorf("hardly compared: %v", orders)
	}
}

func checkParse(t *testing.T, s string) bool {
	t.Helper()
	want := isCanonical.MatchString(s) && s != "-0"
	d, err := canon.ParseDecimal(s)
	if (err == nil) != want {
		t.Errorf("ParseDecimal(%q): %v, the expression says %v", s, err, want)
	}
	if err != nil {
		readable(t, err)
		return false
	}
	if string(d) != s {
		t.Errorf("ParseDecimal(%q) = %q", s, d)
	}
	if again, err := canon.ImportDecimal(s); err != nil || again != d {
		t.Errorf("ImportDecimal(%q) = %q, %v", s, again, err)
	}
	if want, _ := new(big.Rat).SetString(s); d.Rat().Cmp(want) != 0 {
		t.Errorf("%q.Rat() = %v", d, d.Rat())
	}
	return true
}

func TestImportDecimal(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("0", n) }
	for _, tt := range []struct{ in, want string }{
		{"1", "1"}, {"+1", "1"}, {"-1.50", "-1.5"}, {"007", "7"}, {".5", "0.5"}, {"-.5e1", "-5"},
		{"0", "0"}, {"-0", "0"}, {"+0.000", "0"}, {"-0e5", "0"}, {"0e-99999999999999999999", "0"}, {"0E+99999999999999999999", "0"},
		{"1e3", "1000"}, {"1E+3", "1000"}, {"1e-3", "0.001"}, {"12.5e1", "125"}, {"12.5e-2", "0.125"}, {"1e-0", "1"}, {"1e+003", "1000"},
		{"1e39", "1" + zeros(39)}, {"1e-40", "0." + zeros(39) + "1"},
		{"1" + zeros(150) + "e-150", "1"}, {"0." + zeros(150) + "1e151", "1"}, {zeros(500) + "1" + "." + zeros(500), "1"},
		{"5e-324", ""}, {"1e999999999", ""}, {"1e40", ""}, {"1e-41", ""}, {"1.7976931348623157e308", ""}, {"1e99999999999999999999", ""}, {"-1e-99999999999999999999", ""},
		{"", ""}, {"+", ""}, {"-", ""}, {".", ""}, {"1.", ""}, {"1.e5", ""}, {"e5", ""}, {"1e", ""}, {"1e+", ""}, {"1e+-3", ""}, {"1e1.5", ""}, {"1e1e1", ""}, {"1E1e1", ""},
		{"+-1", ""}, {"-+1", ""}, {"--1", ""}, {"1.2.3", ""}, {"1_0", ""}, {"1e1_0", ""}, {"0x10", ""}, {"0b1", ""}, {"1/3", ""}, {" 1", ""}, {"1\n", ""},
		{"NaN", ""}, {"Infinity", ""}, {"inf", ""}, {"１", ""}, {"1e１", ""}, {"\xff", ""}, {"1\x00", ""}, {"1,5", ""},
	} {
		got, err := canon.ImportDecimal(tt.in)
		if string(got) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("ImportDecimal(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
		checkImport(t, tt.in)
	}
}

func TestImportDecimalProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	digits := func(most int) string {
		b := make([]byte, r.IntN(most+1))
		for i := range b {
			b[i] = "0000123456789"[r.IntN(13)]
		}
		return string(b)
	}
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for range 50_000 {
		s := pick("", "", "-", "+") + digits(45) + pick("", ".") + digits(45)
		if r.IntN(2) == 0 {
			s += pick("e", "E") + pick("", "+", "-") + strconv.Itoa(r.IntN(90))
		}
		checkImport(t, s)
	}
}

// checkImport holds ImportDecimal to exact arithmetic: what it returns is the
// number, and a number that it refuses has no Decimal.
func checkImport(t *testing.T, s string) {
	t.Helper()
	d, err := canon.ImportDecimal(s)
	if err != nil {
		readable(t, err)
	} else if !isCanonical.MatchString(string(d)) || d == "-0" {
		t.Fatalf("ImportDecimal(%q) = %q, not canonical", s, d)
	}
	want := exactly(s)
	switch {
	case err == nil && (want == nil || want.Cmp(d.Rat()) != 0):
		t.Fatalf("ImportDecimal(%q) = %q", s, d)
	case err != nil && want != nil:
		t.Fatalf("ImportDecimal(%q): %v, but it has a Decimal", s, err)
	}
}

// exactly returns the number that s spells, nil if there is none or none with
// forty digits on either side of the point.
func exactly(s string) *big.Rat {
	match := isNumber.FindStringSubmatch(s)
	if match == nil {
		return nil
	}
	if !strings.ContainsAny(match[1], "123456789") {
		return new(big.Rat) // whatever the exponent
	}
	if exp, err := strconv.Atoi(cmp.Or(match[4], "0")); err != nil || exp < -10_000 || exp > 10_000 {
		return nil // the texts of these tests are shorter
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("the oracle does not read " + s)
	}
	forty := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(40), nil))
	if new(big.Rat).Abs(n).Cmp(forty) >= 0 || !new(big.Rat).Mul(n, forty).IsInt() {
		return nil
	}
	return n
}

func TestRatPanics(t *testing.T) {
	for _, d := range []canon.Decimal{"", "1.0", "-0", "1/3", "1e5", "0x10"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Decimal(%q).Rat() returned", string(d))
				}
			}()
			d.Rat()
		}()
	}
}

func ExampleImportDecimal() {
	d, err := canon.ImportDecimal("+1.250e1")
	fmt.Println(d, err)
	// Output: 12.5 <nil>
}
