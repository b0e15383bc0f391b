package canon

import (
	"bytes"

	"github.com/go-json-experiment/json"
)

var (
	Recognise = recognise
	Arrange   = arrange
)

// The slow ways go token by token through jsontext alone and take no short cut.
// They are what the fast ones are held to.

var SlowCheck = compare

func SlowMarshal(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, plainer(err)
	}
	return reencode(data)
}

func SlowUnmarshal(data []byte, v any) error {
	if err := walk(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true)); err != nil {
		return plainer(err)
	}
	again, err := SlowMarshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, again) {
		return mismatch(data, again)
	}
	return nil
}
