package docs

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

// The vectors show each kind of damage once. Here the second verifier is held
// against the product's on damage drawn at random, always the same.
var draws = flag.Int("draws", 400, "bundles of each kind that the second verifier and the product are tried on")

const trailPath = "audit/trail.jsonl"

var releaseKey = testbundle.NewKey("release")

func demo() *testbundle.Run {
	return testbundle.Demo(releaseKey, "000102030405060708090a0b0c0d0e0f")
}

func trusted(t *testing.T) *keys.Trusted {
	t.Helper()
	key, err := keys.ParsePublic(releaseKey.PEM())
	if err != nil {
		t.Fatal(err)
	}
	return keys.NewTrusted(key)
}

// A match holds one verifier against the other.
type match struct {
	t       *testing.T
	keys    *keys.Trusted
	second  *second // as it is before a bundle
	file    string
	answers map[string]int
}

func newMatch(t *testing.T) *match {
	m := &match{t: t, keys: trusted(t), second: newSecond(t), file: filepath.Join(t.TempDir(), "bundle"), answers: map[string]int{}}
	block, _ := pem.Decode(releaseKey.PEM())
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	m.second.trust(key.(ed25519.PublicKey))
	return m
}

// play verifies the bytes of a bundle twice. what tells how they were made. The
// second verifier leaves some rules out: where it is too kind, and only such a
// rule is broken, there is no verdict to compare.
func (m *match) play(what string, data []byte, leftOut func(verify.Finding) bool) {
	m.t.Helper()
	if err := os.WriteFile(m.file, data, 0o644); err != nil {
		m.t.Fatal(err)
	}
	r := report(m.t, m.file, verify.Options{Keys: m.keys})
	s := *m.second
	s.bundle(data)
	failing, verdict := s.ranges(), s.verdict()
	if verdict != string(r.Verdict) && leftOut != nil && !slices.ContainsFunc(r.Diag.Findings, func(f verify.Finding) bool {
		return f.Verdict == verify.Reject && !leftOut(f)
	}) {
		return
	}
	m.answers[verdict]++
	// The second verifier ends at a manifest that breaks a rule; the product goes on.
	// The product ends at a card that breaks one; the second verifier knows not all.
	ends := slices.ContainsFunc(r.Diag.Findings, func(f verify.Finding) bool {
		container := strings.HasPrefix(f.Text, "the tar is truncated") || strings.HasPrefix(f.Text, "the path differs from ")
		return f.Code == "E_FORMAT" && f.Path != nil && (container || *f.Path == "manifest.json" || strings.HasPrefix(*f.Path, "artifacts/") ||
			strings.HasSuffix(*f.Path, "cards/pipeline.json"))
	})
	if verdict != string(r.Verdict) || !ends && (fmt.Sprint(failing) != fmt.Sprint(r.Diag.FailingEvents.Ranges) || !slices.Equal(s.codes(), codesOf(r))) {
		m.t.Errorf("%s: the second verifier says %s with %q and failing events %v:\n%s", what, verdict, s.codes(), failing, r.Summary())
	}
}

