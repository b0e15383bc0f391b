package sbom_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/envlock/capture"
	"github.com/relseal/relseal/envlock/sbom"
)

func ExampleMarshal() {
	packages := []capture.Package{{Manager: capture.Dpkg, Name: "libc6", Version: "2.36-9", Arch: "amd64", Source: "glibc"}}
	id, version := "debian", "12"
	lock := envlock.Lock{Schema: envlock.Schema, Env: envlock.Components{OS: envlock.Component{"id": &id, "version_id": &version}}}
	data, err := sbom.Marshal(lock, packages, "greetd", "1.0.0")
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, "purl") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	// Output:
	// "purl": "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc"
}
