package root_test

import (
	"fmt"
	"os"

	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
)

// A verifier has one version that it trusts, and walks on from there.
func ExampleChain_Add() {
	chain, err := root.Pin(pinnedOne) // trusted: it came with the installation
	if err != nil {
		fmt.Println(err)
		return
	}
	// The next one came from anywhere.
	next := rotated(grant("one", retired), grant("two", nil))[1]
	if err := chain.Add(next); err != nil {
		fmt.Println(err)
		return
	}
	key, _ := sign.ParsePublicKey(rawKey("one"))
	g, _ := chain.Grant(sign.RoleAudit, key.KeyID())
	fmt.Println("version", chain.Last().Version(), g.Status, "until", g.NotAfter.Year())
	// Output: version 2 retired until 2027
}

// A team makes the first version, which counts once enough of its holders signed it.
func ExampleSigned_Change() {
	holder, _ := sign.ParsePublicKey(rawKey("alice"))
	from, _ := root.ParseTime("2026-01-01T00:00:00Z")
	until, _ := root.ParseTime("2030-01-01T00:00:00Z")
	r, err := root.Signed{}.Change(root.Change{
		Expires: until,
		Add: []root.Addition{
			{Role: root.RootRole, Key: holder},
			{Role: sign.RoleAudit, Key: holder, NotBefore: from, NotAfter: until},
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	lacks, _ := root.Lacks(nil, r)
	fmt.Println("version", r.Version(), "lacks", lacks[0].Need, "signature")
	// Output: version 1 lacks 1 signature
}
