package bundle

import (
	"bytes"
	"fmt"
)

// blockSize is the unit of a tar.
const blockSize = 512

// A block is a header or a part of a file.
type block [blockSize]byte

// The fields of a ustar header (POSIX.1-1988).
var fields = []struct {
	name     string
	from, to int
}{
	{"name", 0, 100},
	{"mode", 100, 108},
	{"uid", 108, 116},
	{"gid", 116, 124},
	{"size", 124, 136},
	{"mtime", 136, 148},
	{"type", 156, 157},
	{"link name", 157, 257},
	{"magic and version", 257, 265},
	{"user name", 265, 297},
	{"group name", 297, 329},
	{"device major", 329, 337},
	{"device minor", 337, 345},
	{"prefix", 345, 500},
	{"padding", 500, 512},
	{"checksum", 148, 156}, // last: it differs wherever anything else does
}

// header returns the one header of a regular file: what GNU tar --format=ustar
// writes with zero owners and time and mode 0644. With --numeric-owner it leaves
// the names of owner and group empty, and it writes device numbers as zeros in
// octal even where there is no device. path has at most 100 bytes, so that the
// prefix stays empty; size has at most eleven octal digits.
func header(path string, size int64) block {
	var h block
	copy(h[0:100], path)
	copy(h[100:], "0000644\x00"+"0000000\x00"+"0000000\x00")
	copy(h[124:], fmt.Sprintf("%011o\x00", size))
	copy(h[136:], "00000000000\x00")
	h[156] = '0'
	copy(h[257:], "ustar\x0000")
	copy(h[329:], "0000000\x00"+"0000000\x00")
	copy(h[148:], fmt.Sprintf("%06o\x00 ", checksum(h)))
	return h
}

// checksum adds the bytes of a header whose checksum field counts as spaces.
func checksum(h block) int {
	sum := 8 * int(' ')
	for i, c := range h {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	return sum
}

// padding returns the number of zero bytes after a file of size bytes.
func padding(size int64) int64 { return -size & (blockSize - 1) }

// parseHeader returns the path and the size of the file whose header h is. It
// reads these two alone, builds the header of such a file and compares.
func parseHeader(h block) (path string, size int64, fault *Error) {
	name := h[0:100]
	if i := bytes.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	path = string(name)
	if string(h[257:262]) != "ustar" {
		return "", 0, formatf("not a ustar header")
	}
	if h[156] != '0' {
		return path, 0, formatf("the entry is %s, not a regular file", typeName(h[156])).at(path)
	}
	for _, c := range h[124:135] {
		size = size<<3 | int64(c-'0')&7 // what is not a digit fails the comparison
	}
	want := header(path, size)
	if h == want {
		return path, size, nil
	}
	for _, f := range fields {
		got, want := h[f.from:f.to], want[f.from:f.to]
		if !bytes.Equal(got, want) {
			return path, 0, formatf("not canonical ustar: %s is %s, want %s", f.name, trimmed(got), trimmed(want)).at(path)
		}
	}
	return path, 0, formatf("not canonical ustar").at(path) // not reached: the fields cover the block
}

// trimmed quotes a field without the NULs that fill it.
func trimmed(field []byte) string { return quote(string(bytes.TrimRight(field, "\x00"))) }

func typeName(flag byte) string {
	switch flag {
	case 0:
		return "of a format before ustar"
	case '1':
		return "a hard link"
	case '2':
		return "a symbolic link"
	case '3':
		return "a character device"
	case '4':
		return "a block device"
	case '5':
		return "a directory"
	case '6':
		return "a FIFO"
	case '7':
		return "a contiguous file"
	case 'x', 'g':
		return "a PAX header"
	case 'L', 'K':
		return "a GNU long name"
	case 'S':
		return "a GNU sparse file"
	default:
		return fmt.Sprintf("of type %s", quote(string([]byte{flag})))
	}
}
