package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// appender names, in the environment, the trail to which a child process is to
// append.
const appender = "AUDIT_TEST_APPEND"

func TestMain(m *testing.M) {
	if path, ok := os.LookupEnv(appender); ok {
		if err := appendNotes(path, fmt.Sprint("process ", os.Getpid()), 20); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func note(text string) Draft { return Draft{Actor: Txt("ci"), Action: "note", Notes: Txt(text)} }

func appendNotes(path, who string, n int) error {
	l, err := Open(path, alice, laterClock())
	if err != nil {
		return err
	}
	defer l.Close()
	for range n {
		if _, err := l.Append(note(who)); err != nil {
			return err
		}
	}
	return nil
}

func create(t testing.TB, g Genesis) (path string, l *Log) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "trail.jsonl")
	l, err := Create(path, g, alice, newClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return path, l
}

func appendAll(t testing.TB, l *Log, drafts []Draft) (all []Record) {
	t.Helper()
	for _, d := range drafts {
		r, err := l.Append(d)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func bare(o *CheckOptions) { o.Bare = true }

func TestLog(t *testing.T) {
	path, l := create(t, runGenesis())
	g := l.Genesis()
	if g.Schema != Schema || g.Verifier.PKRef != alice.pub.KeyID() || g.Created.IsZero() || g.Product != "greetd" {
		t.Errorf("genesis %+v", g)
	}
	want(t, check(t, read(t, path), nil), "E_TRAIL_OPEN@0?")

	var recs []Record
	for i, d := range runDrafts() {
		if i%3 == 2 { // another program goes on
			l.Close()
			var err error
			if l, err = Open(path, alice, l.clock); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}
		recs = append(recs, appendAll(t, l, []Draft{d})...)
	}
	res := check(t, read(t, path), nil)
	want(t, res, "")
	if !reflect.DeepEqual(res.events, recs) {
		t.Error("Append returned other records than Check reads")
	}
	if k, h := l.Head(); k != 8 || h != recs[7].H || res.HK != h || res.H0 != l.H0() {
		t.Errorf("head %d %v", k, h)
	}
	if len(l.Torn()) != 0 {
		t.Errorf("torn %v", l.Torn())
	}
	if _, err := l.Append(note("late")); err != ErrClosed {
		t.Errorf("append to a closed trail: %v", err)
	}
	if read(t, path) != goodRun(t).String() {
		t.Error("other bytes than the rules of the chain give")
	}
}

func TestCreateRefuses(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	before := read(t, path)
	if _, err := Create(path, ledgerGenesis(), alice, newClock()); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("Create over a trail: %v", err)
	}
	if read(t, path) != before {
		t.Error("changed")
	}
	l.Close()

	g := runGenesis()
	g.EnvLock.Fingerprint = nil
	path = filepath.Join(t.TempDir(), "trail.jsonl")
	if _, err := Create(path, g, alice, newClock()); err == nil || !strings.Contains(err.Error(), "EnvLock") {
		t.Errorf("Create without a fingerprint: %v", err)
	}
	if _, err := Create(path, runGenesis(), badSigner{alice, "wrong"}, newClock()); err == nil {
		t.Error("Create with a wrong signature succeeded")
	}
	os.Remove(path)
	if _, err := Create(path, runGenesis(), badSigner{alice, "fail"}, newClock()); !errors.Is(err, errNoKey) {
		t.Errorf("Create without a signature: %v", err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("something was created")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	good := goodRun(t)
	tests := []struct{ name, trail, want string }{
		{"edited", draw(t, good, "G 1 2 3e 4 5"), "event 3: E_EVENT_ID"},
		{"gap", draw(t, good, "G 1 3"), "event 3: E_SEQUENCE"},
		{"signature", draw(t, good, "G 1 2s"), "event 2: E_SIG_EVENT"},
		{"order", newMaker(t, runGenesis(), nil).add(runDrafts()[1:2], nil).String(), "event 1: E_SEQUENCE"},
		{"genesis", draw(t, good, "Gs 1"), "line 0: E_GENESIS"},
		{"not a trail", "hello\n", "line 0: E_FORMAT"},
		{"no LF", good.lines[0], "line 0: E_FORMAT"},
		{"empty", "", "empty"},
	}
	for _, tt := range tests {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte(tt.trail), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, alice, newClock())
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: %v", tt.name, err)
		}
		var damaged *DamagedError
		if tt.trail != "" && !errors.As(err, &damaged) {
			t.Errorf("%s: %T", tt.name, err)
		}
		if read(t, path) != tt.trail {
			t.Errorf("%s: the file was changed", tt.name)
		}
	}
	if _, err := Open(filepath.Join(dir, "none"), alice, newClock()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}

	path, _ := create(t, ledgerGenesis())
	var key *KeyError
	if _, err := Open(path, mallory, newClock()); !errors.As(err, &key) || key.Want != alice.pub.KeyID() || key.Got != mallory.pub.KeyID() {
		t.Errorf("another key: %v", err)
	}
}

// TestAppendRefuses: no event is signed after which Check would reject the trail.
func TestAppendRefuses(t *testing.T) {
	bad := "042"
	tests := []struct {
		name  string
		draft Draft
		want  string
	}{
		{"action", Draft{Actor: Txt("ci"), Action: "Note"}, "event 2: action"},
		{"actor", Draft{Action: "note"}, "actor is missing"},
		{"seed", Draft{Actor: Txt("ci"), Action: "note", Seed: &bad}, "E_SEED_INVALID"},
		{"other seed", Draft{Actor: Txt("ci"), Action: "note"}, "E_SEED_INVALID"},
		{"inputs", Draft{Actor: Txt("ci"), Action: "note", Inputs: []Item{{URI: "a"}, {URI: "a"}}}, "inputs: uri"},
		{"outputs", Draft{Actor: Txt("ci"), Action: "note", Outputs: []Item{{}}}, "outputs: uri"},
		{"details", Draft{Actor: Txt("ci"), Action: "note", Details: canon.Value(`null`)}, "details"},
		{"details broken", Draft{Actor: Txt("ci"), Action: "note", Details: canon.Value(`{`)}, "event 2"},
		{"UTF-8", note("\xff"), "event 2"},
		{"status", Draft{Actor: Txt("ci"), Action: "note", Status: "good"}, "status"},
		{"path", Draft{Actor: Txt("ci"), Action: "note", Path: Txt("\n")}, "path"},
		{"snapshot", Draft{Actor: Txt("ci"), Action: "note", Snapshot: map[string]canon.Decimal{"a": "1e3"}}, "decimal"},
		{"order", Draft{Actor: Txt("ci"), Action: ActionStepEnd, Path: Txt("a")}, "E_SEQUENCE"},
		{"close", Draft{Actor: Txt("ci"), Action: ActionTrailClose}, "E_SEQUENCE"},
		{"long", Draft{Actor: Txt("ci"), Action: "note", Details: canon.Value(
			`{"a":["` + strings.Join(make20(strings.Repeat("x", limits.JSONString)), `","`) + `"]}`)}, "the limit is"},
	}
	path, l := create(t, runGenesis())
	appendAll(t, l, runDrafts()[:1])
	before := read(t, path)
	for _, tt := range tests {
		if tt.name != "seed" && tt.name != "other seed" {
			tt.draft.Seed = runDrafts()[0].Seed
		}
		if _, err := l.Append(tt.draft); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if read(t, path) != before {
			t.Fatalf("%s: the file was changed", tt.name)
		}
	}
	for _, how := range []string{"fail", "wrong"} {
		l.signer = badSigner{alice, how}
		if _, err := l.Append(runDrafts()[1]); err == nil {
			t.Errorf("signature %s: appended", how)
		}
	}
	l.signer = alice
	appendAll(t, l, runDrafts()[1:])
	want(t, check(t, read(t, path), nil), "")
}

func make20(s string) []string {
	all := make([]string, 20)
	for i := range all {
		all[i] = s
	}
	return all
}

var errNoKey = errors.New("the agent is locked")

// A badSigner fails, or signs something else.
type badSigner struct {
	testSigner
	how string
}

func (s badSigner) Sign(message []byte) (sign.Signature, error) {
	if s.how == "fail" {
		return sign.Signature{}, errNoKey
	}
	return s.testSigner.Sign(append([]byte("not "), message...))
}

// TestClockBack: a log records what its clock says, and Check reports that it went back.
func TestClockBack(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	clock := l.clock.(*fakeClock)
	appendAll(t, l, []Draft{note("a")})
	clock.ts = clock.ts.Add(-time.Minute)
	r := appendAll(t, l, []Draft{note("b")})[0]
	if !r.E.TS.Equal(clock.ts) {
		t.Errorf("ts %v", r.E.TS)
	}
	want(t, check(t, read(t, path), bare), "E_TIME_ORDER@2?")
	if err := appendNotes(path, "c", 1); err != nil {
		t.Error(err)
	}
}

func TestCloseTwice(t *testing.T) {
	_, l := create(t, ledgerGenesis())
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := l.Append(note("a")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("append after Close: %v", err)
	}
}

// TestCheckedEmpty: Checked returns false for a trail without events.
func TestCheckedEmpty(t *testing.T) {
	path, l := create(t, ledgerGenesis())
	l.Close()
	l, err := OpenWith(context.Background(), path, alice, laterClock(), Options{Digest: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, ok := l.Checked(); ok {
		t.Errorf("%+v", c)
	}
}
