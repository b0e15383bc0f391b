package signer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/relseal/relseal/sign"
)

// A Client has a signer do its work. It implements [Keys].
type Client struct {
	mu      sync.Mutex
	r       io.ReadCloser
	w       io.WriteCloser
	over    func() // says that no request follows
	process *os.Process
	err     error // why nothing can be asked any more
}

// Open implements [Keys]. When ctx is done it waits until the signer is gone, for a
// prompt of it leaves the terminal as it was.
func (c *Client) Open(ctx context.Context, r Request) (sign.Signer, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	type answer struct {
		body []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		body, err := c.ask(open, body)
		answered <- answer{body, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			return nil, a.err
		}
		public, err := sign.ParsePublicKey(a.body)
		if err != nil {
			return nil, err
		}
		return &remote{c, public}, nil
	case <-ctx.Done():
		c.over()
		select {
		case <-answered:
		case <-time.After(3 * time.Second):
		}
		return nil, ctx.Err()
	}
}

// Save implements [Keys].
func (c *Client) Save(comment string) (files []string, err error) {
	body, err := json.Marshal(comment)
	if err != nil {
		return nil, err
	}
	if body, err = c.ask(save, body); err != nil {
		return nil, err
	}
	return files, json.Unmarshal(body, &files)
}

// Close ends the signer.
func (c *Client) Close() {
	c.over()
	gone := make(chan struct{})
	go func() {
		if c.process != nil {
			c.process.Wait()
		}
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(3 * time.Second): // it is stopped, say, and ends when it goes on
	}
	c.r.Close()
	c.w.Close()
}

var errGone = errors.New("the process that holds the key has ended")

// ask sends a request and returns its answer.
func (c *Client) ask(kind byte, body []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	fail := func(err error) ([]byte, error) {
		c.err = fmt.Errorf("%w: %v", errGone, err)
		if errors.Is(err, io.EOF) {
			c.err = errGone
		}
		return nil, c.err
	}
	if err := send(c.w, kind, body); err != nil {
		return fail(err)
	}
	got, body, err := receive(c.r)
	switch {
	case err != nil:
		return fail(err)
	case got == kind:
		return body, nil
	case got != failed:
		return fail(fmt.Errorf("it answered %q to %q", got, kind))
	}
	f := new(Fault)
	if err := json.Unmarshal(body, f); err != nil {
		return fail(err)
	}
	return nil, f
}

// remote is the key of a signer. It does not sign in bulk: whoever gets a signature
// of it verifies it.
type remote struct {
	c      *Client
	public sign.PublicKey
}

func (r *remote) Public() sign.PublicKey { return r.public }

func (r *remote) Sign(message []byte) (sign.Signature, error) {
	body, err := r.c.ask(signIt, message)
	if err == nil && len(body) != len(sign.Signature{}) {
		err = fmt.Errorf("a signature of %d bytes, not 64", len(body))
	}
	if err != nil {
		return sign.Signature{}, fmt.Errorf("sign: %w", err)
	}
	return sign.Signature(body), nil
}
