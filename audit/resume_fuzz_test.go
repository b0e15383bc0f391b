package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
)

// FuzzTail puts bytes behind a trail: whatever they are, every event that was
// acknowledged stays, and what is cut off is kept beside the trail.
func FuzzTail(f *testing.F) {
	path, l := create(f, ledgerGenesis())
	appendAll(f, l, []Draft{note("a"), note("b")})
	trail, state := read(f, path), read(f, path+ResumeSuffix)
	appendAll(f, l, []Draft{note("c")})
	next := read(f, path)[len(trail):]
	l.Close()
	for _, tail := range []string{"", "\n", "\x00", "{", next[:100], next[:100] + "\x00", next[:len(next)-1], next, next + "\x00\x00", "\x00" + next, next[:200] + strings.Repeat("\x00", 200)} {
		f.Add(tail, true)
		f.Add(tail, false)
	}
	f.Fuzz(func(t *testing.T, tail string, known bool) {
		path := filepath.Join(t.TempDir(), "trail.jsonl")
		beside := ""
		if known {
			beside = state
		}
		restore(t, path, trail+tail, beside)
		l, err := OpenWith(t.Context(), path, alice, laterClock(), Options{Resume: true})
		if err != nil {
			if read(t, path) != trail+tail {
				t.Fatal("refused, and changed")
			}
			return
		}
		defer l.Close()
		kept := ""
		for _, torn := range l.Torn() {
			if torn.Path != "" {
				kept = read(t, torn.Path)
			}
		}
		now := read(t, path)
		if !strings.HasPrefix(now, trail) || kept == "" && !strings.HasPrefix(now, strings.TrimRight(trail+tail, "\x00")) || kept != "" && now+kept != trail+tail {
			t.Fatalf("%q became %q and %q", tail, now[len(trail):], kept)
		}
		appendAll(t, l, []Draft{note("next")})
		want(t, check(t, read(t, path), bare), "")
	})
}

// FuzzResume reads states: one that counts is written as it was read, and no bytes count
// that were not signed.
func FuzzResume(f *testing.F) {
	path, l := create(f, runGenesis())
	appendAll(f, l, runDrafts()[:2])
	h0 := l.H0()
	l.Close()
	state := read(f, path+ResumeSuffix)
	f.Add(state, false)
	f.Add(state, true)
	f.Add("{}\n", false)
	f.Fuzz(func(t *testing.T, data string, resign bool) {
		if s := parseResume([]byte(data), alice.pub, h0); s != nil && data != state {
			t.Fatalf("counts: %s", data)
		}
		var file resumeFile
		if !resign || canon.Unmarshal([]byte(strings.TrimSuffix(data, "\n")), &file) != nil {
			return
		}
		// Even signed, a state does not make a log fail in another way than with an error.
		d, err := file.State.digest()
		if err != nil {
			return
		}
		file.Sig, _ = alice.Sign(d[:])
		line, err := canon.Marshal(file)
		if err != nil {
			return
		}
		if s := parseResume(append(line, '\n'), alice.pub, h0); s != nil && s.H0 != h0 {
			t.Error("of another trail")
		}
		at := filepath.Join(t.TempDir(), "trail.jsonl")
		trail, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		restore(t, at, string(trail), string(line)+"\n")
		l, err := OpenWith(t.Context(), at, alice, laterClock(), Options{Resume: true})
		if err != nil {
			return
		}
		defer l.Close()
		l.OpenStep("build")
		l.Append(note("next"))
		if !strings.HasPrefix(read(t, at), string(trail)) {
			t.Error("the trail lost something")
		}
	})
}
