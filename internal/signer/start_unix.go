//go:build unix

package signer

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// variable names the socket and the process of the signer, for the process that
// Start puts in place of this one.
const variable = "RELSEAL_SIGNER"

// The descriptors of a signer beside the standard ones.
const (
	socketFD = 3
	secretFD = 4 // of the passphrase
)

// Start starts a signer, hands it the variables of the given names and the
// descriptor secret of the passphrase (-1: none), and puts this program anew in
// the place of this process, without any of them, unless last, which is called right
// before, returns an error: it returns only if that fails.
// The program goes on from its beginning and gets the signer from [Adopt]. In the
// same process, because its number, its exit code and its place in a pipeline and
// at the terminal are its caller's.
func Start(names []string, secret int, last func() error) (*Client, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil { // a newer one is in its place, say
		program = "/proc/self/exe"
	}
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	defer theirs.Close()

	g := Given{Variables: map[string][]byte{}}
	environ := os.Environ()
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok {
			g.Variables[name] = []byte(value)
		}
		environ = slices.DeleteFunc(environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	cmd := &exec.Cmd{
		Path: program, Args: []string{os.Args[0], Argument}, Env: environ,
		Stdin: os.Stdin, Stderr: os.Stderr, ExtraFiles: []*os.File{theirs},
	}
	if secret > 2 {
		if _, err := unix.FcntlInt(uintptr(secret), unix.F_GETFD, 0); err == nil {
			unix.CloseOnExec(secret)
			g.Descriptor = true
			cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(secret), "passphrase"))
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := sendJSON(ours, given, g); err != nil {
		return nil, err
	}
	if _, err := unix.FcntlInt(ours.Fd(), unix.F_SETFD, 0); err != nil { // it outlives exec
		return nil, err
	}
	environ = append(environ, fmt.Sprintf("%s=%d,%d", variable, ours.Fd(), cmd.Process.Pid))
	if err := last(); err != nil {
		return nil, err
	}
	return nil, &os.PathError{Op: "exec", Path: program, Err: syscall.Exec(program, os.Args, environ)}
}

// socketpair returns two connected sockets that no other program gets.
func socketpair() (a, b *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(fds[0]), "signer"), os.NewFile(uintptr(fds[1]), "signer"), nil
}

// Adopt returns the signer that was started for this process; nil if none was. The
// programs that this process starts get neither the socket nor its variable.
func Adopt() (*Client, error) {
	value, ok := os.LookupEnv(variable)
	if !ok {
		return nil, nil
	}
	os.Unsetenv(variable)
	var fd, pid int
	if _, err := fmt.Sscanf(value, "%d,%d", &fd, &pid); err != nil || fd <= 2 {
		return nil, fmt.Errorf("the variable %s is relseal's own: unset it", variable)
	}
	if _, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return nil, fmt.Errorf("the variable %s is relseal's own, and names no signer: unset it", variable)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil { // so that closing ends a read
		return nil, err
	}
	conn := os.NewFile(uintptr(fd), "signer")
	c := &Client{r: conn, w: conn, over: func() { unix.Shutdown(fd, unix.SHUT_WR) }}
	c.process, _ = os.FindProcess(pid)
	return c, nil
}

// Conn returns the socket of a signer.
func Conn([]string) (io.ReadWriter, error) {
	if _, err := unix.GetsockoptInt(socketFD, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return nil, errByHand
	}
	unix.CloseOnExec(socketFD)
	return os.NewFile(socketFD, "signer"), nil
}

// Secret returns the descriptor of the passphrase that a signer was given.
func Secret() *os.File { return os.NewFile(secretFD, "passphrase") }
