package canon

import (
	"bytes"

	"github.com/go-json-experiment/json"
)

// UnmarshalPlainly is Unmarshal without a short cut: token by token through
// jsontext, written again and compared. It is what the fast ways are held to by
// tests, and for those who would rather not rely on that. What it accepts, stores
// and says is the same.
func UnmarshalPlainly(data []byte, v any) error {
	if err := walk(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true)); err != nil {
		return plainer(err)
	}
	again, err := marshalPlainly(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, again) {
		return mismatch(data, again)
	}
	return nil
}

// marshalPlainly is Marshal without a short cut.
func marshalPlainly(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, plainer(err)
	}
	return reencode(data)
}
