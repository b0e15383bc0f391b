package gates

import (
	"errors"
	"strconv"
	"strings"

	"github.com/relseal/relseal/canon"
)

// A Value is what a source wrote for one metric, kept as written: "0.97",
// "9.7e-1", "NaN", "fast". The empty Value is a missing one; in JSON it is null.
//
// Nothing is rounded or corrected on the way in, so that a record shows what was
// measured; only a Value that is an exact decimal decides anything:
// docs/format.md, "The decision".
type Value string

// Decimal returns the exact number that v is. It is false for a missing value and
// for text that is no decimal, or needs more than 40 digits before or after the
// point: such a value is never evidence.
func (v Value) Decimal() (canon.Decimal, bool) {
	if v == "" {
		return "", false
	}
	if d, err := canon.ParseDecimal(string(v)); err == nil {
		return d, true
	}
	d, err := canon.ImportDecimal(string(v))
	return d, err == nil
}

// MarshalJSON writes null for a missing value.
func (v Value) MarshalJSON() ([]byte, error) {
	switch {
	case v == "":
		return []byte("null"), nil
	case canon.Printable(string(v)) && !strings.ContainsAny(string(v), `"\`):
		return []byte(`"` + v + `"`), nil // 10^5 windows: ten times faster than the general way
	default:
		return canon.Marshal(string(v))
	}
}

// UnmarshalJSON reads text or null.
func (v *Value) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*v = ""
		return nil
	}
	if data[0] != '"' {
		return errors.New("a metric is text or null")
	}
	return canon.Unmarshal(data, (*string)(v))
}

// An Int is an integer that may be unset.
type Int struct {
	n   int64
	set bool
}

// Some returns an Int that is set.
func Some(n int64) Int { return Int{n, true} }

// Get returns the integer and whether it is set.
func (i Int) Get() (int64, bool) { return i.n, i.set }

// IsZero reports whether i is unset; such a member is absent.
func (i Int) IsZero() bool { return !i.set }

// MarshalJSON writes null for an unset integer.
func (i Int) MarshalJSON() ([]byte, error) {
	if !i.set {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, i.n, 10), nil
}

// UnmarshalJSON reads an integer or null.
func (i *Int) UnmarshalJSON(data []byte) error {
	*i = Int{}
	if string(data) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil {
		return errors.New("not an integer")
	}
	*i = Some(n)
	return nil
}
