//go:build !unix

package ui

import "os"

// Interrupts are the signals that ask for an end.
var Interrupts = []os.Signal{os.Interrupt}

// CatchBrokenPipe does nothing: no signal tells of a closed pipe here.
func CatchBrokenPipe() (stop func()) { return func() {} }
