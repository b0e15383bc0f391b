package bundle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/sign"
)

// The guides follow from the manifest, so that a verifier can tell one that somebody
// else wrote: people do what is written there. They hold no bundle.id and no signature,
// since the manifest lists them.

var plainName = lazyregexp.New(`^[A-Za-z0-9_+@=~./-]+$`)

// named quotes a product whose name could be read as words of the guide.
func named(product string) string {
	if plainName.MatchString(product) {
		return product
	}
	return `"` + strings.ReplaceAll(product, `"`, `\u0022`) + `"`
}

// Guide returns VERIFY.md of the bundle.
func (m AuditManifest) Guide() []byte {
	title := fmt.Sprintf("%s, run %s", named(m.Product), m.Run.ID)
	return guide(title, "an audit bundle: the signed record of one run", AuditPredicate, m.Verifier.PKRef,
		"`audit/trail.jsonl` is the record, one event a line. `envlock.json` and `cards/` say\nin which environment, which steps and with which parameters.\n")
}

// Guide returns VERIFY.md of the bundle.
func (m ReleaseManifest) Guide() []byte {
	title := fmt.Sprintf("%s %s (%s)", named(m.Product), m.Version, m.Channel)
	contents := "`artifacts/` holds the release. `evidence/` holds the audit bundle of the run that made\nit, which verifies in the same way.\n"
	if m.Channel != Canary {
		contents += "`evidence/ledger.jsonl` is the ledger of the product up to this promotion: the policy and\nevery window that was measured, from which relseal makes the decision again.\n`evidence/from/` holds the manifests that it came from, with their signatures.\n"
	}
	return guide(title, "a release bundle: artifacts and the evidence for them", ReleasePredicate, m.Verifier.PKRef, contents)
}

func guide(title, what, predicate string, key sign.KeyID, contents string) []byte {
	var w strings.Builder
	fmt.Fprintf(&w, "# Verify %s\n\n", title)
	fmt.Fprintf(&w, "This is %s. It was sealed with the key\n\n%s\n", what, indent(key.String()))
	w.WriteString("Get that key as `release.pub` (and `release.ssh.pub`) from its publisher, over a channel\nthat you trust, and not from where you got this bundle. Put it beside this directory, not\ninto it: there it would be a file that the manifest does not list. Everything below works\noffline, in this directory.\n\n")
	w.WriteString(contents)
	w.WriteString("\n## With relseal\n\n")
	w.WriteString(indent("relseal verify-bundle . --key ../release.pub"))
	w.WriteString("\nExit code 0 means VERIFIED, 1 that something is missing, 2 that something is wrong.\n")
	w.WriteString("\n## Without relseal\n\nThe manifest was signed by the key (OpenSSL 3; its SHA-256 is the bundle's id):\n\n")
	w.WriteString(indent(
		"openssl dgst -sha256 -binary manifest.json > ../id.bin",
		"openssl pkeyutl -verify -rawin -pubin -inkey ../release.pub -in ../id.bin -sigfile "+SigIDPath,
	))
	w.WriteString("\nThe same with OpenSSH, whose first line shows the id of the key:\n\n")
	w.WriteString(indent(
		"ssh-keygen -l -f ../release.ssh.pub",
		`echo "release $(cat ../release.ssh.pub)" > ../allowed_signers`,
		"ssh-keygen -Y verify -f ../allowed_signers -I release -n "+sign.Namespace+" -s "+SigSSHPath+" < manifest.json",
	))
	w.WriteString("\nThen the files are those that the manifest pins:\n\n")
	w.WriteString(indent(pinned...))
	w.WriteString("\nThe list comes from the manifest, because neither signature covers `" + SumsPath + "`: it shows\nwhat was damaged on the way, not what was changed on purpose. cosign 3 covers it too:\n\n")
	cosign := func(file string) []string {
		return []string{
			"cosign verify-blob-attestation --key ../release.pub --bundle " + SigDSSEPath + " \\",
			"    --insecure-ignore-tlog=true --type " + predicate + " " + file,
		}
	}
	w.WriteString(indent(slices.Concat(cosign(ManifestPath), cosign(SumsPath), []string{"sha256sum -c --strict " + SumsPath})...))
	w.WriteString("\n`sha256sum` does not look for files that are on no list; relseal does.\n")
	return []byte(w.String())
}

// pinned checks the files against the manifest with what every POSIX system has. A
// manifest is canonical JSON, so an entry of its files starts with these two
// members, and no text in it can look like one: its quotes would be escaped.
var pinned = []string{
	`tr '{' '\n' < ` + ManifestPath + ` |`,
	`    sed -n 's/^"hash":"sha256:\([0-9a-f]*\)","path":"\([^"]*\)".*/\1  \2/p' |`,
	`    sha256sum -c --strict`,
}

// indent puts four spaces before each line: a code block in the guide.
func indent(lines ...string) string { return "    " + strings.Join(lines, "\n    ") + "\n" }
