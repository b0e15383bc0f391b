// Package sbom writes the packages of an environment as CycloneDX 1.6, for the
// programs that look for known vulnerabilities.
//
// The document holds the packages of the system, the declared tools with the
// digests of their files and the Go modules in them, and the lock files with
// theirs. It is a function of its inputs: it has no time of its own, and its
// serial number follows from its content. It names the fingerprint of the EnvLock
// that was captured with it; whether that pins the packages too is the EnvLock's
// business.
package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/envlock/capture"
)

// FingerprintProperty is the property of the document's metadata that holds
// EnvLock.fingerprint.
const FingerprintProperty = "relseal:EnvLock.fingerprint"

// The members of CycloneDX 1.6 that are written, in the order of its schema. A test reads
// them with CycloneDX's own library.
type (
	document struct {
		Schema       string      `json:"$schema"`
		BOMFormat    string      `json:"bomFormat"`
		SpecVersion  string      `json:"specVersion"`
		SerialNumber string      `json:"serialNumber,omitempty"`
		Version      int         `json:"version"`
		Metadata     metadata    `json:"metadata"`
		Components   []component `json:"components"`
	}
	metadata struct {
		Tools      tools      `json:"tools"`
		Component  component  `json:"component"`
		Properties []property `json:"properties"`
	}
	tools struct {
		Components []component `json:"components"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	component struct {
		BOMRef      string      `json:"bom-ref,omitempty"`
		Type        string      `json:"type"`
		Name        string      `json:"name"`
		Version     string      `json:"version,omitempty"`
		Description string      `json:"description,omitempty"`
		Hashes      []hash      `json:"hashes,omitempty"`
		PackageURL  string      `json:"purl,omitempty"`
		Components  []component `json:"components,omitempty"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Value     string `json:"content"`
	}
)

// Marshal returns the document about the environment l and the packages that
// were captured with it. name and version are those of the program that writes it.
func Marshal(l envlock.Lock, packages []capture.Package, name, version string) ([]byte, error) {
	fingerprint, err := l.Fingerprint()
	if err != nil {
		return nil, err
	}
	d := distribution{id: value(l.Env.OS, "id"), version: value(l.Env.OS, "version_id")}
	components := append([]component{d.component(l)}, d.packages(packages)...)
	for _, t := range capture.Again(l).Tools {
		components = append(components, tool(l, t, packages))
	}
	for _, lock := range l.Locks {
		components = append(components, component{
			BOMRef: "lock/" + lock.Path, Type: "file", Name: lock.Path, Hashes: sha(lock.Hash.String()),
		})
	}
	bom := document{Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: "CycloneDX", SpecVersion: "1.6", Version: 1}
	bom.Metadata = metadata{
		Tools:      tools{Components: []component{{Type: "application", Name: name, Version: version}}},
		Component:  component{BOMRef: "environment", Type: "platform", Name: "environment"},
		Properties: []property{{Name: FingerprintProperty, Value: fingerprint.String()}},
	}
	bom.Components = components
	unnumbered, err := encode(bom)
	if err != nil {
		return nil, err
	}
	bom.SerialNumber = "urn:uuid:" + uuid(unnumbered)
	return encode(bom)
}

// tool is a declared program. The line in which it tells its version is a
// description: a version is what Go recorded when it built the program.
func tool(l envlock.Lock, name string, packages []capture.Package) component {
	facts := l.Env.Compilers
	if _, ok := facts[name+".digest"]; !ok {
		facts = l.Env.Runtimes
	}
	c := component{
		BOMRef: "tool/" + name, Type: "application", Name: name,
		Description: value(facts, name+".version"), Hashes: sha(value(facts, name+".digest")),
	}
	module, version := value(facts, name+".build.module"), value(facts, name+".build.version")
	if version != "" && version != "(devel)" {
		c.Version, c.PackageURL = version, golang(module, version)
	}
	var modules []component
	for _, p := range packages {
		if p.Tool != name {
			continue
		}
		purl := golang(p.Name, p.Version)
		modules = append(modules, component{
			BOMRef: c.BOMRef + "/" + purl, Type: "library", Name: p.Name, Version: p.Version, PackageURL: purl,
		})
	}
	c.Components = modules
	return c
}

// sha returns a digest as the format has it, nil if there is none.
func sha(digest string) []hash {
	hex, ok := strings.CutPrefix(digest, "sha256:")
	if !ok {
		return nil
	}
	return []hash{{Algorithm: "SHA-256", Value: hex}}
}

func encode(bom document) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(bom); err != nil {
		return nil, fmt.Errorf("sbom: %w", err)
	}
	return buf.Bytes(), nil
}

// uuid returns one of version 8 (RFC 9562, section 5.8), whose bits are ours to
// choose: the first ones of the SHA-256.
func uuid(data []byte) string {
	sum := sha256.Sum256(data)
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// value returns a fact, "" if it is null or absent.
func value(c envlock.Component, fact string) string {
	if v := c[fact]; v != nil {
		return *v
	}
	return ""
}
