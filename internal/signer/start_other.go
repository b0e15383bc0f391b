//go:build !unix && !windows

package signer

import (
	"errors"
	"io"
	"os"
)

// Start: nothing here starts programs.
func Start([]string, int, func() error) (*Client, error) { return nil, errors.ErrUnsupported }

// Adopt returns nil.
func Adopt() (*Client, error) { return nil, nil }

// Conn: nothing here is a signer.
func Conn([]string) (io.ReadWriter, error) { return nil, errByHand }

// Secret returns nil.
func Secret() *os.File { return nil }
