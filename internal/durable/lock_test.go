package durable

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// holder names, in the environment, the file that a child process is to lock.
const holder = "DURABLE_TEST_LOCK"

func TestMain(m *testing.M) {
	path, ok := os.LookupEnv(holder)
	if !ok {
		os.Exit(m.Run())
	}
	unlock, err := Lock(context.Background(), path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("locked")
	io.Copy(io.Discard, os.Stdin)
	unlock()
	os.Exit(0)
}

// hold starts a process that has the lock when hold returns.
func hold(t *testing.T, path string) (stdin io.Closer, child *exec.Cmd) {
	t.Helper()
	child = exec.Command(os.Args[0])
	child.Env = append(os.Environ(), holder+"="+path)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("child said %q, %v", line, err)
	}
	return in, child
}

func brief(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestLockExcludesOtherProcess(t *testing.T) {
	for _, end := range []string{"unlock", "kill"} {
		t.Run(end, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			stdin, child := hold(t, path)
			_, err := Lock(brief(t), path)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), path) {
				t.Fatalf("Lock beside another process: %v", err)
			}
			if end == "kill" {
				child.Process.Kill()
			} else {
				stdin.Close()
			}
			unlock, err := Lock(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			unlock()
			unlock()
		})
	}
}

func TestLockFileWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	stdin, _ := hold(t, path)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make(chan error)
	go func() {
		unlock, err := LockFile(t.Context(), f, nil)
		if err == nil {
			err = unlock()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	// The lock keeps nobody from reading and writing.
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Error(err)
	}
	stdin.Close()
	if err := <-got; err != nil {
		t.Fatal(err)
	}
}

// Waiting ends with the context, says for whom, and leaves no lock behind.
func TestLockFileCalledOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	stdin, child := hold(t, path)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	called := errors.New("called off")
	said := ""
	if _, err := LockFile(ctx, f, func(holder string) { said = holder; cancel(called) }); !errors.Is(err, called) {
		t.Fatalf("LockFile: %v", err)
	}
	if want := fmt.Sprintf("process %d ", child.Process.Pid); runtime.GOOS == "linux" && !strings.HasPrefix(said, want) || said == "" {
		t.Errorf("waited for %q", said)
	}
	stdin.Close()
	unlock, err := Lock(t.Context(), path) // which the one who gave up would keep
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLockWithinProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var n, holders atomic.Int32 // atomic for the race detector, which knows nothing of file locks
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			unlock, err := Lock(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			if holders.Add(1) != 1 {
				t.Error("two holders")
			}
			n.Add(1)
			time.Sleep(time.Millisecond)
			holders.Add(-1)
		})
	}
	wg.Wait()
	if n.Load() != 8 {
		t.Errorf("%d of 8 had the lock", n.Load())
	}
}

// TestLockReplaced is about a lock file that is removed while somebody waits
// for it: the waiter must not be content with the lock on the old file.
func TestLockReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := tryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(path); err != nil {
		t.Skip("an open file cannot be removed here:", err)
	}
	if same, err := Same(f, path); same || err != nil {
		t.Errorf("Same = %v, %v for a removed file", same, err)
	}
	unlock, err := Lock(brief(t), path)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if same, err := Same(f, path); same || err != nil {
		t.Errorf("Same = %v, %v for a replaced file", same, err)
	}
}