// codesOf lists each code with each verdict that it has in a report, sorted.
func codesOf(r *verify.Report) []string {
	all := []string{}
	for _, f := range r.Diag.Findings {
		all = append(all, string(f.Code)+" "+string(f.Verdict))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A trail whose lines were removed, repeated, moved, exchanged, replaced, cut or
// damaged, one to four times over.
func TestSecondAgreesOnTrails(t *testing.T) {
	m, draw := newMatch(t), rand.New(rand.NewPCG(1, 1))
	good := demo().Seal()
	lines := func(f testbundle.Files) []string {
		all := strings.SplitAfter(string(f[trailPath]), "\n")
		return all[:len(all)-1]
	}
	foreign := lines(testbundle.Demo(releaseKey, "f0e0d0c0b0a090807060504030201000").Seal())
	for range *draws {
		l, what := lines(good), ""
		for range 1 + draw.IntN(4) {
			if len(l) < 2 {
				break
			}
			i, j, edit := draw.IntN(len(l)), draw.IntN(len(l)), draw.IntN(9)
			what += fmt.Sprintf("%s %d,%d; ", []string{"remove", "repeat", "move", "exchange", "foreign", "break", "digit", "cut", "member"}[edit], i, j)
			line := l[i]
			switch edit {
			case 0:
				l = slices.Delete(l, i, i+1)
			case 1:
				l = slices.Insert(l, j, line)
			case 2:
				l = slices.Insert(slices.Delete(l, i, i+1), min(j, len(l)-1), line)
			case 3:
				l[i], l[j] = l[j], l[i]
			case 4:
				l[i] = foreign[draw.IntN(len(foreign))]
			case 5: // a line that cannot be read, or that became two
				at := draw.IntN(len(line))
				l[i] = line[:at] + []string{"\x01", "\n", "\x00"}[draw.IntN(3)] + line[at:]
				l = strings.SplitAfter(strings.Join(l, ""), "\n")
				l = slices.DeleteFunc(l, func(s string) bool { return s == "" })
			case 6: // another digit of one of the digests, or another letter of the signature
				at := draw.IntN(len(line) - 1)
				for !strings.ContainsRune("0123456789abcdef", rune(line[at])) {
					at = (at + 1) % (len(line) - 1)
				}
				l[i] = line[:at] + string("0123456789abcdef"[draw.IntN(16)]) + line[at+1:]
			case 7:
				l[i] = line[:draw.IntN(len(line))]
			case 8:
				from := []string{`"k":`, `"action":"`, `"notes":`, `"ts":"2026`}[draw.IntN(4)]
				to := []string{`"k":1`, `"action":"x.`, `"notes":"x",`, `"ts":"2025`}[draw.IntN(4)]
				l[i] = strings.Replace(line, from, to, 1)
			}
		}
		f := good.Clone()
		f[trailPath] = []byte(strings.Join(l, ""))
		m.play(what, f.Tar(), nil)
	}
	if m.answers["REJECT"] < *draws*8/10 {
		t.Errorf("answers %v", m.answers)
	}
}

// Documents whose members were removed, added or changed by the holder of the
// key, who signed what came of it.
func TestSecondAgreesOnDocuments(t *testing.T) {
	m, draw := newMatch(t), rand.New(rand.NewPCG(2, 2))
	for range *draws {
		r, what := demo(), ""
		change := func(name string) func(testbundle.M) {
			return func(doc testbundle.M) {
				for range 1 + draw.IntN(2) {
					what += name + alter(draw, doc) + "; "
				}
			}
		}
		var files testbundle.Files
		switch draw.IntN(10) {
		case 0:
			change("envlock ")(r.Lock)
		case 1:
			change("pipeline ")(r.Pipeline)
		case 2:
			change("params ")(r.Params)
		case 3:
			r.Manifest = change("manifest ")
		case 4:
			files = r.Release(releaseKey, change("release "))
		case 5:
			files = r.Promote(releaseKey, unseen(r.Release(releaseKey, nil)), change("promoted release "))
		case 9:
			files = r.Promote(releaseKey, unseen(r.Release(releaseKey, change("what it came from "))), nil)
		case 6:
			genesis := plain(r.Genesis())
			change("genesis ")(genesis)
			files = sealOver(r, genesis)
		default:
			// What all events have is filled in when the trail is made.
			k := draw.IntN(len(r.Events))
			for name, value := range r.Event(k + 1) {
				r.Events[k][name] = value
			}
			r.Events[k] = plain(r.Events[k])
			change(fmt.Sprintf("event %d ", k+1))(r.Events[k])
		}
		if files == nil {
			var err error
			if files, err = seal(r); err != nil {
				continue
			}
		}
		m.play(what, files.Tar(), func(f verify.Finding) bool {
			return f.Code == "E_FORMAT" && (*f.Path == "cards/pipeline.json" || *f.Path == "cards/param.json" ||
				*f.Path == "envlock.json" || strings.HasPrefix(f.Text, "gates: "))
		})
	}
	if m.answers["REJECT"] < *draws/2 || m.answers["VERIFIED"] < *draws/50 || m.answers["UNDECIDABLE"] == 0 {
		t.Errorf("answers %v", m.answers)
	}
}

// Runs whose steps the holder of the key recorded in another order, twice, not at
// all, under no name or with other content; some of them go on from another trail,
// where any order may be, and some lost a line since.
func TestSecondAgreesOnRuns(t *testing.T) {
	m, draw := newMatch(t), rand.New(rand.NewPCG(4, 4))
	for range *draws {
		r, what := demo(), ""
		for range 1 + draw.IntN(3) {
			i, j := draw.IntN(len(r.Events)), draw.IntN(len(r.Events))
			e := r.Events[i]
			name := []string{"remove", "repeat", "move", "exchange", "commit", "path", "code", "inputs", "outputs", "status"}[draw.IntN(10)]
			what += fmt.Sprintf("%s %d,%d; ", name, i+1, j+1)
			switch name {
			case "remove":
				r.Events = slices.Delete(r.Events, i, i+1)
			case "repeat":
				r.Events = slices.Insert(r.Events, j, e)
			case "move":
				r.Events = slices.Insert(slices.Delete(r.Events, i, i+1), min(j, len(r.Events)-1), e)
			case "exchange":
				r.Events[i], r.Events[j] = r.Events[j], r.Events[i]
			case "commit":
				r.Events[i] = edited(e, "path", testbundle.M{"commit": testbundle.Digest(nil)})
			case "path":
				r.Events[i] = edited(e, name, []any{nil, "", "build", "rebuild", "test", "other"}[draw.IntN(6)])
			case "code":
				r.Events[i] = edited(e, name, testbundle.M{"hash": testbundle.Digest(nil)})
			case "inputs", "outputs":
				r.Events[i] = edited(e, name, testbundle.Items(map[string]string{"out/demo": "x"}))
			case "status":
				r.Events[i] = edited(e, name, "failed")
			}
		}
		genesis := plain(r.Genesis())
		if draw.IntN(2) == 0 {
			genesis["continues"] = testbundle.M{"H_0": testbundle.Digest(nil), "H_k": testbundle.Digest(nil), "k": 1}
			what += "goes on from another trail; "
		}
		files := sealOver(r, genesis)
		if draw.IntN(3) == 0 {
			// The head is lost with the line: nothing vouches for the next event.
			lines := strings.SplitAfter(string(files[trailPath]), "\n")
			k := 1 + draw.IntN(len(r.Events))
			lines[k] = "x\n"
			files[trailPath] = []byte(strings.Join(lines, ""))
			what += fmt.Sprintf("line %d lost", k)
		}
		m.play(what, files.Tar(), nil)
	}
	if m.answers["REJECT"] < *draws/2 || m.answers["VERIFIED"] < *draws/50 || m.answers["UNDECIDABLE"] == 0 {
		t.Errorf("answers %v", m.answers)
	}
}

// edited returns a copy of an event with another value of one member.
func edited(e testbundle.M, name string, v any) testbundle.M {
	e = maps.Clone(e)
	e[name] = v
	return e
}

// Bundles whose bytes were changed, cut or added to, in the tar and around it.
func TestSecondAgreesOnBytes(t *testing.T) {
	m, draw := newMatch(t), rand.New(rand.NewPCG(3, 3))
	tar := demo().Seal().Tar()
	for _, form := range [][]byte{tar, testbundle.Zstd(tar)} {
		for range *draws / 2 {
			data := bytes.Clone(form)
			at := draw.IntN(len(data))
			if draw.IntN(3) == 0 {
				at = draw.IntN(512) % len(data)
			}
			what := fmt.Sprintf("byte %d of %d changed", at, len(data))
			switch draw.IntN(10) {
			case 0:
				data, what = data[:at], fmt.Sprintf("cut at byte %d of %d", at, len(data))
			case 1:
				data, what = append(data, data[at:]...), fmt.Sprintf("followed by itself from byte %d", at)
			default:
				data[at] ^= 1 << draw.IntN(8)
			}
			m.play(what, data, nil)
		}
	}
}

// Bundles with a file less, a file more or another file, sealed or not.
func TestSecondAgreesOnFiles(t *testing.T) {
	m := newMatch(t)
	run := demo()
	audit := run.Seal()
	for _, f := range []testbundle.Files{audit, run.Release(releaseKey, nil)} {
		for _, path := range f.Paths() {
			without, changed := f.Clone(), f.Clone()
			delete(without, path)
			changed[path] = append([]byte("x"), f[path]...)
			m.play("without "+path, without.Tar(), nil)
			m.play("another "+path, changed.Tar(), nil)
		}
		for _, path := range []string{
			"x", "a/b", ".x", "a/.x", "-x", "a/-x", "a//b", "a/", "/a", "..", "a/../b", "é", "a b", "A/x", "Envlock.json", "ENVLOCK.JSON", "envlock.json/x",
			"sig", "sig/x", "SIG/x", "sig/ext/x", "sig/ext/a/b", "sig/EXT/x", "sig/root/1.root.json", "sig/root/0.root.json", "sig/root/x", "sig/by/x/bundle.id.sig",
			"sig/by/" + releaseKey.HexID() + "/bundle.id.sig", "sig/by/" + strings.Repeat("0", 64) + "/bundle.id.sig", "sig/by/" + strings.Repeat("0", 64) + "/x",
			"evidence/x.audit.tar.zst", "audit/other.jsonl", strings.Repeat("a", 100), "artifacts/" + strings.Repeat("a", 60) + "/b",
		} {
			more := f.Clone()
			more[path] = []byte("x")
			m.play("with "+path, more.Tar(), nil)
		}
	}
	if m.answers["VERIFIED"] < 4 {
		t.Errorf("answers %v", m.answers)
	}
	for _, path := range []string{"x", "audit/x", "artifacts/x", "artifacts/out/other", "evidence/x", "evidence/ledger.jsonl", "evidence/x.audit.tar.zst", "evidence/a/x.audit.tar.zst", "sig/x", "SHA256SUMS", "Verify.md", "out/x"} {
		for _, role := range []string{"trail", "artifact", "evidence", "ledger", "guide", "envlock"} {
			content := []byte(run.Outputs["out/demo"])
			list := func(m testbundle.M, files testbundle.Files) {
				all := append(slices.Clone(manifestFiles(files["manifest.json"])), testbundle.M{"path": path, "role": role, "hash": testbundle.Digest(content), "size": len(content)})
				slices.SortFunc(all, func(a, b testbundle.M) int { return strings.Compare(a["path"].(string), b["path"].(string)) })
				m["files"] = all
			}
			what := path + " as " + role
			r := demo()
			r.Manifest = func(m testbundle.M) { list(m, audit) }
			m.play("audit bundle with "+what, with(r.Seal(), path, content, releaseKey, testbundle.AuditPredicate).Tar(), nil)
			release := demo().Release(releaseKey, func(m testbundle.M) { list(m, demo().Release(releaseKey, nil)) })
			m.play("release bundle with "+what, with(release, path, content, releaseKey, testbundle.ReleasePredicate).Tar(), nil)
		}
	}
}

func manifestFiles(manifest []byte) (files []testbundle.M) {
	var m struct{ Files []testbundle.M }
	if err := json.Unmarshal(manifest, &m); err != nil {
		panic(err)
	}
	return m.Files
}

// with returns a sealed bundle with one more file, which its manifest lists, and
// the view and signatures that follow.
func with(f testbundle.Files, path string, content []byte, key testbundle.Key, predicateType string) testbundle.Files {
	out := f.Clone()
	if !strings.HasPrefix(path, "sig/") && path != "SHA256SUMS" {
		out[path] = content
		out["SHA256SUMS"] = testbundle.Sums(out)
	}
	for name, data := range key.Signatures(out["manifest.json"], out["SHA256SUMS"], predicateType) {
		out["sig/"+name] = data
	}
	return out
}
