package testbundle

import (
	"fmt"
	"strings"
)

// Guide returns VERIFY.md as it follows from a manifest.
func Guide(m M) []byte {
	at := func(path string) string {
		var v any = m
		for name := range strings.SplitSeq(path, ".") {
			members, _ := v.(M)
			v = members[name]
		}
		return fmt.Sprint(v)
	}
	product := at("product")
	if strings.ContainsFunc(product, func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+@=~./-", r)
	}) {
		product = `"` + strings.ReplaceAll(product, `"`, `\u0022`) + `"`
	}
	fill := map[string]string{
		"KIND": "audit", "KEY": at("verifier.pk_ref"), "TITLE": product + ", run " + at("run.id"),
		"WHAT": "an audit bundle: the signed record of one run",
		"CONTENTS": "`audit/trail.jsonl` is the record, one event a line. `envlock.json` and `cards/` say\n" +
			"in which environment, which steps and with which parameters.\n",
	}
	if at("kind") == "release" {
		fill["KIND"], fill["TITLE"] = "release", fmt.Sprintf("%s %s (%s)", product, at("version"), at("channel"))
		fill["WHAT"] = "a release bundle: artifacts and the evidence for them"
		fill["CONTENTS"] = "`artifacts/` holds the release. `evidence/` holds the audit bundle of the run that made\nit, which verifies in the same way.\n"
		if at("channel") != "canary" {
			fill["CONTENTS"] += "`evidence/ledger.jsonl` is the ledger of the product up to this promotion: the policy and\n" +
				"every window that was measured, from which relseal makes the decision again.\n" +
				"`evidence/from/` holds the manifests that it came from, with their signatures.\n"
		}
	}
	parts := strings.Split(guide, "<")
	text := parts[0]
	for _, part := range parts[1:] {
		name, rest, ok := strings.Cut(part, ">")
		if value, known := fill[name]; ok && known {
			text += value + rest
		} else {
			text += "<" + part
		}
	}
	return []byte(text)
}

const guide = "# Verify <TITLE>\n" + `
This is <WHAT>. It was sealed with the key

    <KEY>

Get that key as ` + "`release.pub` (and `release.ssh.pub`)" + ` from its publisher, over a channel
that you trust, and not from where you got this bundle. Put it beside this directory, not
into it: there it would be a file that the manifest does not list. Everything below works
offline, in this directory.

<CONTENTS>
## With relseal

    relseal verify-bundle . --key ../release.pub

Exit code 0 means VERIFIED, 1 that something is missing, 2 that something is wrong.

## Without relseal

The manifest was signed by the key (OpenSSL 3; its SHA-256 is the bundle's id):

    openssl dgst -sha256 -binary manifest.json > ../id.bin
    openssl pkeyutl -verify -rawin -pubin -inkey ../release.pub -in ../id.bin -sigfile sig/bundle.id.sig

The same with OpenSSH, whose first line shows the id of the key:

    ssh-keygen -l -f ../release.ssh.pub
    echo "release $(cat ../release.ssh.pub)" > ../allowed_signers
    ssh-keygen -Y verify -f ../allowed_signers -I release -n relseal-bundle -s sig/manifest.sshsig < manifest.json

Then the files are those that the manifest pins:

    tr '{' '\n' < manifest.json |
        sed -n 's/^"hash":"sha256:\([0-9a-f]*\)","path":"\([^"]*\)".*/\1  \2/p' |
        sha256sum -c --strict

The list comes from the manifest, because neither signature covers ` + "`SHA256SUMS`" + `: it shows
what was damaged on the way, not what was changed on purpose. cosign 3 covers it too:

    cosign verify-blob-attestation --key ../release.pub --bundle sig/manifest.sigstore.json \
        --insecure-ignore-tlog=true --type https://github.com/relseal/relseal/<KIND>-bundle/v1 manifest.json
    cosign verify-blob-attestation --key ../release.pub --bundle sig/manifest.sigstore.json \
        --insecure-ignore-tlog=true --type https://github.com/relseal/relseal/<KIND>-bundle/v1 SHA256SUMS
    sha256sum -c --strict SHA256SUMS

` + "`sha256sum`" + ` does not look for files that are on no list; relseal does.
`
