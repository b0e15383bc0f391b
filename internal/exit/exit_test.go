package exit_test

import (
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/exit"
	"github.com/relseal/relseal/internal/limits"
)

// However long a refusal is and whatever is in it, there is JSON that says it.
func TestLongRefusal(t *testing.T) {
	for _, text := range []string{"no", strings.Repeat("a", limits.JSONString+1), strings.Repeat("\x00", limits.JSONString), strings.Repeat("\U0001F600", limits.JSONString)} {
		data, err := exit.Refusal{Schema: exit.RefusalSchema, Exit: exit.NoInput, Text: text, Hint: &text}.JSON()
		var back exit.Refusal
		if err == nil {
			err = canon.Unmarshal(data, &back)
		}
		if err != nil || back.Text == "" || back.Text != *back.Hint || len(text) < 10 && back.Text != text {
			t.Errorf("%.20q: %v, %.200s", text, err, data)
		}
	}
}
