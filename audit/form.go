package audit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// check returns why a genesis is not one, beyond its canonical form.
func (g *Genesis) check() error {
	if g.Schema != Schema {
		return &SchemaError{Schema, g.Schema}
	}
	switch g.Purpose {
	case PurposeRun:
		if !isRunID(g.Run.ID) {
			return fmt.Errorf("run.id %+q: a run's is 32 lower-case hexadecimal digits", clip(g.Run.ID))
		}
		for _, m := range []struct {
			name string
			hash *sign.Digest
		}{
			{"EnvLock.fingerprint", g.EnvLock.Fingerprint},
			{"PipelineCard.hash", g.PipelineCard.Hash},
			{"ParamCard.hash", g.ParamCard.Hash},
		} {
			if m.hash == nil {
				return fmt.Errorf("%s is null; a run has one", m.name)
			}
		}
	case PurposeLedger:
		if err := checkName("run.id", g.Run.ID); err != nil {
			return err
		}
	default:
		return fmt.Errorf("purpose %+q is neither %q nor %q", clip(g.Purpose), PurposeRun, PurposeLedger)
	}
	if g.Product != "" {
		if err := checkName("product", g.Product); err != nil {
			return err
		}
	}
	if g.Continues != nil && g.Continues.K < 0 {
		return fmt.Errorf("continues.k is %d", g.Continues.K)
	}
	if g.Root != nil && g.Root.Version < 1 {
		return fmt.Errorf("root.version is %d", g.Root.Version)
	}
	if err := checkSet("delegation", g.Delegation); err != nil {
		return err
	}
	return checkSet("details", g.Details)
}

// check returns why an event is not one, beyond its canonical form. What depends
// on other lines, and whether items and seed are right, is judged elsewhere.
func (e *Event) check() error {
	if v := e.Audit.Schema.Version; v != SchemaVersion {
		return &SchemaError{SchemaVersion, v}
	}
	if e.K < 1 {
		return fmt.Errorf("k is %d; the first event is 1", e.K)
	}
	if !isAction(e.Action) {
		return fmt.Errorf("action %+q is not words of a-z joined by dots", clip(e.Action))
	}
	if e.Actor.Commit == nil && e.Actor.String() == "" {
		return errors.New("actor is missing")
	}
	if e.Path.Value != nil && !canon.Printable(*e.Path.Value) {
		return fmt.Errorf("path %+q has a character outside U+0020 to U+007E", clip(*e.Path.Value))
	}
	switch e.Status {
	case StatusOK, StatusFailed, StatusAborted:
	case "":
		// The claim about a run's outcome rests on it.
		if e.Action == ActionRunEnd {
			return fmt.Errorf("%s has no status", ActionRunEnd)
		}
	default:
		return fmt.Errorf("status %+q is not %s, %s or %s", clip(e.Status), StatusOK, StatusFailed, StatusAborted)
	}
	for _, err := range []error{
		checkText("actor", e.Actor),
		checkText("path", e.Path),
		checkText("notes", e.Notes),
		checkText("error", e.Error),
		checkName("clock", e.Clock),
		checkName("run.id", e.Run.ID),
		checkItems("inputs", e.Inputs.Items),
		checkItems("outputs", e.Outputs.Items),
		checkSet("details", e.Details),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func isRunID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// isAction reports whether s is [a-z]+(\.[a-z_]+)*.
func isAction(s string) bool {
	for i, word := range strings.Split(s, ".") {
		letters := "abcdefghijklmnopqrstuvwxyz_"
		if i == 0 {
			letters = letters[:26]
		}
		if word == "" || strings.Trim(word, letters) != "" {
			return false
		}
	}
	return true
}

// isSeed reports whether s is an unsigned 64-bit number in its only spelling.
func isSeed(s string) bool {
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && strconv.FormatUint(n, 10) == s
}

func checkName(member, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%s is empty", member)
	case !canon.Printable(s):
		return fmt.Errorf("%s %+q has a character outside U+0020 to U+007E", member, clip(s))
	}
	return nil
}

// checkText returns an error for a text that cannot be written as it is.
func checkText(member string, t Text) error {
	if t.Value != nil && !utf8.ValidString(*t.Value) {
		return fmt.Errorf("%s %+q is not UTF-8", member, clip(*t.Value))
	}
	return nil
}

func checkItems(member string, items []Item) error {
	for i, it := range items {
		if err := checkName("uri", it.URI); err != nil {
			return fmt.Errorf("%s.items: %w", member, err)
		}
		if i > 0 && items[i-1].URI >= it.URI {
			return fmt.Errorf("%s.items: uri %+q is out of order or occurs twice", member, clip(it.URI))
		}
	}
	return nil
}

// checkSet returns an error for a value that says null: an optional member that
// is not set is absent.
func checkSet(member string, v canon.Value) error {
	if v.Kind() == 'n' {
		return fmt.Errorf("%s is null; leave it out", member)
	}
	return nil
}
