package signer

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// Start starts a signer, hands it the variables of the given names, and takes them
// out of this process's environment. No program takes another's place here, so that
// it returns the signer; a descriptor of the passphrase is not handed over.
func Start(names []string, _ int, _ func() error) (*Client, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	fromSigner, answers, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer answers.Close()
	requests, toSigner, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer requests.Close()
	g := Given{Variables: map[string][]byte{}}
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok {
			g.Variables[name] = []byte(value)
			os.Unsetenv(name)
		}
	}
	theirs := []syscall.Handle{syscall.Handle(requests.Fd()), syscall.Handle(answers.Fd())}
	cmd := &exec.Cmd{
		Path: program, Args: []string{os.Args[0], Argument, fmt.Sprint(theirs[0]), fmt.Sprint(theirs[1])}, Env: os.Environ(),
		Stdin: os.Stdin, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{AdditionalInheritedHandles: theirs},
	}
	for _, h := range theirs {
		if err := syscall.SetHandleInformation(h, syscall.HANDLE_FLAG_INHERIT, syscall.HANDLE_FLAG_INHERIT); err != nil {
			return nil, err
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := sendJSON(toSigner, given, g); err != nil {
		return nil, err
	}
	return &Client{r: fromSigner, w: toSigner, over: func() { toSigner.Close() }, process: cmd.Process}, nil
}

// Adopt returns nil: Start has returned the signer.
func Adopt() (*Client, error) { return nil, nil }

// Conn returns the two pipes of a signer, whose handles are its arguments.
func Conn(args []string) (io.ReadWriter, error) {
	if len(args) != 2 {
		return nil, errByHand
	}
	var ends [2]*os.File
	for i, arg := range args {
		h, err := strconv.ParseUint(arg, 10, 64)
		if err != nil {
			return nil, errByHand
		}
		ends[i] = os.NewFile(uintptr(h), "signer")
	}
	return struct {
		io.Reader
		io.Writer
	}{ends[0], ends[1]}, nil
}

// Secret returns nil: no signer was given one.
func Secret() *os.File { return nil }
