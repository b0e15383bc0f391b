package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/relseal/relseal/internal/regular"
)

// MaxFile bounds a key file. The largest key of another kind that deserves its
// own error, RSA of 16384 bits, has 13 KB.
const MaxFile = 64 << 10

// Read returns what the regular file path holds, and its mode. It does not
// wait for the writer of a FIFO, nor does it read devices.
func Read(path string) ([]byte, fs.FileMode, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, 0, Error(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, Error(path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, 0, Error(path, err)
	}
	if len(data) > MaxFile {
		return nil, 0, Error(path, fmt.Errorf("is above %d KiB, too long for a key or a root", MaxFile>>10))
	}
	return data, info.Mode(), nil
}

// Error returns err with the file's name before it, once. Inside err may be an
// error about another file, one that holds a passphrase: that keeps its name.
func Error(path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok && pe.Path == path {
		err = pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		err = le.Err
	}
	return fmt.Errorf("%s: %w", display(path), err)
}

// display returns path as it can stand in one line of text.
func display(path string) string {
	if strings.ContainsFunc(path, unicode.IsControl) {
		return strconv.Quote(path)
	}
	return path
}

// Shell returns path as it can be pasted into a Unix Shell.
func Shell(path string) string {
	safe := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_@%+=:,./-", r)
	}
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return !safe(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(display(path), "'", `'\''`) + "'"
}
