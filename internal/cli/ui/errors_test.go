package ui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/sign"
)

func TestClassify(t *testing.T) {
	path := func(op string, err error) error { return &fs.PathError{Op: op, Path: "F", Err: err} }
	for _, tt := range []struct {
		err  error
		code int
		text string
		hint string
	}{
		{UsageHint("no", "yes"), 64, "no", "yes"},
		{fmt.Errorf("passphrase: %w", Usage("no terminal")), 64, "passphrase: no terminal", ""},
		{&Error{ExitReject, hint.With(errors.New("no"), "inner"), ""}, 2, "no", "inner"},
		{errors.New("the commit has no tag"), 66, "the commit has no tag", ""},

		{path("open", syscall.ENOENT), 66, "F: " + syscall.ENOENT.Error(), ""},
		{path("open", syscall.EACCES), 66, "F: " + syscall.EACCES.Error(), ""},
		{path("stat", syscall.ENOTDIR), 66, "F: " + syscall.ENOTDIR.Error(), ""},
		{path("lstat", syscall.ELOOP), 66, "F: " + syscall.ELOOP.Error(), ""},
		{path("read", syscall.EISDIR), 66, "F: " + syscall.EISDIR.Error(), ""},
		{hint.With(fmt.Errorf("a project: %w", path("stat", syscall.ENOENT)), "try"), 66, "a project: F: " + syscall.ENOENT.Error(), "try"},
		{fmt.Errorf("F.key: %w", syscall.ENOENT), 66, "F.key: " + syscall.ENOENT.Error(), ""}, // so say keys
		{fmt.Errorf("F.key: %w", syscall.EACCES), 66, "F.key: " + syscall.EACCES.Error(), ""},

		{path("create", syscall.ENOENT), 73, "F: " + syscall.ENOENT.Error(), ""},
		{path("create", fs.ErrExist), 73, "F: file already exists", ""},
		{path("mkdir", syscall.EROFS), 73, "F: " + syscall.EROFS.Error(), ""},
		{fmt.Errorf("F: %w", fs.ErrExist), 73, "F: file already exists", ""},
		{&os.LinkError{Op: "link", Old: "T", New: "F", Err: syscall.EACCES}, 73, "link T F: " + syscall.EACCES.Error(), ""},

		{path("write", syscall.ENOSPC), 74, "F: " + syscall.ENOSPC.Error(), ""},
		{path("sync", syscall.EIO), 74, "F: " + syscall.EIO.Error(), ""},
		{path("read", syscall.EIO), 74, "F: " + syscall.EIO.Error(), ""},
		{fmt.Errorf("F.key: %w", syscall.EIO), 74, "F.key: " + syscall.EIO.Error(), ""},

		// Faults of a document beside a file that is missing: all are told.
		{errors.Join(errors.New("F:1: product: no"), path("stat", syscall.ENOENT), fmt.Errorf("%w (it)", path("open", syscall.EACCES))),
			66, "F:1: product: no\nF: " + syscall.ENOENT.Error() + "\nF: " + syscall.EACCES.Error() + " (it)", ""},
		{fmt.Errorf("F.pub: %w", sign.ErrWeakKey), 66, "F.pub: " + sign.ErrWeakKey.Error(), "relseal explain E_KEY_WEAK"},
	} {
		code, text, hint := classify(t.Context(), tt.err)
		if code != tt.code || text != tt.text || hint != tt.hint {
			t.Errorf("%v: %d %q %q, want %d %q %q", tt.err, code, text, hint, tt.code, tt.text, tt.hint)
		}
	}
}

func TestClassifyInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("signal received")
	cancel(cause)
	for _, tt := range []struct {
		err  error
		text string
	}{
		{fmt.Errorf("git: %w", context.Canceled), "interrupted"},
		{&Error{ExitIO, fmt.Errorf("standard input: %w", context.Canceled), ""}, "interrupted"},
		{&Error{ExitIO, fmt.Errorf("FILE: %w", cause), ""}, "interrupted: FILE: signal received"},
		{&signer.Fault{Code: ExitIO, Text: "context canceled", Kinds: []string{"canceled"}}, "interrupted"},
		{errors.New("git was killed"), "interrupted: git was killed"},
		{&Error{ExitInterrupted, errors.New("interrupted; the record is here"), ""}, "interrupted; the record is here"},
	} {
		if code, text, _ := classify(ctx, tt.err); code != ExitInterrupted || text != tt.text {
			t.Errorf("%v: %d %q, want %q", tt.err, code, text, tt.text)
		}
	}
}
