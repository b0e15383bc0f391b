package docs

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
)

const exampleBundle = "good-audit"

// A step of the worked example: what it shows, the commands that recompute it,
// and what they print. The output is computed here without a shell; TestCommands
// runs the commands as they stand on the page and compares.
type step struct{ text, commands, output string }

// The worked example of the page is about the vector good-audit.
func TestExample(t *testing.T) {
	var page strings.Builder
	fmt.Fprintf(&page, "The commands start in the root of the repository and need `jq`, `openssl` 3, `sha256sum`, `xxd`, `zstd`, GNU `tar` and\n"+
		"`ssh-keygen`. `jq -S` writes the canonical form where numbers are integers and text is printable ASCII, as it is here.\n")
	for _, s := range exampleSteps(t) {
		fmt.Fprintf(&page, "\n%s\n\n```sh\n%s\n```\n\n```text\n%s```\n", s.text, s.commands, s.output)
	}
	generated(t, formatPage, "example", page.String())
}

func exampleSteps(t *testing.T) []step {
	t.Helper()
	packed := []byte(read(t, filepath.Join(vectorDir, exampleBundle+".tar.zst")))
	files, ok := unpack(packed)
	if !ok {
		t.Fatal("the bundle of the example cannot be unpacked")
	}
	tar := testbundle.Files(files).Tar()
	file := func(path string) string { return string(files[path]) }
	lines := strings.SplitAfter(file("audit/trail.jsonl"), "\n")
	line := func(k int) any { return exampleDocument(t, lines[k]) }
	manifest := exampleDocument(t, file("manifest.json"))
	wrapper := exampleDocument(t, file("sig/manifest.sigstore.json"))
	statement, err := base64.StdEncoding.DecodeString(text(wrapper, "dsseEnvelope.payload"))
	if err != nil {
		t.Fatal(err)
	}
	const verified = "Signature Verified Successfully\n"
	sum := func(data, name string) string { return fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(data)), name) }
	sumOf := func(v any) string { s, _ := canonical(v, 1); return sum(s, "-") }
	pipeline := exampleDocument(t, file("cards/pipeline.json"))
	key := testbundle.NewKey("release")

	return []step{
		{"**The files.**", `mkdir example && cd example
BUNDLE=../testdata/vectors/` + exampleBundle + `.tar.zst KEY=../testdata/vectors/keys/release.pub
mkdir b && tar --zstd -xf $BUNDLE -C b
(cd b && sha256sum -c --strict --quiet SHA256SUMS && cut -c1-16,65- SHA256SUMS)`,
			regexp.MustCompile(`(?m)^(.{16}).{48}`).ReplaceAllString(file("SHA256SUMS"), "$1")},

		{"**The container** follows from the files: GNU tar makes the same bytes. This is the header of `manifest.json`, without the lines of zeros.",
			`zstd -dqc $BUNDLE | sha256sum
zstd -dqc $BUNDLE | tar -t | tar --format=ustar --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=0644 -b1 -C b -cT - | sha256sum
zstd -dqc $BUNDLE | head -c 512 | xxd | grep -v ': 0000 0000 0000 0000 0000 0000 0000 0000'`,
			sum(string(tar), "-") + sum(string(tar), "-") + dump(tar[:512])},

		{"**The key id.**", `openssl pkey -pubin -in $KEY -outform DER | tail -c 32 > key
{ printf '\000\000\000\013ssh-ed25519\000\000\000\040'; cat key; } > wire
echo "SHA256:$(openssl dgst -sha256 -binary wire | base64 | tr -d =)"`,
			key.ID() + "\n"},

		{"**Line 0 of the trail**, folded; the canonical genesis, `H_0` and `sig_0`.", `sed -n 1p b/audit/trail.jsonl > line0
fold -w 110 line0
jq -cS .genesis line0 | fold -w 110
jq -cSj .genesis line0 | sha256sum
jq -r .H_0 line0 | cut -d: -f2 | xxd -r -p > h
jq -r .sig_0 line0 | base64 -d > s
openssl pkeyutl -verify -rawin -pubin -inkey $KEY -in h -sigfile s`,
			fold(lines[0]) + fold(canonicalText(get(line(0), "genesis"))+"\n") + sumOf(get(line(0), "genesis")) + verified},

		{"**Line 1**: `id_1`, `H_1` and `sig_1`.", `sed -n 2p b/audit/trail.jsonl > line1
fold -w 110 line1
jq -cSj .e line1 | sha256sum
{ jq -r .H_0 line0; jq -r .id_k line1; } | cut -d: -f2 | xxd -r -p | sha256sum
jq -r .H_k line1 | cut -d: -f2 | xxd -r -p > h
jq -r .sig_k line1 | base64 -d > s
openssl pkeyutl -verify -rawin -pubin -inkey $KEY -in h -sigfile s`,
			fold(lines[1]) + sumOf(get(line(1), "e")) + text(line(1), "H_k")[7:] + "  -\n" + verified},

		{"**Line 2** is the start of the first step: `code.hash` is that of the step in the card, `inputs.hash` that of the items.", `sed -n 3p b/audit/trail.jsonl > line2
jq -r '.e.action, .e.path, .e.code.hash, .e.inputs.hash' line2
jq -cSj '.steps[0]' b/cards/pipeline.json | sha256sum
jq -cSj .e.inputs.items line2 | sha256sum`,
			fmt.Sprintf("%s\n%s\n%s\n%s\n", get(line(2), "e.action"), get(line(2), "e.path"), get(line(2), "e.code.hash"), get(line(2), "e.inputs.hash")) +
				sumOf(list(pipeline, "steps")[0]) + sumOf(get(line(2), "e.inputs.items"))},

		{"**The manifest** pins environment, cards and the last head.", `jq -r '.EnvLock.fingerprint, .PipelineCard.hash, .ParamCard.hash, .trails[0].H_K' b/manifest.json
sha256sum b/envlock.json b/cards/pipeline.json b/cards/param.json
tail -n 1 b/audit/trail.jsonl | jq -r .H_k`,
			fmt.Sprintf("%s\n%s\n%s\n%s\n", get(manifest, "EnvLock.fingerprint"), get(manifest, "PipelineCard.hash"), get(manifest, "ParamCard.hash"), get(list(manifest, "trails")[0], "H_K")) +
				sum(file("envlock.json"), "b/envlock.json") + sum(file("cards/pipeline.json"), "b/cards/pipeline.json") + sum(file("cards/param.json"), "b/cards/param.json") +
				text(line(len(lines)-2), "H_k") + "\n"},

		{"**bundle.id** and its raw signature, with the first bytes of that.", `sha256sum b/manifest.json
openssl dgst -sha256 -binary b/manifest.json > id
openssl pkeyutl -verify -rawin -pubin -inkey $KEY -in id -sigfile b/sig/bundle.id.sig
xxd -l 32 b/sig/bundle.id.sig`,
			sum(file("manifest.json"), "b/manifest.json") + verified + dump(files["sig/bundle.id.sig"][:32])},

		{"**The statement** in the Sigstore bundle, and the DSSE signature.", `jq -r .dsseEnvelope.payload b/sig/manifest.sigstore.json | base64 -d > p
fold -w 110 p && echo
{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' $(wc -c < p); cat p; } > pae
jq -r '.dsseEnvelope.signatures[0].sig' b/sig/manifest.sigstore.json | base64 -d > s
openssl pkeyutl -verify -rawin -pubin -inkey $KEY -in pae -sigfile s`,
			fold(string(statement)+"\n") + verified},

		{"**The SSH signature.**", `echo "release ssh-ed25519 $(base64 wire)" > signers
ssh-keygen -Y verify -f signers -I release -n relseal-bundle -s b/sig/manifest.sshsig < b/manifest.json`,
			`Good "relseal-bundle" signature for release with ED25519 key ` + key.ID() + "\n"},
	}
}

