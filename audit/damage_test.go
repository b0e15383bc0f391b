package audit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// draw makes a damaged trail out of the good run. A word is a line: G for the
// genesis, a number for that event, or a number with letters for what was done
// to it:
//
//	e  the event was changed
//	i  ... and id_k made to fit        I  only id_k was changed
//	h  ... and H_k as well             H  only H_k was changed
//	s  sig_k was changed
//	x  made and signed by somebody else, in the place of that event
//	r  an event of another run, with the right key
//	j  is not JSON                     l  is longer than a line may be
//	m  is split in two by a LF         v  of a later version
//	f  the event breaks a rule of form but is signed
//
// and G with e, h (H_0 made to fit), H, s, j.
func draw(t *testing.T, m *maker, picture string) string {
	t.Helper()
	var lines []string
	for word := range strings.FieldsSeq(picture) {
		digits := strings.TrimRight(word, "eihsxrjlmvfIH")
		how := word[len(digits):]
		if strings.HasPrefix(word, "G") {
			lines = append(lines, spoilHeader(t, m, word[1:]))
			continue
		}
		k, err := strconv.Atoi(digits)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, spoil(t, m, k, how))
	}
	return strings.Join(lines, "\n") + "\n"
}

func spoilHeader(t *testing.T, m *maker, how string) string {
	h := m.header
	switch how {
	case "":
	case "e":
		h.Genesis.Product = "other"
	case "h":
		h.Genesis.Product = "other"
		h.H0 = sign.Sum([]byte(m.must(canon.Marshal(h.Genesis))))
	case "H":
		h.H0[3] ^= 1
	case "s":
		h.Sig[3] ^= 1
	case "k":
		h.Genesis.Verifier.PKRef = mallory.pub.KeyID()
	case "j":
		return `{"H_0":`
	default:
		t.Fatalf("header %q", how)
	}
	return m.must(canon.Marshal(h))
}

func spoil(t *testing.T, m *maker, k int, how string) string {
	r := m.recs[k-1]
	prev := m.header.H0
	if k > 1 {
		prev = m.recs[k-2].H
	}
	switch how {
	case "":
	case "e", "i", "h":
		r.E.Notes = Txt("changed")
		if how != "e" {
			r.ID = sign.Sum([]byte(m.must(canon.Marshal(r.E))))
		}
		if how == "h" {
			r.H = Link(prev, r.ID)
		}
	case "I":
		r.ID[3] ^= 1
	case "H":
		r.H[3] ^= 1
	case "s":
		r.Sig[3] ^= 1
	case "x":
		r.E.Notes = Txt("put in")
		r = m.seal(prev, r.E, mallory)
	case "r":
		r.E.Run.ID = NewRunID([16]byte{9})
		r = m.seal(prev, r.E, alice)
	case "f":
		r.E.Action = "Not.an.action"
		r = m.seal(prev, r.E, alice)
	case "j":
		return `{"H_k":`
	case "l":
		return strings.Repeat("l", limits.Line+1)
	case "m":
		line := m.lines[k]
		return line[:len(line)/2] + "\n" + line[len(line)/2+1:]
	case "v":
		return strings.Replace(m.lines[k], `"version":"1.0.0"`, `"version":"2.0.0","why":"later"`, 1)
	default:
		t.Fatalf("event %q", how)
	}
	return m.must(canon.Marshal(r))
}

