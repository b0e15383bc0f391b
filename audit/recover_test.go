package audit

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

var errNo = errors.New("no")

// TestRecover: after confirm has agreed, everything from the damage on is set aside, and an
// event records it.
func TestRecover(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	recs := appendAll(t, l, []Draft{note("a"), note("b"), note("c"), note("d")})
	l.Close()
	trail, state := read(t, path), read(t, path+ResumeSuffix)
	lines := strings.SplitAfter(trail, "\n")
	upTo := func(n int) string { return strings.Join(lines[:n+1], "") }
	flip := func(at int) string { return trail[:at] + "\x00" + trail[at+1:] }
	acked := &Acknowledged{4, recs[3].H}
	for _, tt := range []struct {
		what, trail string
		k           int64 // stays
		lines       int64 // set aside
		acked       *Acknowledged
	}{
		{"a zero in event 3", flip(len(upTo(2)) + 100), 2, 2, acked},
		{"a zero at the end", flip(len(trail) - 1), 3, 1, acked},
		{"cut after event 2", upTo(2), 2, 0, acked},
		{"garbage behind the end", trail + "{\x00x", 4, 1, nil},
	} {
		for _, state := range []string{state, ""} {
			restore(t, path, tt.trail, state)
			if state == "" {
				tt.acked = nil
				if tt.lines == 0 {
					continue // nothing is wrong that can be seen
				}
			}
			var shown Aside
			var k int64
			_, _, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(at int64, a Aside) error { k, shown = at, a; return errNo })
			if !errors.Is(err, errNo) || read(t, path) != tt.trail {
				t.Errorf("%s: not agreed to: %v", tt.what, err)
			}
			aside := tt.trail[len(upTo(int(tt.k))):]
			if k != tt.k || shown.Digest != sign.Sum([]byte(aside)) || shown.Size != int64(len(aside)) || shown.Lines != tt.lines || (shown.Acknowledged == nil) != (tt.acked == nil) || tt.acked != nil && *shown.Acknowledged != *tt.acked {
				t.Errorf("%s: after event %d %+v", tt.what, k, shown)
			}
			rec, torn, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(int64, Aside) error { return nil })
			if err != nil {
				t.Fatalf("%s: %v", tt.what, err)
			}
			var said Aside
			if err := canon.Unmarshal(rec.E.Details, &said); err != nil || rec.E.Action != ActionRecover || rec.E.K != tt.k+1 || said.Digest != shown.Digest {
				t.Errorf("%s: %+v, %v", tt.what, said, err)
			}
			if (torn.Path == "") != (aside == "") || aside != "" && read(t, torn.Path) != aside {
				t.Errorf("%s: kept %q", tt.what, torn.Path)
			}
			os.Remove(torn.Path)
			l, err := Open(path, alice, laterClock())
			if err != nil {
				t.Fatalf("%s: %v", tt.what, err)
			}
			appendAll(t, l, []Draft{note("next")})
			l.Close()
			want(t, check(t, read(t, path), bare), "")
		}
	}
	restore(t, path, trail, state)
	if _, _, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(int64, Aside) error { return nil }); !errors.Is(err, ErrSound) || read(t, path) != trail {
		t.Errorf("of a sound trail: %v", err)
	}
}

// TestRecoverClosed: a closed trail is not recovered, however it was damaged, as long as
// there is a trace of trail.close.
func TestRecoverClosed(t *testing.T) {
	path, l := create(t, runGenesis())
	appendAll(t, l, runDrafts())
	l.Close()
	trail, state := read(t, path), read(t, path+ResumeSuffix)
	before := trail[:strings.LastIndex(strings.TrimSuffix(trail, "\n"), "\n")+1]
	for _, tt := range []struct{ what, trail, state string }{
		{"sound", trail, state},
		{"cut, says the state", before, state},
		{"cut in the middle, says the state", trail[:len(trail)-20], state},
		{"a zero in it", trail[:len(trail)-50] + "\x00" + trail[len(trail)-49:], ""},
		{"a zero for its LF", trail[:len(trail)-1] + "\x00", ""},
		{"a zero before it", trail[:len(before)-50] + "\x00" + trail[len(before)-49:], ""},
		{"garbage behind it", trail + "\x00x", ""},
	} {
		restore(t, path, tt.trail, tt.state)
		if l, err := Open(path, alice, laterClock()); err == nil {
			if _, err = l.Append(note("more")); !errors.Is(err, ErrClosed) {
				t.Errorf("%s: appended: %v", tt.what, err)
			}
			l.Close()
		}
		_, _, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(int64, Aside) error { return nil })
		if !errors.Is(err, ErrClosed) || read(t, path) != tt.trail {
			t.Errorf("%s: recovered: %v", tt.what, err)
		}
	}
}

