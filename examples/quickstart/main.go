// Greetd greets people over HTTP. It is small, but it is a whole service: it
// has limits, a health check and an orderly end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// Version is what -version prints; relseal.yaml names the same one.
const version = "1.0.0"

// The defaults that a release ships with. cards/params.yaml states them with
// their unit and domain; a test compares.
const (
	defaultMaxConns = 256
	defaultTimeout  = 2500 * time.Millisecond
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "greetd: error:", err)
		}
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments. It returns when ctx ends and
// the requests that were under way have been answered.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("greetd", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on")
	maxConns := flags.Int("max-conns", defaultMaxConns, "connections served at a time, 1 to 4096")
	timeout := flags.Duration("timeout", defaultTimeout, "time a client has for one request, 100ms to 60s")
	showVersion := flags.Bool("version", false, "print the version and exit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *showVersion:
		_, err := fmt.Fprintf(stdout, "greetd %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *maxConns < 1 || *maxConns > 4096:
		return fmt.Errorf("-max-conns is %d, want 1 to 4096", *maxConns)
	case *timeout < 100*time.Millisecond || *timeout > time.Minute:
		return fmt.Errorf("-timeout is %v, want 100ms to 60s", *timeout)
	}

	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "greetd: listening on %v\n", l.Addr())
	return serve(ctx, limit(l, *maxConns), handler(), *timeout)
}

// serve lets h answer on l until ctx ends, then gives open requests one timeout
// more.
func serve(ctx context.Context, l net.Listener, h http.Handler, timeout time.Duration) error {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: timeout,
		ReadTimeout:       timeout,
		WriteTimeout:      timeout,
		IdleTimeout:       timeout,
		MaxHeaderBytes:    16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return s.Shutdown(last)
}
