package signer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/relseal/relseal/sign"
)

// A Service is what a signer needs of its program.
type Service struct {
	Keys     func(Given) Keys
	Describe func(error) (code int, text, hint string) // an error, as the other process reports it
}

// Serve answers requests until the other end is closed, which also ends what is
// under way, or breaks the protocol.
func (s Service) Serve(conn io.ReadWriter) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	type message struct {
		kind byte
		body []byte
	}
	requests := make(chan message)
	var broken error
	go func() { // reads on while a request is under way: nobody may be there any more
		defer close(requests)
		defer cancel()
		for {
			kind, body, err := receive(conn)
			if err != nil {
				if err != io.EOF {
					broken = err
				}
				return
			}
			select {
			case requests <- message{kind, body}:
			case <-ctx.Done():
				return
			}
		}
	}()
	st := &state{Service: s}
	for m := range requests {
		done := make(chan error, 1)
		go func() { done <- st.answer(ctx, conn, m.kind, m.body) }()
		select {
		case err := <-done:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			select { // a prompt that gives the terminal back what it took
			case <-done:
			case <-time.After(2 * time.Second):
			}
			return nil
		}
	}
	return broken
}

// state is what a signer has been given and told so far.
type state struct {
	Service
	given  Given
	begun  bool // nothing is given after the first request
	keys   Keys
	key    sign.Signer
	saving bool // there is a new key that was not saved
}

// answer does what one message asks. An error ends the signer.
func (st *state) answer(ctx context.Context, w io.Writer, kind byte, body []byte) error {
	if kind == given {
		if st.begun {
			return errors.New("something was given too late")
		}
		st.begun = true
		return json.Unmarshal(body, &st.given)
	}
	st.begun = true
	reply, err := st.do(ctx, kind, body)
	if err != nil {
		return sendJSON(w, failed, fault(err, st.Describe))
	}
	return send(w, kind, reply)
}

func (st *state) do(ctx context.Context, kind byte, body []byte) ([]byte, error) {
	switch {
	case kind == open && st.keys == nil:
		var r Request
		if err := json.Unmarshal(body, &r); err != nil {
			return nil, err
		}
		st.keys = st.Keys(st.given)
		st.given = Given{}
		key, err := st.keys.Open(ctx, r)
		if err != nil {
			return nil, err
		}
		st.key, st.saving = key, r.New
		return key.Public().Bytes(), nil
	case kind == save && st.saving:
		var comment string
		if err := json.Unmarshal(body, &comment); err != nil {
			return nil, err
		}
		st.saving = false
		files, err := st.keys.Save(comment)
		if err != nil {
			return nil, err
		}
		return json.Marshal(files)
	case kind == signIt && st.key != nil:
		if err := Purpose(body); err != nil {
			return nil, err
		}
		sig, err := st.key.Sign(body)
		return sig[:], err
	}
	return nil, fmt.Errorf("the signer does not do %q now", kind)
}