func TestDamage(t *testing.T) {
	good := goodRun(t)
	tests := []struct{ name, picture, want string }{
		{"whole", "G 1 2 3 4 5 6 7 8", ""},

		{"event edited", "G 1 2 3e 4 5 6 7 8", "E_EVENT_ID@3"},
		{"id edited", "G 1 2 3I 4 5 6 7 8", "E_EVENT_ID@3"},
		{"event and id edited", "G 1 2 3i 4 5 6 7 8", "E_CHAIN_LINK@3"},
		{"head edited", "G 1 2 3H 4 5 6 7 8", "E_CHAIN_LINK@3"},
		// The head before event 4 is unknown, so that 4 is not proven.
		{"event, id and head edited", "G 1 2 3h 4 5 6 7 8", "E_SIG_EVENT@3 E_CHAIN_LINK@4"},
		{"signature edited", "G 1 2 3s 4 5 6 7 8", "E_SIG_EVENT@3"},
		{"first edited", "G 1e 2 3 4 5 6 7 8", "E_EVENT_ID@1"},
		{"last edited", "G 1 2 3 4 5 6 7 8e", "E_EVENT_ID@8"},
		{"last head edited", "G 1 2 3 4 5 6 7 8h", "E_SIG_EVENT@8"},
		{"several edited", "G 1e 2 3i 4 5s 6 7H 8", "E_EVENT_ID@1 E_CHAIN_LINK@3 E_SIG_EVENT@5 E_CHAIN_LINK@7"},
		{"neighbours edited", "G 1 2 3e 4e 5i 6H 7s 8e", "E_EVENT_ID@3 E_EVENT_ID@4 E_CHAIN_LINK@5 E_CHAIN_LINK@6 E_SIG_EVENT@7 E_EVENT_ID@8"},

		{"not JSON", "G 1 2 3j 4 5 6 7 8", "E_FORMAT@3"},
		{"too long", "G 1 2 3l 4 5 6 7 8", "E_LIMIT@3"},
		{"split", "G 1 2 3m 4 5 6 7 8", "E_FORMAT@3 E_FORMAT@4"},
		{"later version", "G 1 2 3v 4 5 6 7 8", "E_SCHEMA_MISMATCH@3"},
		{"form", "G 1 2 3f 4 5 6 7 8", "E_FORMAT@3 E_CHAIN_LINK@4"},
		{"last not JSON", "G 1 2 3 4 5 6 7 8j", "E_FORMAT@8"},
		{"two not JSON", "G 1 2 3j 4j 5 6 7 8", "E_FORMAT@3 E_FORMAT@4"},
		{"not JSON and edited", "G 1 2 3j 4e 5 6 7 8", "E_FORMAT@3 E_EVENT_ID@4"},

		{"one removed", "G 1 2 4 5 6 7 8", "E_SEQUENCE@4"},
		{"three removed", "G 1 2 6 7 8", "E_SEQUENCE@6"},
		{"two gaps", "G 1 3 4 6 7 8", "E_SEQUENCE@3 E_SEQUENCE@6"},
		{"head removed", "G 4 5 6 7 8", "E_SEQUENCE@4"},
		{"first removed", "G 2 3 4 5 6 7 8", "E_SEQUENCE@2"},
		{"tail removed", "G 1 2 3 4 5 6 7", "E_TRAIL_OPEN@7?"},
		{"all events removed", "G", "E_TRAIL_OPEN@0?"},
		{"removed and edited", "G 1 2 4e 5 6 7 8", "E_EVENT_ID@3 E_SEQUENCE@5"},

		{"repeated", "G 1 2 3 3 4 5 6 7 8", "E_SEQUENCE@3"},
		{"repeated thrice", "G 1 2 3 3 3 4 5 6 7 8", "E_SEQUENCE@3 E_SEQUENCE@3"},
		{"repeated late", "G 1 2 3 4 5 6 2 7 8", "E_SEQUENCE@2"},
		{"block repeated", "G 1 2 3 4 2 3 4 5 6 7 8", "E_SEQUENCE@2"},
		{"close repeated", "G 1 2 3 4 5 6 7 8 8", "E_SEQUENCE@8"},
		{"whole repeated", "G 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8", "E_SEQUENCE@1 E_SEQUENCE@2 E_SEQUENCE@3 E_SEQUENCE@4 E_SEQUENCE@5 E_SEQUENCE@6 E_SEQUENCE@7 E_SEQUENCE@8"},

		{"swapped", "G 1 2 4 3 5 6 7 8", "E_SEQUENCE@4"},
		{"swapped at the end", "G 1 2 3 4 5 6 8 7", "E_SEQUENCE@8"},
		{"moved ahead", "G 1 6 2 3 4 5 7 8", "E_SEQUENCE@6 E_SEQUENCE@7"},
		{"moved back", "G 1 3 4 5 2 6 7 8", "E_SEQUENCE@3 E_SEQUENCE@2"},
		{"blocks swapped", "G 1 2 5 6 3 4 7 8", "E_SEQUENCE@5 E_SEQUENCE@3 E_SEQUENCE@7"},

		{"forged, put in", "G 1 2 3x 3 4 5 6 7 8", "E_SIG_EVENT@3"},
		{"two forged, put in", "G 1 2 3x 3x 3 4 5 6 7 8", "E_SIG_EVENT@3 E_SEQUENCE@3"},
		{"forged, in its place", "G 1 2 3x 4 5 6 7 8", "E_SIG_EVENT@3 E_CHAIN_LINK@4"},
		{"garbage put in", "G 1 2 3j 3 4 5 6 7 8", "E_FORMAT@3"},
		{"garbage put in twice", "G 1 2 3j 3l 3 4 5 6 7 8", "E_FORMAT@3 E_LIMIT@4"},
		{"garbage at the end", "G 1 2 3 4 5 6 7 8 3j", "E_FORMAT@9"},
		{"other run, put in", "G 1 2 3r 3 4 5 6 7 8", "E_RUN_ID@3"},
		{"other run, in its place", "G 1 2 3r 4 5 6 7 8", "E_RUN_ID@3 E_CHAIN_LINK@4"},

		{"genesis edited", "Ge 1 2 3 4 5 6 7 8", "E_GENESIS@0"},
		{"genesis and H_0 edited", "Gh 1 2 3 4 5 6 7 8", "E_GENESIS@0 E_CHAIN_LINK@1"},
		{"H_0 edited", "GH 1 2 3 4 5 6 7 8", "E_GENESIS@0"},
		{"sig_0 edited", "Gs 1 2 3 4 5 6 7 8", "E_GENESIS@0"},
		{"pk_ref edited", "Gk 1 2 3 4 5 6 7 8", "E_GENESIS@0"},
		{"genesis not JSON", "Gj 1 2 3 4 5 6 7 8", "E_FORMAT@0"},
		{"genesis removed", "1 2 3 4 5 6 7 8", "E_FORMAT@0"},
		{"genesis and events removed", "3 4 5 6 7 8", "E_FORMAT@0 E_SEQUENCE@3"},
		{"genesis edited, event too", "Ge 1 2e 3 4 5 6 7 8", "E_GENESIS@0 E_EVENT_ID@2"},
		{"genesis repeated", "G G 1 2 3 4 5 6 7 8", "E_FORMAT@1"},
		{"garbage before the genesis", "Gj G 1 2 3 4 5 6 7 8", "E_FORMAT@0 E_FORMAT@1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want(t, check(t, draw(t, good, tt.picture), nil), tt.want)
		})
	}
}

