package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// keyring trusts some keys.
type keyring []sign.PublicKey

func (k keyring) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	for _, key := range k {
		if key.KeyID() == id {
			return key, true
		}
	}
	return sign.PublicKey{}, false
}

// rotated returns the lines of a ledger: note 1, note 2, rotate 3, accept 4, note 5, note 6.
func rotated(t *testing.T, a, b sign.Signer) (path string, lines []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.jsonl")
	clock := newClock()
	log, err := Create(path, Genesis{Purpose: PurposeLedger, Run: Run{"ledger"}}, a, clock)
	if err != nil {
		t.Fatal(err)
	}
	note := Draft{Actor: Txt("keeper"), Action: "note"}
	if _, err := log.AppendAll([]Draft{note, note}); err != nil {
		t.Fatal(err)
	}
	why := Draft{Actor: Txt("keeper"), Notes: Txt("every year")}
	if err := errors.Join(log.HandOver(why, b.Public()), log.Close()); err != nil {
		t.Fatal(err)
	}
	if log, err = Open(path, b, clock); err != nil {
		t.Fatal(err)
	}
	if err := log.Accept(why); err != nil {
		t.Fatal(err)
	}
	if _, err := log.AppendAll([]Draft{note, note}); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines = strings.SplitAfter(string(data), "\n")
	return path, lines[:len(lines)-1]
}

func found(t *testing.T, lines []string, keys sign.Verifiers, chunk int) (string, Summary) {
	t.Helper()
	var said []string
	s, err := checkLines(newLineReader(strings.NewReader(strings.Join(lines, ""))), CheckOptions{Keys: keys, Bare: true, Report: func(f finding.Finding) {
		said = append(said, string(f.Code)+" "+itoa(deref(f.K)))
	}}, chunk)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(said, ", "), s
}

func deref(k *int64) int64 {
	if k == nil {
		return 0
	}
	return *k
}

func TestRotate(t *testing.T) {
	a, b, c := newSigner(1), newSigner(2), newSigner(3)
	_, lines := rotated(t, a, b)
	both := keyring{a.Public(), b.Public()}
	for _, chunk := range []int{1, 2, 3, 100} {
		said, s := found(t, lines, both, chunk)
		if said != "" || s.K != 6 || len(s.Signers) != 2 || s.Signers[0].Key != a.Public().KeyID() || s.Signers[1].Key != b.Public().KeyID() || *s.Key != s.Signers[1].Key {
			t.Errorf("chunks of %d: %s, %+v", chunk, said, s)
		}
		if n := s.Signers[0].Last; n == nil || !n.Before(s.Signers[1].First.Time) {
			t.Errorf("chunks of %d: the times of the keys overlap: %+v", chunk, s.Signers)
		}
	}
	for _, c := range []struct {
		what string
		keys keyring
		want string
	}{
		{"the old key alone is trusted", keyring{a.Public()}, "E_KEY_UNKNOWN 4"},
		{"the new key alone is trusted", keyring{b.Public()}, "E_KEY_UNKNOWN 0"},
		{"neither is", keyring{c.Public()}, "E_KEY_UNKNOWN 0, E_KEY_UNKNOWN 4"},
	} {
		if said, _ := found(t, lines, c.keys, 100); said != c.want {
			t.Errorf("%s: %s, want %s", c.what, said, c.want)
		}
	}
}

// forge appends an event to lines that k signs, whether or not it may.
func forge(t *testing.T, lines []string, k sign.Signer, action string, details any) []string {
	t.Helper()
	last, err := ParseRecord([]byte(strings.TrimSuffix(lines[len(lines)-1], "\n")))
	if err != nil {
		t.Fatal(err)
	}
	r := last
	r.E.K, r.E.Action, r.E.Verifier.PKRef, r.E.Details = r.E.K+1, action, k.Public().KeyID(), nil
	if details != nil {
		if r.E.Details, err = canon.Marshal(details); err != nil {
			t.Fatal(err)
		}
	}
	data, err := canon.Marshal(r.E)
	if err != nil {
		t.Fatal(err)
	}
	r.ID = sign.Sum(data)
	r.H = Link(last.H, r.ID)
	if r.Sig, err = k.Sign(r.H[:]); err != nil {
		t.Fatal(err)
	}
	line, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append(slices.Clone(lines), string(line)+"\n")
}

// Each misuse of a rotation has a finding at the event that does it.
func TestRotateRefused(t *testing.T) {
	a, b, c := newSigner(1), newSigner(2), newSigner(3)
	_, l := rotated(t, a, b)
	keys := keyring{a.Public(), b.Public(), c.Public()}
	to := func(k sign.Signer) Rotation { return Rotation{k.Public().KeyID()} }
	for _, test := range []struct {
		what  string
		lines []string
		want  string
	}{
		{"the old key goes on after it has handed over", forge(t, l[:4], a, "note", nil), "E_SIG_EVENT 4"},
		{"the old key goes on after the new one has accepted", forge(t, l[:5], a, "note", nil), "E_SIG_EVENT 5"},
		{"the new key signs before it was named", forge(t, l[:3], b, "note", nil), "E_SIG_EVENT 3"},
		{"the new key does something else first", forge(t, l[:4], b, "note", nil), "E_SEQUENCE 4"},
		{"another key accepts", forge(t, l[:4], c, ActionKeyAccept, nil), "E_SIG_EVENT 4"},
		{"nobody has named the key that accepts", forge(t, l[:3], b, ActionKeyAccept, nil), "E_SEQUENCE 3"},
		{"the key accepts twice", forge(t, l[:5], b, ActionKeyAccept, nil), "E_SEQUENCE 5"},
		{"no key is named", forge(t, l[:3], a, ActionKeyRotate, nil), "E_SEQUENCE 3"},
		{"the key names itself", forge(t, l[:3], a, ActionKeyRotate, to(a)), "E_SEQUENCE 3"},
		{"the first key comes back", forge(t, l[:5], b, ActionKeyRotate, to(a)), "E_SEQUENCE 5"},
		{"the rotation is removed", append(slices.Clone(l[:3]), l[4:]...), "E_SEQUENCE 4"},
		{"the rotation is edited", replaced(l, 3, `"every year"`, `"every yeaR"`), "E_EVENT_ID 3"},
		{"the acceptance is edited", replaced(l, 4, `"every year"`, `"every yeaR"`), "E_EVENT_ID 4"},
		{"the acceptance is removed", append(slices.Clone(l[:4]), l[5:]...), "E_SEQUENCE 5"},
		{"an event of the new key is edited", replaced(l, 5, `"action":"note"`, `"action":"nope"`), "E_EVENT_ID 5"},
	} {
		for _, chunk := range []int{1, 100} {
			if said, _ := found(t, test.lines, keys, chunk); said != test.want {
				t.Errorf("%s: %s, want %s", test.what, said, test.want)
			}
		}
	}
}

