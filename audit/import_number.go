package audit

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/relseal/relseal/canon"
)

// ImportValue returns the canonical form of the one JSON value in data, however
// it is spelled. An integer within ±(2^53−1) stays a number. Every other number,
// 1.0 and 1e3 among them, becomes the text of its decimal: 1.50 is "1.5". So the
// numbers of one program keep one type whatever their values are.
func ImportValue(data []byte) (canon.Value, error) {
	imported, err := eachNumber(data, func(number string) (string, error) {
		d, err := canon.ImportDecimal(number)
		return `"` + string(d) + `"`, err
	})
	if err != nil {
		return nil, err
	}
	out, err := canon.Canonicalize(imported)
	if err == nil {
		return out, nil
	}
	// The place in the error must be one of data.
	masked, _ := eachNumber(data, func(number string) (string, error) {
		return "0" + strings.Repeat(" ", len(number)-1), nil
	})
	if _, fault := canon.Canonicalize(masked); fault != nil {
		err = fault
	}
	return nil, err
}

// eachNumber returns data with every number replaced that canonical JSON does not
// have. It looks at no other fault: what is no JSON may come out as anything that
// is none either.
func eachNumber(data []byte, replace func(string) (string, error)) ([]byte, error) {
	var out []byte
	done := 0 // bytes of data that are in out
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == '"':
			i = afterString(data, i)
		case c == '-' || '0' <= c && c <= '9':
			rest := bytes.TrimLeft(data[i:], "0123456789+-.eE")
			number := data[i : len(data)-len(rest)]
			if canon.Value(number).IsValid() && canon.Check(number) != nil {
				text, err := replace(string(number))
				if err != nil {
					return nil, fmt.Errorf("byte %d: %w", i, err)
				}
				out = append(append(out, data[done:i]...), text...)
				done = i + len(number)
			}
			i += len(number)
		default:
			i++
		}
	}
	if done == 0 {
		return data, nil
	}
	return append(out, data[done:]...), nil
}

// afterString returns the index after the string that starts at data[i].
func afterString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}