// TestDamageWithoutKey: Check finds everything that can be found without the key.
func TestDamageWithoutKey(t *testing.T) {
	good := goodRun(t)
	tests := []struct{ picture, want string }{
		{"G 1 2 3 4 5 6 7 8", ""},
		{"G 1 2 3e 4 5 6 7 8", " E_EVENT_ID@3"},
		{"G 1 2 3i 4 5 6 7 8", " E_CHAIN_LINK@3"},
		{"G 1 2 3s 4 5 6 7 8", ""},
		{"G 1 2 4 5 6 7 8", " E_SEQUENCE@4"},
		{"G 1 2 3 4 5 6 7", " E_TRAIL_OPEN@7?"},
		{"G 1 2 3j 4 5 6 7 8", " E_FORMAT@3"},
	}
	for _, tt := range tests {
		for name, keys := range map[string]sign.Verifiers{"none": nil, "another": sign.Only(mallory.pub)} {
			t.Run(tt.picture+" "+name, func(t *testing.T) {
				res := check(t, draw(t, good, tt.picture), func(o *CheckOptions) { o.Keys = keys })
				want(t, res, "E_KEY_UNKNOWN"+tt.want)
				if res.Key != nil {
					t.Errorf("key %v is said to have verified", res.Key)
				}
			})
		}
	}
}