func replaced(lines []string, at int, from, to string) []string {
	out := slices.Clone(lines)
	out[at] = strings.Replace(out[at], from, to, 1)
	return out
}

// A log can be opened with the key that signs the ledger now, and with no other.
func TestRotateLog(t *testing.T) {
	a, b := newSigner(1), newSigner(2)
	path, lines := rotated(t, a, b)
	clock := laterClock()
	var wrong *KeyError
	if _, err := Open(path, a, clock); !errors.As(err, &wrong) || wrong.Want != b.Public().KeyID() {
		t.Errorf("the old key opens the ledger: %v", err)
	}
	log, err := Open(path, b, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if _, err := log.AppendAll([]Draft{{Actor: Txt("keeper"), Action: "note"}}); err != nil {
		t.Error(err)
	}
	if err := log.Accept(Draft{Actor: Txt("keeper")}); err == nil {
		t.Error("accepted what nobody has handed over")
	}
	if _, err := log.AppendAll([]Draft{{Actor: Txt("keeper"), Action: ActionKeyRotate}}); err == nil {
		t.Error("a rotation to nobody is written")
	}

	// After key.rotate the next key can open the ledger, and must append key.accept first.
	crashed := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(crashed, []byte(strings.Join(lines[:4], "")), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(crashed, a, clock); !errors.As(err, &wrong) {
		t.Errorf("the old key opens a ledger that it has handed over: %v", err)
	}
	half, err := Open(crashed, b, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	if _, err := half.AppendAll([]Draft{{Actor: Txt("keeper"), Action: "note"}}); err == nil || !strings.Contains(err.Error(), ActionKeyAccept) {
		t.Errorf("an event before the key has accepted: %v", err)
	}
	if err := half.Accept(Draft{Actor: Txt("keeper")}); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile(crashed)
	if err != nil {
		t.Fatal(err)
	}
	if said, _ := found(t, strings.SplitAfter(string(bytes.TrimSuffix(data, []byte("\n"))), "\n"), keyring{a.Public(), b.Public()}, 100); said != "E_TRUNCATED 4" { // its LF was taken off
		t.Errorf("accepted later: %s", said)
	}
}

// A log that is open with the old key notices that another log has handed the ledger over.
func TestRotateMeanwhile(t *testing.T) {
	a, b := newSigner(1), newSigner(2)
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	clock := newClock()
	first, err := Create(path, Genesis{Purpose: PurposeLedger, Run: Run{"ledger"}}, a, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := Open(path, a, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := second.HandOver(Draft{Actor: Txt("keeper")}, b.Public()); err != nil {
		t.Fatal(err)
	}
	var wrong *KeyError
	if _, err := first.AppendAll([]Draft{{Actor: Txt("keeper"), Action: "note"}}); !errors.As(err, &wrong) {
		t.Errorf("the old key goes on: %v", err)
	}
}

// TestRotateOnward: after key.rotate a log signs nothing more, in a batch or by itself,
// since the next event has to be signed by the other key.
func TestRotateOnward(t *testing.T) {
	other := newSigner(2)
	details, err := canon.Marshal(Rotation{other.Public().KeyID()})
	if err != nil {
		t.Fatal(err)
	}
	rotate := Draft{Actor: Txt("keeper"), Action: ActionKeyRotate, Details: details}
	accept := Draft{Actor: Txt("keeper"), Action: ActionKeyAccept}
	eachSigner(t, func(t *testing.T, s sign.Signer) {
		for name, appended := range map[string]func(l *Log) error{
			"in a batch": func(l *Log) error {
				recs, err := l.AppendAll([]Draft{note("a"), rotate, accept, note("b")})
				if len(recs) != 2 {
					t.Errorf("%d records", len(recs))
				}
				return err
			},
			"alone": func(l *Log) error {
				if _, err := l.AppendAll([]Draft{note("a")}); err != nil {
					return err
				}
				if _, err := l.Append(rotate); err != nil {
					return err
				}
				_, err := l.Append(accept)
				return err
			},
		} {
			path, l := create(t, ledgerGenesis())
			l.signer = s
			var wrong *KeyError
			if err := appended(l); !errors.As(err, &wrong) {
				t.Errorf("%s: %v", name, err)
			}
			l.Close()
			next, err := Open(path, other, laterClock())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := next.Accept(accept); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			next.Close()
		}
	})
}
