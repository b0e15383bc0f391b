package sbom

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/envlock/capture"
	"github.com/relseal/relseal/sign"
)

var update = flag.Bool("update", false, "write testdata/bom.json instead of comparing with it")

func text(s string) *string { return &s }

func sample() (envlock.Lock, []capture.Package) {
	digest := text(sign.Sum([]byte("tool")).String())
	l := envlock.Lock{
		Schema: envlock.Schema,
		Env: envlock.Components{
			OS: envlock.Component{"id": text("debian"), "version_id": text("12"), "system": text("linux")},
			Compilers: envlock.Component{
				"cc.file": text("gcc-12"), "cc.version": text("cc (Debian) 12.2.0"), "cc.digest": digest,
				"gopls.file": text("gopls"), "gopls.version": nil, "gopls.digest": digest,
				"gopls.build.module": text("golang.org/x/tools/gopls"), "gopls.build.version": text("v0.16.1"),
			},
			Runtimes: envlock.Component{"sh.file": text("dash"), "sh.version": nil, "sh.digest": nil},
		},
		Locks: []envlock.LockFile{{Path: "go.sum", Hash: sign.Sum([]byte("sum"))}},
	}
	return l, []capture.Package{
		{Manager: capture.Dpkg, Name: "libc6", Version: "2.36-9+deb12u7", Arch: "amd64", Source: "glibc"},
		{Manager: capture.Dpkg, Name: "libc6", Version: "2.36-9+deb12u7", Arch: "i386", Source: "glibc"},
		{Manager: capture.Dpkg, Name: "tzdata", Version: "1:2024a-0", Arch: "all", Source: "tzdata"},
		{Manager: capture.Dpkg, Name: "tzdata", Version: "1:2024a-0", Arch: "all", Source: "tzdata"},
		{Manager: capture.Go, Name: "github.com/BurntSushi/toml", Version: "v1.4.0+incompatible", Tool: "gopls"},
	}
}

// The document stays as it was released. A difference is either a fault or one
// that readers should see in the change log.
func TestMarshal(t *testing.T) {
	l, packages := sample()
	got, err := Marshal(l, packages, "relseal", "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/bom.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/bom.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// What the document is for: its library reads it, every reference is unique, and
// it says which EnvLock it belongs to.
func TestRead(t *testing.T) {
	l, packages := sample()
	data, err := Marshal(l, packages, "relseal", "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 {
		t.Errorf("version %v", bom.SpecVersion)
	}
	fingerprint, err := l.Fingerprint()
	if p := (*bom.Metadata.Properties)[0]; err != nil || p.Name != FingerprintProperty || p.Value != fingerprint.String() {
		t.Errorf("property %+v, want %v", p, fingerprint)
	}
	seen := map[string]bool{bom.Metadata.Component.BOMRef: true}
	var walk func(list []cdx.Component)
	walk = func(list []cdx.Component) {
		for _, c := range list {
			if c.BOMRef == "" || seen[c.BOMRef] {
				t.Errorf("reference %q is empty or there twice", c.BOMRef)
			}
			seen[c.BOMRef] = true
			if c.Components != nil {
				walk(*c.Components)
			}
		}
	}
	walk(*bom.Components)
	if len(seen) != 1+1+3+3+1+1 {
		t.Errorf("%d components: %v", len(seen), seen)
	}
}

// The serial number names the content: the same once more, another for another.
func TestSerialNumber(t *testing.T) {
	l, packages := sample()
	serials := map[string]string{}
	for name, change := range map[string]func(){
		"as it was":       func() {},
		"the same again":  func() {},
		"another package": func() { packages[0].Version = "2.36-9+deb12u8" },
		"another machine": func() { l.Env.Kernel = envlock.Component{"release": text("6.2")} },
	} {
		l, packages = sample()
		change()
		data, err := Marshal(l, packages, "relseal", "0.1.0")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(data), `"serialNumber": "`)
		serials[name], _, _ = strings.Cut(after, `"`)
		if s := serials[name]; len(s) != len("urn:uuid:")+36 || s[23] != '8' || !strings.Contains("89ab", s[28:29]) {
			t.Errorf("%s: %q is no UUID of version 8", name, s)
		}
	}
	if serials["as it was"] != serials["the same again"] || serials["as it was"] == serials["another package"] || serials["as it was"] == serials["another machine"] {
		t.Errorf("serial numbers %v", serials)
	}
}

func TestEmpty(t *testing.T) {
	data, err := Marshal(envlock.Lock{Schema: envlock.Schema}, nil, "relseal", "0.1.0")
	if err != nil || !bytes.Contains(data, []byte(`"name": "unknown"`)) {
		t.Errorf("%s, %v", data, err)
	}
	if _, err := Marshal(envlock.Lock{}, nil, "relseal", "0.1.0"); err == nil {
		t.Error("an EnvLock without a schema was described")
	}
}