// TestUnreadableEnd ends a trail in every way that a crash could.
func TestUnreadableEnd(t *testing.T) {
	good := goodRun(t).String()
	line8 := good[strings.LastIndex(good[:len(good)-1], "\n")+1:]
	before := good[:len(good)-len(line8)]
	tests := []struct{ name, trail, want string }{
		{"empty", "", "E_FORMAT@0"},
		{"only a LF", "\n", "E_FORMAT@0"},
		{"no trail", "\x89PNG\r\n\x1a\n", "E_FORMAT@0 E_FORMAT@1"},
		{"torn in line 0", good[:100], "E_FORMAT@0"},
		{"LF of line 0 gone", good[:strings.Index(good, "\n")], "E_TRUNCATED@0"},
		{"LF gone", good[:len(good)-1], "E_TRUNCATED@8"},
		{"torn", good[:len(good)-2], "E_TRUNCATED@8"},
		{"torn early", before + "{", "E_TRUNCATED@8"},
		{"zeros", before + strings.Repeat("\x00", 500), "E_TRUNCATED@8"},
		{"zeros before the end", before + strings.Repeat("\x00", 500) + line8[500:], "E_TRUNCATED@8"},
		{"CR LF", before + line8[:len(line8)-1] + "\r\n", "E_FORMAT@8"},
		{"empty line", good + "\n", "E_FORMAT@9"},
		{"too long without LF", good + strings.Repeat("x", limits.Line+1), "E_LIMIT@9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want(t, check(t, tt.trail, nil), tt.want)
			bare := tt.want
			if strings.HasPrefix(bare, "E_TRUNCATED") {
				bare += "?"
			}
			want(t, check(t, tt.trail, func(o *CheckOptions) { o.Bare = true }), bare)
		})
	}
}

// shortRun returns a trail of three events without a fault.
func shortRun(t testing.TB) *maker {
	d := runDrafts()
	return newMaker(t, runGenesis(), nil).add([]Draft{d[0], d[6], d[7]}, nil)
}

// TestEveryByte changes every byte of a trail, or every third, another third in each run.
// A change that leaves the lines as they are is exactly one finding, at its line.
func TestEveryByte(t *testing.T) {
	trail := []byte(shortRun(t).String())
	line, first := 0, rand.IntN(3)
	for i, c := range trail {
		for _, bad := range []byte{c ^ 1, []byte{c ^ 0x20, 0, '"', '\n', c + 1}[i%5]} {
			if bad == c || os.Getenv("RELSEAL_WHOLE") == "" && i%3 != first {
				continue
			}
			edited := bytes.Clone(trail)
			edited[i] = bad
			res := check(t, string(edited), nil)
			if len(res.found) == 0 {
				t.Fatalf("byte %d, %q to %q: no finding", i, c, bad)
			}
			if c == '\n' || bad == '\n' {
				continue // two lines in one, or one in two
			}
			if len(res.found) != 1 || res.found[0].K == nil || *res.found[0].K != int64(line) {
				t.Fatalf("byte %d of line %d, %q to %q: %s", i, line, c, bad, res.codes())
			}
		}
		if c == '\n' {
			line++
		}
	}
}

// TestEveryPrefix cuts a trail after every byte. No prefix passes as closed.
func TestEveryPrefix(t *testing.T) {
	good := shortRun(t).String()
	for i := range good {
		res := check(t, good[:i], func(o *CheckOptions) { o.Bare = i%2 == 0 })
		if len(res.found) != 1 || res.Closed {
			t.Fatalf("cut after byte %d: %s, closed %v", i, res.codes(), res.Closed)
		}
	}
}

