package signer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
)

// ring is a keyring with one key.
type ring struct {
	key   *private.Key
	given Given
	err   error
	wait  bool // for the end of the caller
	asked []Request
}

func (r *ring) Open(ctx context.Context, q Request) (sign.Signer, error) {
	r.asked = append(r.asked, q)
	if r.wait {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return r.key, r.err
}

func (r *ring) Save(comment string) ([]string, error) { return []string{comment + ".key"}, r.err }

// serve starts a signer with r. done has the error of Serve.
func serve(t *testing.T, r *ring) (c *Client, raw net.Conn, done chan error) {
	t.Helper()
	if r.key == nil {
		var err error
		if r.key, err = private.Generate(nil); err != nil {
			t.Fatal(err)
		}
	}
	near, far := net.Pipe()
	done = make(chan error, 1)
	go func() {
		err := Service{
			Keys:     func(g Given) Keys { r.given = g; return r },
			Describe: func(err error) (int, string, string) { return 66, err.Error(), "look again" },
		}.Serve(far)
		far.Close()
		done <- err
	}()
	t.Cleanup(func() { near.Close() })
	return &Client{r: near, w: near, over: func() { near.Close() }}, near, done
}

func TestSign(t *testing.T) {
	r := &ring{}
	c, raw, done := serve(t, r)
	if err := sendJSON(raw, given, Given{Variables: map[string][]byte{"PASS": {0xff, 'x'}}}); err != nil {
		t.Fatal(err)
	}
	key, err := c.Open(t.Context(), Request{File: "F.key", From: Variable, Name: "PASS"})
	if err != nil {
		t.Fatal(err)
	}
	if key.Public() != r.key.Public() || string(r.given.Variables["PASS"]) != "\xffx" || r.asked[0].Name != "PASS" {
		t.Errorf("key %v, given %v, asked %v", key.Public(), r.given, r.asked)
	}
	for _, message := range purposes(t) {
		sig, err := key.Sign(message)
		if err != nil || !key.Public().Verify(message, sig) {
			t.Errorf("%.40q: %v", message, err)
		}
	}
	for name, message := range strangers(t) {
		if _, err := key.Sign(message); err == nil || !strings.Contains(err.Error(), "signs the head of a trail") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Save("x"); err == nil {
		t.Error("a key that is not new was saved")
	}
	if _, err := c.Open(t.Context(), Request{File: "G.key"}); err == nil || len(r.asked) != 1 {
		t.Errorf("a second key was opened: %v", err)
	}
	c.Close()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestNew(t *testing.T) {
	c, _, _ := serve(t, &ring{})
	if _, err := c.Open(t.Context(), Request{File: "F.key", New: true}); err != nil {
		t.Fatal(err)
	}
	if files, err := c.Save("demo"); err != nil || fmt.Sprint(files) != "[demo.key]" {
		t.Errorf("%v, %v", files, err)
	}
	if _, err := c.Save("demo"); err == nil {
		t.Error("saved twice")
	}
}

// An error keeps its text, its hint, its exit code, and what callers ask of it.
func TestFault(t *testing.T) {
	for _, kind := range []error{fs.ErrNotExist, private.ErrWrongPassphrase, errors.New("other")} {
		c, _, _ := serve(t, &ring{err: fmt.Errorf("F.key: %w", kind)})
		_, err := c.Open(t.Context(), Request{})
		f, ok := errors.AsType[*Fault](err)
		if !ok || f.Code != 66 || f.Hint != "look again" || f.Text != "F.key: "+kind.Error() {
			t.Errorf("%#v", err)
		}
		for name, k := range kinds {
			if errors.Is(err, k) != errors.Is(kind, k) {
				t.Errorf("%v is %s: %v", err, name, errors.Is(err, k))
			}
		}
	}
}

// TestGone: neither side waits for one that is not there.
func TestGone(t *testing.T) {
	c, _, done := serve(t, &ring{wait: true})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := c.Open(ctx, Request{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}

	near, far := net.Pipe()
	far.Close()
	c = &Client{r: near, w: near, over: func() { near.Close() }}
	for range 2 {
		if _, err := c.Open(t.Context(), Request{}); !errors.Is(err, errGone) {
			t.Errorf("Open: %v", err)
		}
	}
}

// TestOrder: what comes at a wrong time, or is none, is refused.
func TestOrder(t *testing.T) {
	c, raw, done := serve(t, &ring{})
	if _, err := c.ask(signIt, make([]byte, 32)); err == nil {
		t.Error("signed without a key")
	}
	sendJSON(raw, given, Given{})
	if err := <-done; err == nil {
		t.Error("something was given after a request")
	}
	for _, bytes := range []string{"\x00\x00\x00\x00o", "\xff\xff\xff\xffo", "\x00\x00\x00\x05ox"} {
		_, raw, done := serve(t, &ring{})
		io.WriteString(raw, bytes)
		raw.Close()
		if err := <-done; err == nil {
			t.Errorf("%q is a message", bytes)
		}
	}
}

// purposes are the four kinds of bytes that relseal signs in a run.
func purposes(t testing.TB) [][]byte {
	manifest, sums := []byte(`{"schema":"relseal/audit-bundle/v1"}`), []byte("sums\n")
	id := sign.Sum(manifest)
	statement, err := sign.Statement(manifest, sums, "https://github.com/relseal/relseal/audit-bundle/v1")
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{id[:], sign.PAE(sign.PayloadType, statement), sign.SSHSIGMessage(sign.Namespace, manifest)}
}

func strangers(t testing.TB) map[string][]byte {
	p := purposes(t)
	return map[string][]byte{
		"nothing": nil, "31 bytes": make([]byte, 31), "33 bytes": make([]byte, 33),
		"a commit":             sign.SSHSIGMessage("git", []byte("m")),
		"a file":               sign.SSHSIGMessage("file", []byte("m")),
		"an SSHSIG and more":   append(bytes.Clone(p[2]), 0),
		"a statement and more": append(bytes.Clone(p[1]), ' '),
		"another payload type": sign.PAE("application/json", p[1][bytes.IndexByte(p[1], '{'):]),
		"another statement":    sign.PAE(sign.PayloadType, []byte(`{"_type":"https://in-toto.io/Statement/v1","predicate":{}}`)),
		"a trust root":         []byte(`{"_type":"root","spec_version":"1.0.31"}`),
		"a long statement":     sign.PAE(sign.PayloadType, append([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicate":{"bundle":{"id":"sha256:`), make([]byte, maxStatement)...)),
	}
}

// FuzzServe: whatever comes, the signer ends, and signs nothing but its purposes.
func FuzzServe(f *testing.F) {
	for _, m := range purposes(f) {
		var b bytes.Buffer
		send(&b, open, []byte(`{}`))
		send(&b, signIt, m)
		f.Add(b.Bytes())
	}
	key, err := private.Generate(bytes.NewReader(make([]byte, 32)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		signed := &counting{key: key, t: t}
		Service{
			Keys:     func(Given) Keys { return signed },
			Describe: func(err error) (int, string, string) { return 1, err.Error(), "" },
		}.Serve(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(input), io.Discard})
	})
}

type counting struct {
	key *private.Key
	t   *testing.T
}

func (c *counting) Open(context.Context, Request) (sign.Signer, error) { return c, nil }
func (c *counting) Save(string) ([]string, error)                      { return nil, nil }
func (c *counting) Public() sign.PublicKey                             { return c.key.Public() }
func (c *counting) Sign(m []byte) (sign.Signature, error) {
	if Purpose(m) != nil {
		c.t.Errorf("signed %q", m)
	}
	return c.key.Sign(m)
}
