package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A scenario is a command that is interrupted, and what must hold afterwards.
type scenario struct {
	name    string
	prepare string   // a script that makes what the command needs
	command []string // exit 0 if nothing happens to it
	writes  bool     // it changes something, else it only answers
	denied  string   // how it may also end where something may not be read
	trails  string   // a pattern of the trails of its run, if it runs steps
	after   func(p player, done bool)
}

// A player plays a scenario in a directory of its own.
type player struct {
	t      *testing.T
	bin    string
	top    string
	before string // what happened, for messages
}

// command returns a call of relseal whose home is in the directory, too.
func (p player) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.bin, args...)
	cmd.Dir = p.top
	cmd.Env = append(quiet(), "HOME="+p.top, "RELSEAL_STATE_DIR="+filepath.Join(p.top, "state"), "GOMAXPROCS=1", "TMPDIR="+p.top)
	return cmd
}

func (p player) prepare(s scenario) {
	p.t.Helper()
	if err := os.Mkdir(p.top, 0o755); err != nil {
		p.t.Fatal(err)
	}
	need(p.t, "sh")
	cmd := p.command()
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-eu", "-c", s.prepare}
	cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(p.bin)+":"+os.Getenv("PATH"))
	if r := run(p.t, cmd); r.code != 0 {
		p.t.Fatalf("%s: cannot be prepared: %s", s.name, r)
	}
	copyTree(p.t, p.top+".prepared", p.top)
}

// restore takes the directory back to what prepare made.
func (p player) restore() {
	p.t.Helper()
	if err := os.RemoveAll(p.top); err != nil {
		p.t.Fatal(err)
	}
	copyTree(p.t, p.top, p.top+".prepared")
}

func copyTree(t *testing.T, to, from string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v %s", err, out)
	}
}

// must runs relseal and fails unless it exits with one of the codes.
func (p player) must(codes string, args ...string) ended {
	p.t.Helper()
	r := run(p.t, p.command(args...))
	if !strings.Contains(" "+codes+" ", " "+itoa(r.code)+" ") {
		p.t.Errorf("%s\nthen relseal %s: exit %d, want %s\n%s", p.before, strings.Join(args, " "), r.code, codes, r)
	}
	return r
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func (p player) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(p.top, name))
	return err == nil
}

// count returns how many lines of a file hold a text.
func (p player) count(name, text string) int {
	data, err := os.ReadFile(filepath.Join(p.top, name))
	if err != nil {
		return 0
	}
	return bytes.Count(data, []byte(text))
}

// stepFailed reports whether a run ended because the command of a step did not end with 0.
func (p player) stepFailed(trails string) bool {
	files, _ := filepath.Glob(filepath.Join(p.top, trails))
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil && failedStep.Match(data) {
			return true
		}
	}
	return false
}

var failedStep = regexp.MustCompile(`"exit_code":(null|[1-9])`)

// nothingLeft fails if temporary files of relseal are there.
func (p player) nothingLeft() {
	p.t.Helper()
	filepath.WalkDir(p.top, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".relseal-") {
			p.t.Errorf("%s\nleft behind: %s", p.before, path)
		}
		return nil
	})
}

const cards = `
cat >pipeline.yaml <<'Y'
schema: relseal/pipeline/v1
card: {id: x, author: tester@example.test}
steps:
  - {id: build, run: [sh, -c, "echo demo >demo"], outputs: [demo]}
Y
cat >params.yaml <<'Y'
schema: relseal/params/v1
card: {id: p, author: tester@example.test}
params: []
Y
relseal key generate --out k.key --no-passphrase >/dev/null
`

const aTrail = cards + `
relseal envlock capture --out e.json >/dev/null 2>&1 || test -e e.json
relseal trail start d --envlock e.json --pipeline pipeline.yaml --params params.yaml --key k.key >/dev/null
printf '{"action":"note","actor":"ci","notes":"old"}\n{"action":"note","actor":"ci","notes":"old"}\n' >old
relseal trail append d --key k.key --from old >/dev/null
i=0; while [ $i -lt 40 ]; do printf '{"action":"note","actor":"ci","notes":"new"}\n'; i=$((i+1)); done >new
printf '{"action":"note","actor":"ci","notes":"new"}\n' >one
`

const aProject = cards + `
cat >relseal.yaml <<'Y'
schema: relseal/config/v1
product: demo
version: "1.0.0"
pipeline: pipeline.yaml
params: params.yaml
artifacts: [demo]
key: {file: k.key, passphrase: none}
output: dist
Y
`

