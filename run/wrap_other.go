//go:build !unix

package run

import "os"

func shellCode(p *os.ProcessState) int { return p.ExitCode() }

// heard reports that the console has told the command, too: there is no way to
// pass an interrupt on.
func heard(os.Signal) bool { return true }
