package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestHandler(t *testing.T) {
	for _, c := range []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "/healthz", 200, "ok\n"},
		{"GET", "/greet", 200, "Hello, world!\n"},
		{"GET", "/greet?name=Ada", 200, "Hello, Ada!\n"},
		{"GET", "/greet?name=Zo%C3%AB+B.", 200, "Hello, Zoë B.!\n"},
		{"GET", "/greet?name=a%0Ab", 400, ""},
		{"GET", "/greet?name=%FF", 400, ""},
		{"GET", "/greet?name=" + strings.Repeat("a", maxName+1), 400, ""},
		{"POST", "/greet?name=Ada", 405, ""},
		{"GET", "/elsewhere", 404, ""},
	} {
		w := httptest.NewRecorder()
		handler().ServeHTTP(w, httptest.NewRequest(c.method, c.target, nil))
		if w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.target, w.Code, w.Body, c.status, c.body)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args string
		want string // in the error; "" for none
	}{
		{"-version", ""},
		{"-max-conns 0", "-max-conns is 0"},
		{"-max-conns 4097", "-max-conns is 4097"},
		{"-timeout 1ms", "-timeout is 1ms"},
		{"-timeout 2m", "-timeout is 2m0s"},
		{"-version=false extra", `unexpected argument "extra"`},
		{"-nothing", "not defined"},
	} {
		var out strings.Builder
		err := run(t.Context(), strings.Fields(c.args), &out, io.Discard)
		if c.want == "" {
			if err != nil || !strings.HasPrefix(out.String(), "greetd "+version+" ") {
				t.Errorf("%s: %q, %v", c.args, out.String(), err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.args, err, c.want)
		}
	}
}

// What the release says of its parameters is what the program does.
func TestDefaultsAreTheParamCards(t *testing.T) {
	card, err := os.ReadFile("cards/params.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("{name: max_conns, value: %d,", defaultMaxConns),
		fmt.Sprintf("{name: timeout, value: \"%v\",", defaultTimeout.Seconds()),
	} {
		if !strings.Contains(string(card), want) {
			t.Errorf("cards/params.yaml does not say %s", want)
		}
	}
}

// A request that is under way when the service is told to stop is answered.
func TestShutdown(t *testing.T) {
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		for { // until nobody listens any more
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				break
			}
			c.Close()
			time.Sleep(time.Millisecond)
		}
		handler().ServeHTTP(w, r)
	})
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l, h, 5*time.Second) }()
	ask(t, dial(t, l))
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLimit(t *testing.T) {
	l := limit(listen(t), 1)
	go http.Serve(l, handler())

	first := dial(t, l)
	ask(t, first)
	second := dial(t, l) // the kernel accepts it, the server does not yet
	fmt.Fprint(second, request)
	second.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, _ := second.Read(make([]byte, 1)); n != 0 {
		t.Fatal("a second connection was served beside the first")
	}
	first.Close()
	second.SetReadDeadline(time.Time{})
	readAnswer(t, second)
}

const request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

func ask(t *testing.T, c net.Conn) {
	t.Helper()
	fmt.Fprint(c, request)
	readAnswer(t, c)
}

func readAnswer(t *testing.T, c net.Conn) {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 200 OK\r\n") {
		t.Fatalf("answer %q, %v", buf[:n], err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