const aLedger = aProject + `
cat >gates.yaml <<'Y'
schema: relseal/gates/v1
mode: literal
r_canary: "1"
T_obs: 1s
T_rollback: 5m
stale_max: 60m
W_min: 2
N_LTS: 1
gap_max: 60s
skew_max: 1s
max_undecidable: 2
plus: point
tau_score: "0.95"
gate_rep: "0.02"
tau_psd: {kind: rel_l1, max: "0.05"}
tau_tb: {kind: rms, unit: s, max: "0.001"}
tau_hb: "5"
tau_drop: "0.01"
tau_inc: "0.1"
Y
echo 'gates: gates.yaml' >>relseal.yaml
relseal cut . >/dev/null
cp dist/demo-1.0.0.release.tar.zst canary.release.tar.zst
relseal release init ledger --product demo --key k.key >/dev/null
relseal release register ledger --policy gates.yaml --key k.key >/dev/null
relseal release admit canary.release.tar.zst --ledger ledger --key k.key >/dev/null
sleep 2
now=$(date +%s)000
window() { printf '{"channel":"canary","id":"%s","start_ms":%s,"end_ms":%s,"score":"0.974","delta_rep":"0.01","delta_psd":"0.01","r_tb":"0.0002","hb_lag":"1","drop_rate":"0.001","psd_kind":"rel_l1","tb_kind":"rms","tb_unit":"s"}\n' $1 $2 $3; }
window a $((now-1000)) $((now-500)) >a
window b $((now-500)) $((now)) >b
window c $((now)) $((now+1)) | sed 's/0.974/0.1/' >bad
`

// appended is what must hold of the trail d after an append of n events was broken off.
func appended(n int) func(p player, done bool) {
	return func(p player, done bool) {
		p.must("0 1", "trail", "verify", "d", "--key", "k.pub")
		if old := p.count("d/audit/trail.jsonl", `"notes":"old"`); old != 2 {
			p.t.Errorf("%s\n%d of 2 events are left", p.before, old)
		}
		if made := p.count("d/audit/trail.jsonl", `"notes":"new"`); done && made != n {
			p.t.Errorf("%s\n%d of %d events that were acknowledged are left", p.before, made, n)
		}
		p.must("0", "trail", "append", "d", "--key", "k.key", "--from", "one")
		p.must("0 1", "trail", "verify", "d", "--key", "k.pub")
		p.must("0", "trail", "close", "d", "--key", "k.key", "--status", "failed")
		p.must("0", "trail", "verify", "d", "--key", "k.pub")
		p.nothingLeft()
	}
}