func exampleDocument(t *testing.T, data string) any {
	t.Helper()
	v, ok := readCanonical([]byte(strings.TrimSuffix(data, "\n")))
	if !ok {
		t.Fatalf("not canonical: %.100s", data)
	}
	return v
}

func canonicalText(v any) string { s, _ := canonical(v, 1); return s }

// fold breaks a line as fold -w 110 does.
func fold(line string) string {
	return regexp.MustCompile(`.{110}`).ReplaceAllStringFunc(line, func(part string) string { return part + "\n" })
}

// dump writes data as xxd does, lines of zeros left out.
func dump(data []byte) string {
	var out strings.Builder
	for at := 0; at < len(data); at += 16 {
		row := data[at : at+16]
		if strings.Trim(string(row), "\x00") == "" {
			continue
		}
		fmt.Fprintf(&out, "%08x:", at)
		for i := 0; i < 16; i += 2 {
			fmt.Fprintf(&out, " %x", row[i:i+2])
		}
		out.WriteString("  ")
		for _, c := range row {
			if c < ' ' || c > '~' {
				c = '.'
			}
			out.WriteByte(c)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// The commands of the page, as they stand there, print what stands below them.
func TestCommands(t *testing.T) {
	needTools(t)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```\n\n```text\n(.*?)```\n").FindAllStringSubmatch(read(t, formatPage), -1)
	if len(blocks) < 5 {
		t.Fatalf("the page has %d blocks of commands with their output", len(blocks))
	}
	const end = "--- end of a block ---\n"
	script := "set -eu\n"
	for _, b := range blocks {
		script += b[1] + "echo '" + strings.TrimSpace(end) + "'\n"
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "testdata", "vectors"), os.DirFS(vectorDir)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v after\n%s", err, out)
	}
	printed := strings.Split(string(out), end)
	for i, b := range blocks {
		if printed[i] != b[2] {
			t.Errorf("the commands\n%sprint\n%snot\n%s", b[1], printed[i], b[2])
		}
	}
}

// needTools skips where a command of the example is not what the page asks for.
func needTools(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"sh", "tar", "zstd", "jq", "sha256sum", "xxd", "openssl", "ssh-keygen", "base64", "fold"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the worked example is not run: there is no %s on this machine", tool)
		}
	}
	for tool, want := range map[string]string{"openssl version": `^OpenSSL ([3-9]|[1-9][0-9])\.`, "tar --version": `^tar \(GNU tar\)`} {
		words := strings.Fields(tool)
		out, err := exec.Command(words[0], words[1:]...).Output()
		if err != nil || !regexp.MustCompile(want).Match(out) {
			t.Skipf("the worked example is not run: %s says %.40q", tool, out)
		}
	}
}
