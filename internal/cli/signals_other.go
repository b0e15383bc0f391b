//go:build !unix

package cli

import "os"

var interrupts = []os.Signal{os.Interrupt}

func catchBrokenPipe() (stop func()) { return func() {} }
