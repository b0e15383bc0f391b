package canon

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// A Decimal is an exact decimal number as text, in its only spelling:
//
//	-?(0|[1-9][0-9]{0,39})(\.[0-9]{0,39}[1-9])?     never "-0"
//
// so it has at most 40 digits on either side of the point and no trailing zero.
type Decimal string

// ParseDecimal returns s as a Decimal; it accepts only the canonical spelling.
func ParseDecimal(s string) (Decimal, error) {
	if !isDecimal(s) {
		return "", fmt.Errorf("%q is not a canonical decimal", clip(s))
	}
	return Decimal(s), nil
}

// ImportDecimal returns the Decimal of another spelling of a number: leading
// plus, exponent, surplus zeros. It is exact: what has no Decimal is refused.
func ImportDecimal(s string) (Decimal, error) {
	text, negative := strings.CutPrefix(s, "-")
	if !negative {
		text = strings.TrimPrefix(s, "+")
	}
	mantissa, exponent, hasExp := strings.Cut(strings.Replace(text, "E", "e", 1), "e")
	whole, frac, hasPoint := strings.Cut(mantissa, ".")
	if !hasExp {
		exponent = "0"
	}
	const digit = "0123456789"
	exp, err := strconv.Atoi(exponent) // out of range: the nearest int, whatever follows
	if strings.Trim(whole+frac, digit) != "" || whole+frac == "" || hasPoint && frac == "" ||
		errors.Is(err, strconv.ErrSyntax) || strings.Trim(strings.TrimLeft(exponent, "+-"), digit) != "" {
		return "", fmt.Errorf("%q is not a decimal number", clip(s))
	}
	// Move the point. An exponent beyond the digits by more than forty cannot fit;
	// cutting it there keeps the padding in proportion to the input.
	digits, most := whole+frac, len(whole+frac)+41
	point := len(whole) + min(max(exp, -most), most)
	digits = strings.Repeat("0", max(-point, 0)) + digits + strings.Repeat("0", max(point-len(digits), 0))
	whole = strings.TrimLeft(digits[:max(point, 0)], "0")
	frac = strings.TrimRight(digits[max(point, 0):], "0")

	out := cmp.Or(whole, "0")
	if frac != "" {
		out += "." + frac
	}
	if negative && out != "0" {
		out = "-" + out
	}
	if !isDecimal(out) {
		return "", fmt.Errorf("%q needs more than 40 digits before or after the point", clip(s))
	}
	return Decimal(out), nil
}

// Rat returns d as an exact rational number. It panics if d was not made by
// ParseDecimal, ImportDecimal or Unmarshal.
func (d Decimal) Rat() *big.Rat {
	r, ok := new(big.Rat).SetString(string(d))
	if !ok || !isDecimal(string(d)) {
		panic("canon: malformed Decimal " + strconv.Quote(string(d)))
	}
	return r
}

// Cmp returns -1, 0 or 1 as d is less than, equal to or greater than e. In their only
// spelling decimals are compared as they stand.
func (d Decimal) Cmp(e Decimal) int {
	a, less := strings.CutPrefix(string(d), "-")
	b, other := strings.CutPrefix(string(e), "-")
	switch {
	case less && !other:
		return -1
	case other && !less:
		return 1
	case less:
		a, b = b, a
	}
	wholeA, fracA, _ := strings.Cut(a, ".")
	wholeB, fracB, _ := strings.Cut(b, ".")
	return cmp.Or(cmp.Compare(len(wholeA), len(wholeB)), cmp.Compare(wholeA, wholeB), cmp.Compare(fracA, fracB))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Decimal) UnmarshalText(text []byte) error {
	v, err := ParseDecimal(string(text))
	*d = v
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (d Decimal) MarshalText() ([]byte, error) {
	if d == "" {
		return nil, errors.New("no decimal number")
	}
	if !isDecimal(string(d)) {
		return nil, fmt.Errorf("%q is not a canonical decimal", clip(string(d)))
	}
	return []byte(d), nil
}

func isDecimal(s string) bool {
	if s == "-0" {
		return false
	}
	whole, frac, hasPoint := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if !allDigits(whole) || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return !hasPoint || allDigits(frac) && frac[len(frac)-1] != '0'
}

// allDigits reports whether s is one to forty decimal digits.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 40
}