// TestEveryLine removes, repeats and exchanges lines in every way.
func TestEveryLine(t *testing.T) {
	good := goodRun(t)
	n := len(good.lines)
	for i := range n {
		for j := i; j < n; j++ {
			for _, how := range []string{"remove", "repeat", "swap"} {
				var lines []string
				switch how {
				case "remove":
					lines = append(lines, good.lines[:i]...)
					lines = append(lines, good.lines[j+1:]...)
				case "repeat":
					lines = append(lines, good.lines[:j+1]...)
					lines = append(lines, good.lines[i:]...)
				case "swap":
					lines = append(lines, good.lines...)
					lines[i], lines[j] = lines[j], lines[i]
				}
				res := check(t, strings.Join(lines, "\n")+"\n", nil)
				if clean := how == "swap" && i == j; (len(res.found) == 0) != clean {
					t.Errorf("%s %d %d: %q", how, i, j, res.codes())
				}
			}
		}
	}
}

// TestProven damages trails at random, several times each. Whatever is done
// without the key, an event that Check calls proven is one that was signed.
func TestProven(t *testing.T) {
	good := goodRun(t)
	signed := map[sign.Digest]bool{}
	for _, r := range good.recs {
		signed[r.ID] = true
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 600 {
		words := strings.Fields("G 1 2 3 4 5 6 7 8")
		for range 1 + rng.IntN(4) {
			i, j := 1+rng.IntN(len(words)-1), 1+rng.IntN(len(words)-1)
			switch rng.IntN(4) {
			case 0:
				words = slices.Delete(words, i, i+1)
			case 1:
				words = slices.Insert(words, i, words[j])
			case 2:
				words[i], words[j] = words[j], words[i]
			default:
				words[i] = words[i][:1] + string("eiIhHsxjm"[rng.IntN(9)])
			}
			if len(words) < 3 {
				break
			}
		}
		picture := strings.Join(words, " ")
		res := check(t, draw(t, good, picture), nil)
		if (len(res.found) == 0) != (picture == "G 1 2 3 4 5 6 7 8") {
			t.Errorf("%s: %q", picture, res.codes())
		}
		for _, r := range res.events {
			if r.ID != sign.Sum([]byte(good.must(canon.Marshal(r.E)))) || !signed[r.ID] {
				t.Errorf("%s: event %d was never signed; %s", picture, r.E.K, res.codes())
			}
		}
	}
}

func TestSummary(t *testing.T) {
	good := goodRun(t)
	res := check(t, good.String(), nil)
	last := good.recs[7]
	if res.Genesis == nil || res.Genesis.Product != "greetd" || res.H0 != good.header.H0 ||
		res.K != 8 || res.HK != last.H || !res.Closed || res.FailingCount != 0 || *res.Key != alice.pub.KeyID() ||
		*res.First != good.recs[0].E.TS || *res.Last != last.E.TS {
		t.Errorf("summary %+v", res.Summary)
	}
	if len(res.events) != 8 || len(res.doubtful) != 0 {
		t.Errorf("%d events, %d doubtful", len(res.events), len(res.doubtful))
	}

	res = check(t, draw(t, good, "G 1 2e 3s 4 5 6j 7 8"), nil)
	if got := fmt.Sprint(res.Failing, res.FailingCount); got != "[{2 3} {6 6}] 3" {
		t.Errorf("failing events %s", got)
	}
	// The link of event 7 cannot be checked, because the line before it cannot be read.
	if got := fmt.Sprint(ks(res.events), ks(res.doubtful)); got != "[1 4 5 8] [2 3 7]" {
		t.Errorf("events and doubtful %s", got)
	}
	if !res.Closed || res.K != 8 || res.HK != last.H {
		t.Errorf("summary %+v", res.Summary)
	}

	res = check(t, draw(t, good, "G 1 2 3 4 5 6 7 8 8j"), nil)
	if res.Closed || res.K != 9 || !res.HK.IsZero() {
		t.Errorf("summary with garbage at the end %+v", res.Summary)
	}
}

func ks(records []Record) (all []int64) {
	for _, r := range records {
		all = append(all, r.E.K)
	}
	return all
}
