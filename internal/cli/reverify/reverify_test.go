package reverify

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/reverify"
)

// TestArchiveUnread: what could not be opened is 66, what failed while it was read 74, and
// what is no bundle neither.
func TestArchiveUnread(t *testing.T) {
	open := &fs.PathError{Op: "open", Path: "F", Err: syscall.EMFILE}
	read := &fs.PathError{Op: "read", Path: "F", Err: syscall.EIO}
	for _, tt := range []struct {
		results []error
		skipped []error
		code, n int
	}{
		{nil, []error{nil}, ui.ExitNoInput, 0},
		{[]error{open}, nil, ui.ExitNoInput, 1},
		{[]error{open, read}, nil, ui.ExitIO, 2},
		{nil, []error{nil, open}, ui.ExitNoInput, 1},
		{[]error{open}, []error{read}, ui.ExitIO, 2},
	} {
		a := &archive{}
		for _, err := range tt.results {
			a.results = append(a.results, reverify.Result{File: "F", Cause: err})
		}
		for _, err := range tt.skipped {
			a.skipped = append(a.skipped, reverify.Skipped{Name: "F", Cause: err})
		}
		if code, n := a.unread(); code != tt.code || n != tt.n {
			t.Errorf("%v, %v: %d of %d, want %d of %d", errors.Join(tt.results...), errors.Join(tt.skipped...), code, n, tt.code, tt.n)
		}
	}
}

// docs/cli.md names every member of the JSON, in the order of the fields.
func TestArchiveMembers(t *testing.T) {
	page, err := os.ReadFile("../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range append(jsonMembers(reflect.TypeFor[archiveResult]())[1:], jsonMembers(reflect.TypeFor[reverify.Result]())...) {
		if !strings.Contains(string(page), "`"+want+"`") {
			t.Errorf("docs/cli.md does not name `%s`", want)
		}
	}
}

// jsonMembers returns the members that every value of a struct has, each with those
// inside it.
func jsonMembers(of reflect.Type) (list []string) {
	for f := range of.Fields() {
		name, typ := f.Tag.Get("json"), f.Type
		if name == "-" || strings.Contains(name, ",omit") {
			continue
		}
		open, end := "", ""
		if typ.Kind() == reflect.Slice {
			typ, open, end = typ.Elem(), "[", "]"
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Struct {
			name += open + "{" + strings.Join(jsonMembers(typ), ",") + "}" + end
		}
		list = append(list, name)
	}
	return list
}
