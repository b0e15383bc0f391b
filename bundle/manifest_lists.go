package bundle

import (
	"bytes"
	"fmt"

	"github.com/relseal/relseal/canon"
)

// A longList is a member of a manifest that may be long: its elements are decoded
// one by one, each held to its canonical form. Decoding the manifest as a whole
// takes four times its size, and one of 64 MiB is within the limits.
type longList interface {
	decode(element []byte) error
}

type elements[T any] struct{ to *[]T }

func (l elements[T]) decode(element []byte) error {
	var v T
	if err := canon.Unmarshal(element, &v); err != nil {
		return err
	}
	*l.to = append(*l.to, v)
	return nil
}

// unmarshal is canon.Unmarshal of a manifest whose outline was looked at: v gets
// everything but the members of lists, which get their elements.
func unmarshal(data []byte, v any, lists map[string]longList) error {
	short := make([]byte, 0, 1024)
	s := scanner{data: data}
	end := 0 // of what is in short
	type long struct {
		name  string
		value []byte
	}
	var found []long
	for s.member() {
		if l := lists[s.name]; l == nil || !isList(s.value) {
			continue
		}
		short = append(append(short, data[end:s.at-len(s.value)]...), "[]"...)
		end = s.at
		found = append(found, long{s.name, s.value})
	}
	if err := canon.Unmarshal(append(short, data[end:]...), v); err != nil {
		return err
	}
	for _, f := range found {
		if err := eachElement(f.value, lists[f.name].decode); err != nil {
			return fmt.Errorf("/%s%w", bytes.Trim([]byte(f.name), `"`), err)
		}
	}
	return nil
}

func isList(value []byte) bool {
	return len(value) > 2 && value[0] == '[' && value[len(value)-1] == ']'
}

// eachElement calls decode with each element of an array that is not empty.
func eachElement(list []byte, decode func([]byte) error) error {
	s := scanner{data: list, at: 1}
	for i := 0; ; i++ {
		if !s.measure() {
			return fmt.Errorf("/%d: malformed", i)
		}
		if err := decode(s.value); err != nil {
			return fmt.Errorf("/%d%w", i, below(err))
		}
		switch last := s.at == len(list)-1; {
		case last:
			return nil
		case !s.skip(','):
			return fmt.Errorf("/%d: malformed", i)
		}
	}
}

// below puts an error of an element behind its place: one that starts with a path
// goes on from it.
func below(err error) error {
	if text := err.Error(); len(text) > 0 && text[0] == '/' {
		return err
	}
	return fmt.Errorf(": %w", err)
}
