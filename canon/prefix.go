package canon

import (
	"encoding/binary"
	"unicode/utf8"
)

// Prefix returns the length of the value at the start of data, if it is certainly
// in canonical form where it stands inside depth objects and arrays; otherwise 0.
// What follows is not looked at. It is for readers that know the shape of a
// document and need not decode it; like recognise, it leaves rare cases to the
// slow way.
func Prefix(data []byte, depth int) int {
	end := scanValue(data, 0, depth)
	if end == no || !utf8.Valid(data[:end]) {
		return 0
	}
	return end
}

// plainRun returns how many bytes at the start of s stand for themselves inside a
// string, eight at a time. It may stop up to seven bytes early.
func plainRun(s []byte) (n int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for len(s) >= 8 {
		x := binary.LittleEndian.Uint64(s)
		quote, slash := x^'"'*ones, x^'\\'*ones
		// A top bit is set of each byte below 0x20, or 0 after the XOR, and perhaps
		// of further ones above it.
		if ((x-0x20*ones)&^x|(quote-ones)&^quote|(slash-ones)&^slash)&tops != 0 {
			return n
		}
		n, s = n+8, s[8:]
	}
	return n
}
