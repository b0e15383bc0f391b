package audit

import (
	"bytes"
	"encoding/base64"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A cursor reads a line whose members and their order are known. It turns bad where
// the line has something else, and what its methods return after that means nothing.
// They accept the canonical spelling only.
type cursor struct {
	text []byte
	at   int
	bad  bool
}

func (c *cursor) rest() []byte { return c.text[c.at:] }

// skip moves past s and returns true if s comes next.
func (c *cursor) skip(s string) bool {
	end := c.at + len(s)
	if end > len(c.text) || string(c.text[c.at:end]) != s {
		return false
	}
	c.at = end
	return true
}

// want moves past s, which must come next.
func (c *cursor) want(s string) {
	if !c.skip(s) {
		c.bad = true
	}
}

// take returns the next n bytes.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.text)-c.at {
		c.bad = true
		return nil
	}
	c.at += n
	return c.text[c.at-n : c.at]
}

// value returns the next JSON value, which stands inside depth objects and arrays.
func (c *cursor) value(depth int) []byte {
	n := canon.Prefix(c.rest(), depth)
	if n == 0 {
		c.bad = true
	}
	return c.take(n)
}

// name reads a string of U+0020 to U+007E without escapes and returns what is between
// its quotes.
func (c *cursor) name() []byte {
	c.want(`"`)
	rest, n := c.rest(), 0
	for n < len(rest) && rest[n] >= 0x20 && rest[n] <= 0x7e && rest[n] != '"' && rest[n] != '\\' {
		n++
	}
	if n > limits.JSONString {
		c.bad = true
	}
	s := c.take(n)
	c.want(`"`)
	return s
}

// digest reads a digest with its quotes.
func (c *cursor) digest(d *sign.Digest) {
	c.want(`"sha256:`)
	var wrong byte
	if hex := c.take(2 * len(d)); hex != nil {
		for i := range d {
			high, low := nibble[hex[2*i]], nibble[hex[2*i+1]]
			wrong |= high | low
			d[i] = high<<4 | low&0xf
		}
	}
	c.bad = c.bad || wrong > 0xf
	c.want(`"`)
}

// nibble is the value of a lower-case hexadecimal digit, 0xff of other bytes.
var nibble = func() (t [256]byte) {
	for c := range t {
		t[c] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()

// number reads an integer from 0 to 10^15 − 1. Some larger ones are allowed, too: lines
// with those are parsed the slow way.
func (c *cursor) number() (n int64) {
	rest, digits := c.rest(), 0
	for digits < len(rest) && rest[digits]-'0' <= 9 {
		if digits < 16 {
			n = n*10 + int64(rest[digits]-'0')
		}
		digits++
	}
	c.bad = c.bad || digits == 0 || digits > 15 || rest[0] == '0' && digits > 1
	c.at += digits
	return n
}

// time reads a Time with its quotes.
func (c *cursor) time() Time {
	c.want(`"`)
	s := c.take(len(timeLayout))
	c.want(`"`)
	if c.bad {
		return Time{}
	}
	digits := func(from, n int) (v int) {
		for _, d := range s[from : from+n] {
			c.bad = c.bad || d-'0' > 9
			v = v*10 + int(d-'0')
		}
		return v
	}
	year, month, day := digits(0, 4), digits(5, 2), digits(8, 2)
	hour, min, sec, us := digits(11, 2), digits(14, 2), digits(17, 2), digits(20, 6)
	c.bad = c.bad || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != '.' || s[26] != 'Z' ||
		month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) || hour > 23 || min > 59 || sec > 59
	return Time{time.Date(year, time.Month(month), day, hour, min, sec, us*1000, time.UTC)}
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// quoted returns the next string as it is spelled, with its quotes.
func (c *cursor) quoted() []byte {
	if c.at == len(c.text) || c.text[c.at] != '"' {
		c.bad = true
		return nil
	}
	return c.value(2)
}

// nonEmpty reads a name that is not empty.
func (c *cursor) nonEmpty(m *textMemo) string {
	b := c.name()
	c.bad = c.bad || len(b) == 0
	return *m.intern(b)
}

// status reads one of the statuses.
func (c *cursor) status() string {
	for _, s := range []string{StatusOK, StatusFailed, StatusAborted} {
		if c.skip(`"` + s + `"`) {
			return s
		}
	}
	c.bad = true
	return ""
}

// items reads an array of at least one item.
func (c *cursor) items() {
	c.want("[")
	for last := []byte(nil); !c.bad; {
		c.want(`{"hash":`)
		c.digest(new(sign.Digest))
		c.want(`,"uri":`)
		uri := c.name()
		c.bad = c.bad || bytes.Compare(last, uri) >= 0 // also if it is empty
		last = uri
		c.want("}")
		if !c.skip(",") {
			break
		}
	}
	c.want("]")
}

// signature reads a signature without its quotes.
func (c *cursor) signature(s *sign.Signature) {
	var raw [sigLen / 4 * 3]byte
	n, err := strictBase64.Decode(raw[:], c.take(sigLen))
	c.bad = c.bad || err != nil || n != len(s) // shorter if it has line breaks, which Strict skips
	copy(s[:], raw[:])
}

var strictBase64 = base64.StdEncoding.Strict()