// TestRecoverTornClose: of a trail that ends in the middle of its trail.close nothing shows
// whether that was acknowledged. A person decides, and it is closed again.
func TestRecoverTornClose(t *testing.T) {
	path, l := create(t, runGenesis())
	drafts := runDrafts()
	appendAll(t, l, drafts)
	l.Close()
	trail := read(t, path)
	restore(t, path, trail[:len(trail)-20], "")
	if _, _, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(int64, Aside) error { return errNo }); !errors.Is(err, errNo) || read(t, path) != trail[:len(trail)-20] {
		t.Errorf("not agreed: %v", err)
	}
	if _, _, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(int64, Aside) error { return nil }); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path, alice, laterClock())
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, drafts[len(drafts)-1:])
	l.Close()
	want(t, check(t, read(t, path), bare), "")
}

// TestRecoverFirst: a run whose first event is damaged cannot be recovered, because only
// run.start may be its first event. confirm is not called.
func TestRecoverFirst(t *testing.T) {
	path, l := create(t, runGenesis())
	appendAll(t, l, runDrafts()[:1])
	l.Close()
	trail := read(t, path)
	for _, damaged := range []string{trail[:len(trail)-50] + "\x00" + trail[len(trail)-49:], trail[:strings.Index(trail, "\n")+1]} {
		restore(t, path, damaged, read(t, path+ResumeSuffix))
		_, _, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(k int64, a Aside) error {
			t.Errorf("offered behind event %d: %+v", k, a)
			return errNo
		})
		if err == nil || !strings.Contains(err.Error(), "trail.recover cannot be event 1: E_SEQUENCE") || read(t, path) != damaged {
			t.Errorf("recovered: %v", err)
		}
	}
}

// TestRecoverCrash lets each step of a recovery fail: it can be done again, and nothing
// is lost.
func TestRecoverCrash(t *testing.T) {
	for _, fail := range []string{"write", "write after", "write short", "sync", "sync after", "truncate", "truncate after"} {
		path, l := create(t, ledgerGenesis())
		appendAll(t, l, []Draft{note("a"), note("b"), note("c")})
		l.Close()
		trail := read(t, path)
		at := strings.Index(trail, `"notes":"b"`)
		restore(t, path, trail[:at]+"\x00"+trail[at+1:], read(t, path+ResumeSuffix))
		wrapDisk = func(d disk) disk { return &faultyDisk{disk: d, fail: map[string]bool{fail: true}} }
		var agreedK int64
		var agreed Aside
		_, _, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(k int64, a Aside) error {
			agreedK, agreed = k, a
			return nil
		})
		wrapDisk = nil
		if err == nil {
			t.Errorf("%s: no error", fail)
		}
		_, torn, err := Recover(t.Context(), path, alice, laterClock(), Draft{Actor: Txt("me")}, func(k int64, a Aside) error {
			// What is behind an event that is not whole is another end.
			if fail != "write short" && (k != agreedK || a.Digest != agreed.Digest) {
				t.Errorf("%s: the second call offers what stands behind event %d, %+v; the first offered %d, %+v", fail, k, a, agreedK, agreed)
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrSound) {
			t.Fatalf("%s: %v", fail, err)
		}
		kept := read(t, path+".torn-2")
		if !strings.Contains(kept, `"notes":"c"`) || !strings.Contains(kept, "\x00") {
			t.Errorf("%s: the bytes are not in %v", fail, torn)
		}
		res := check(t, read(t, path), bare)
		want(t, res, "")
		if last := res.events[len(res.events)-1]; last.E.Action != ActionRecover {
			t.Errorf("%s: the last event is %s", fail, last.E.Action)
		}
	}
}
