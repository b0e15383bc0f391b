package hint

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestHint(t *testing.T) {
	if With(nil, "try again") != nil {
		t.Error("a hint made an error out of nil")
	}
	if err := With(fs.ErrNotExist, ""); err != fs.ErrNotExist {
		t.Errorf("an empty hint changed the error to %#v", err)
	}
	inner := With(fmt.Errorf("release.key: %w", fs.ErrNotExist), "make one")
	outer := fmt.Errorf("cut: %w", inner)
	tests := []struct {
		name string
		err  error
		hint string
	}{
		{"nil", nil, ""},
		{"plain", fs.ErrNotExist, ""},
		{"direct", inner, "make one"},
		{"wrapped", outer, "make one"},
		{"outermost wins", With(outer, "give --new-key"), "give --new-key"},
		{"joined", errors.Join(fs.ErrExist, inner), "make one"},
	}
	for _, tt := range tests {
		if got := Of(tt.err); got != tt.hint {
			t.Errorf("%s: hint %q, want %q", tt.name, got, tt.hint)
		}
	}
	if !errors.Is(outer, fs.ErrNotExist) {
		t.Error("the hint hides the error beneath")
	}
	if got, want := outer.Error(), "cut: release.key: file does not exist"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
}
