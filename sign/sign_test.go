package sign

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

// filled returns n bytes of value b.
func filled(n int, b byte) []byte { return bytes.Repeat([]byte{b}, n) }

// TestOneSpelling holds that each textual form is read back from exactly the
// text that is written, and from no other text that means the same.
func TestOneSpelling(t *testing.T) {
	d, s, id := Digest(filled(32, 0xab)), Signature(filled(64, 0xfb)), KeyID(filled(32, 0xfb))
	b64, raw64 := s.String(), strings.TrimPrefix(id.String(), keyIDPrefix)
	lastOf := func(text string, c byte) string { return text[:len(text)-1] + string(c) }

	tests := []struct {
		form  string
		parse func(string) (encoding.TextMarshaler, error)
		good  string
		bad   map[string]string
	}{
		{
			form:  "digest",
			parse: func(s string) (encoding.TextMarshaler, error) { return ParseDigest(s) },
			good:  "sha256:" + strings.Repeat("ab", 32),
			bad: map[string]string{
				"upper-case digits":    "sha256:" + strings.Repeat("AB", 32),
				"one upper-case":       "sha256:" + strings.Repeat("ab", 31) + "aB",
				"upper-case prefix":    "SHA256:" + strings.Repeat("ab", 32),
				"no prefix":            strings.Repeat("ab", 32),
				"other algorithm":      "sha512:" + strings.Repeat("ab", 32),
				"short":                "sha256:" + strings.Repeat("ab", 31),
				"odd":                  "sha256:" + strings.Repeat("ab", 31) + "a",
				"long":                 "sha256:" + strings.Repeat("ab", 33),
				"not hexadecimal":      "sha256:" + strings.Repeat("ag", 32),
				"space before":         " " + d.String(),
				"space after":          d.String() + " ",
				"line break":           d.String() + "\n",
				"separator":            "sha256-" + d.Hex(),
				"full-width character": "sha256:" + strings.Repeat("ab", 30) + "ａb",
			},
		},
		{
			form:  "signature",
			parse: func(s string) (encoding.TextMarshaler, error) { return ParseSignature(s) },
			good:  b64,
			bad: map[string]string{
				"url alphabet":      base64.URLEncoding.EncodeToString(s[:]),
				"no padding":        base64.RawStdEncoding.EncodeToString(s[:]),
				"half the padding":  strings.TrimSuffix(b64, "="),
				"more padding":      b64 + "=",
				"trailing bits":     b64[:85] + lastOf(b64[85:86], '7') + "==",
				"line break inside": b64[:40] + "\n" + b64[40:],
				"line break after":  b64 + "\n",
				"carriage return":   b64[:40] + "\r\n" + b64[40:],
				"space inside":      b64[:40] + " " + b64[40:],
				"63 bytes":          base64.StdEncoding.EncodeToString(s[:63]),
				"65 bytes":          base64.StdEncoding.EncodeToString(append(s[:], 1)),
				"hexadecimal":       strings.Repeat("fb", 64),
			},
		},
		{
			form:  "key id",
			parse: func(s string) (encoding.TextMarshaler, error) { return ParseKeyID(s) },
			good:  "SHA256:" + raw64,
			bad: map[string]string{
				"lower-case prefix": "sha256:" + raw64,
				"no prefix":         raw64,
				"padding":           "SHA256:" + raw64 + "=",
				"url alphabet":      "SHA256:" + base64.RawURLEncoding.EncodeToString(id[:]),
				"trailing bits":     "SHA256:" + lastOf(raw64, 't'),
				"line break inside": "SHA256:" + raw64[:20] + "\n" + raw64[20:],
				"line break after":  "SHA256:" + raw64 + "\n",
				"31 bytes":          "SHA256:" + base64.RawStdEncoding.EncodeToString(id[:31]),
				"33 bytes":          "SHA256:" + base64.RawStdEncoding.EncodeToString(append(id[:], 1)),
				"MD5":               "MD5:" + raw64,
				"only the prefix":   "SHA256:",
			},
		},
	}
	for _, tt := range tests {
		v, err := tt.parse(tt.good)
		if err != nil {
			t.Errorf("%s %q: %v", tt.form, tt.good, err)
			continue
		}
		if text, err := v.MarshalText(); err != nil || string(text) != tt.good {
			t.Errorf("%s %q is written as %q (%v)", tt.form, tt.good, text, err)
		}
		tt.bad["empty"] = ""
		for name, text := range tt.bad {
			if text == tt.good {
				t.Errorf("%s: the case %q is the good text", tt.form, name)
			}
			if _, err := tt.parse(text); err == nil {
				t.Errorf("%s: %s is accepted: %q", tt.form, name, text)
			}
		}
		// No change of one character may leave another spelling of the same value.
		for i := range len(tt.good) {
			for c := range 128 {
				text := tt.good[:i] + string(rune(c)) + tt.good[i+1:]
				if w, err := tt.parse(text); err == nil && text != tt.good && w == v {
					t.Errorf("%s: %q and %q are the same value", tt.form, tt.good, text)
				}
			}
		}
	}
}

// TestUnmarshalTextKeepsValue holds that a failed parse changes nothing.
func TestUnmarshalTextKeepsValue(t *testing.T) {
	d, s, id := Sum([]byte("x")), Signature(filled(64, 1)), KeyID(filled(32, 2))
	for _, u := range []encoding.TextUnmarshaler{&d, &s, &id} {
		if u.UnmarshalText([]byte("nonsense")) == nil {
			t.Errorf("%T accepts nonsense", u)
		}
	}
	if d != Sum([]byte("x")) || s != Signature(filled(64, 1)) || id != KeyID(filled(32, 2)) {
		t.Error("a refused text changed the value")
	}
}

func TestSumReader(t *testing.T) {
	data := filled(100_000, 7)
	d, n, err := SumReader(iotest.OneByteReader(bytes.NewReader(data)))
	if err != nil || n != int64(len(data)) || d != Sum(data) {
		t.Errorf("SumReader = %v, %d, %v", d, n, err)
	}
	fault := errors.New("disk gone")
	if _, _, err := SumReader(iotest.ErrReader(fault)); !errors.Is(err, fault) {
		t.Errorf("error %v, want %v", err, fault)
	}
	if (Digest{}).IsZero() != true || d.IsZero() {
		t.Error("IsZero is wrong")
	}
}