var scenarios = []scenario{
	{name: "trail append", prepare: aTrail, writes: true, command: []string{"trail", "append", "d", "--key", "k.key", "--from", "one"}, after: appended(1)},
	{name: "trail append of many", prepare: aTrail, writes: true, command: []string{"trail", "append", "d", "--key", "k.key", "--from", "new"}, after: appended(40)},
	{name: "trail start", prepare: aTrail, writes: true, command: []string{"trail", "start", "s", "--envlock", "e.json", "--pipeline", "pipeline.yaml", "--params", "params.yaml", "--key", "k.key"},
		after: func(p player, done bool) {
			if done && !p.exists("s") {
				p.t.Errorf("%s\nthe trail is gone", p.before)
			}
			codes := "0" // an empty directory is no trail, and is taken
			if p.exists("s/audit/trail.jsonl") {
				codes = "73"
			}
			p.must(codes, "trail", "start", "s", "--envlock", "e.json", "--pipeline", "pipeline.yaml", "--params", "params.yaml", "--key", "k.key")
			p.must("0", "trail", "append", "s", "--key", "k.key", "--from", "one")
			p.must("0 1", "trail", "verify", "s", "--key", "k.pub")
			p.nothingLeft()
		}},
	{name: "key generate", prepare: "true", writes: true, command: []string{"key", "generate", "--out", "k.key", "--no-passphrase"},
		after: func(p player, done bool) {
			if done && !p.exists("k.key") {
				p.t.Errorf("%s\nthe key is gone", p.before)
			}
			if p.exists("k.key") {
				p.must("0", "key", "check", "k.key")
			} else {
				p.must("0", "key", "generate", "--out", "k.key", "--no-passphrase")
			}
			p.must("0", "key", "generate", "--out", "other.key", "--no-passphrase")
			p.nothingLeft()
		}},
	{name: "run exec", prepare: cards, writes: true, trails: "run/audit/trail.jsonl", command: []string{"run", "exec", "pipeline.yaml", "--params", "params.yaml", "--key", "k.key", "--out", "run", "--product", "demo"},
		after: func(p player, done bool) {
			if done {
				p.must("0", "trail", "verify", "run", "--key", "k.pub")
			} else if p.exists("run") {
				p.must("0 1", "trail", "verify", "run", "--key", "k.pub")
			}
			p.must("0", "run", "exec", "pipeline.yaml", "--params", "params.yaml", "--key", "k.key", "--out", "run2", "--product", "demo")
			p.must("0", "trail", "verify", "run2", "--key", "k.pub")
			p.nothingLeft()
		}},
	{name: "cut", prepare: aProject, writes: true, trails: ".relseal/runs/*/audit/trail.jsonl", command: []string{"cut", "."},
		after: func(p player, done bool) {
			if done {
				p.must("0", "verify-bundle", "dist/demo-1.0.0.audit.tar.zst", "dist/demo-1.0.0.release.tar.zst", "--key", "k.pub")
			}
			for _, name := range []string{"dist/demo-1.0.0.audit.tar.zst", "dist/demo-1.0.0.release.tar.zst"} {
				if p.exists(name) {
					p.must("0", "verify-bundle", name, "--key", "k.pub")
				}
			}
			p.must("0", "cut", ".", "--force")
			p.must("0", "verify-bundle", "dist/demo-1.0.0.audit.tar.zst", "dist/demo-1.0.0.release.tar.zst", "--key", "k.pub")
			p.nothingLeft()
		}},
	{name: "release observe", prepare: aLedger + "relseal release observe ledger --windows a --release canary.release.tar.zst --key k.key >/dev/null\n", writes: true,
		command: []string{"release", "observe", "ledger", "--windows", "b", "--release", "canary.release.tar.zst", "--key", "k.key"},
		after: func(p player, done bool) {
			if n := p.count("ledger/audit/trail.jsonl", `"action":"window"`); n < 1 || done && n != 2 {
				p.t.Errorf("%s\n%d windows are left", p.before, n)
			}
			p.must("0", "release", "observe", "ledger", "--windows", "b", "--release", "canary.release.tar.zst", "--key", "k.key")
			p.must("0", "release", "promote", "canary.release.tar.zst", "--ledger", "ledger", "--key", "k.key", "--out", "stable.release.tar.zst")
			p.must("0", "verify-bundle", "stable.release.tar.zst", "--key", "k.pub")
			p.nothingLeft()
		}},
	{name: "release promote", prepare: aLedger + "cat a b >ab; relseal release observe ledger --windows ab --release canary.release.tar.zst --key k.key >/dev/null\n", writes: true,
		command: []string{"release", "promote", "canary.release.tar.zst", "--ledger", "ledger", "--key", "k.key", "--out", "stable.release.tar.zst"},
		after: func(p player, done bool) {
			if p.exists("stable.release.tar.zst") {
				p.must("0", "verify-bundle", "stable.release.tar.zst", "--key", "k.pub")
				if p.count("ledger/audit/trail.jsonl", `"action":"promote"`) != 1 {
					p.t.Errorf("%s\nthe bundle is there and its promotion is not on record", p.before)
				}
			} else if done {
				p.t.Errorf("%s\nthe bundle is gone", p.before)
			}
			p.must("0", "release", "promote", "canary.release.tar.zst", "--ledger", "ledger", "--key", "k.key", "--out", "stable.release.tar.zst")
			p.must("0", "verify-bundle", "stable.release.tar.zst", "--key", "k.pub")
			p.nothingLeft()
		}},
	{name: "reverify", prepare: aProject + `
relseal cut . >/dev/null
for r in root archive; do relseal key generate --out $r.key --no-passphrase >/dev/null; done
relseal trust init ROOTS --add root=root.pub --add audit=k.pub --add release.canary=k.pub --add archive=archive.pub --from 2020-01-01 --expires 2090-01-01 >/dev/null
hash=$(relseal trust show ROOTS | grep -o 'sha256:[0-9a-f]*' | head -1)
relseal trust sign ROOTS/1.root.json --key root.key --hash $hash >/dev/null 2>&1
`, writes: true,
		command: []string{"reverify", "dist", "--root", "ROOTS/1.root.json", "--key", "archive.key", "--out", "record.audit.tar.zst"},
		after: func(p player, done bool) {
			if done && !p.exists("record.audit.tar.zst") {
				p.t.Errorf("%s\nthe record is gone", p.before)
			}
			if p.exists("record.audit.tar.zst") {
				p.must("0", "verify-bundle", "record.audit.tar.zst", "--root", "ROOTS/1.root.json")
				codes := "73"
				if p.exists("record.audit.tar.zst.part") { // which the next call finishes
					codes = "0 73"
				}
				p.must(codes, "reverify", "dist", "--root", "ROOTS/1.root.json", "--key", "archive.key", "--out", "record.audit.tar.zst")
				return
			}
			p.must("0", "reverify", "dist", "--root", "ROOTS/1.root.json", "--key", "archive.key", "--out", "record.audit.tar.zst")
			p.must("0", "verify-bundle", "record.audit.tar.zst", "--root", "ROOTS/1.root.json")
			p.nothingLeft()
		}},
}
