package sbom

import (
	"testing"

	"github.com/relseal/relseal/envlock/capture"
)

// The forms are those of the specification of package URLs and its types.
func TestPackageURL(t *testing.T) {
	debian, rolling := distribution{"debian", "12"}, distribution{id: "arch"}
	tests := []struct {
		d    distribution
		p    capture.Package
		want string
	}{
		{debian, capture.Package{Manager: capture.Dpkg, Name: "libc6", Version: "2.36-9+deb12u7", Arch: "amd64", Source: "glibc"},
			"pkg:deb/debian/libc6@2.36-9%2Bdeb12u7?arch=amd64&distro=debian-12&upstream=glibc"},
		{debian, capture.Package{Manager: capture.Dpkg, Name: "attr", Version: "1:2.4.47-2~bpo+b1", Arch: "amd64", Source: "attr"},
			"pkg:deb/debian/attr@1:2.4.47-2~bpo%2Bb1?arch=amd64&distro=debian-12"},
		{debian, capture.Package{Manager: capture.Dpkg, Name: "cpp-12", Version: "12.2.0-14+b1", Arch: "amd64", Source: "gcc-12@12.2.0-14"},
			"pkg:deb/debian/cpp-12@12.2.0-14%2Bb1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14"},
		{debian, capture.Package{Manager: capture.Dpkg, Name: "libstdc++6", Version: "1", Arch: "all"}, "pkg:deb/debian/libstdc%2B%2B6@1?arch=all&distro=debian-12"},
		{distribution{}, capture.Package{Manager: capture.Dpkg, Name: "x", Version: "1"}, "pkg:deb/debian/x@1"},
		{distribution{"alpine", "3.20.1"}, capture.Package{Manager: capture.Apk, Name: "so:Libz", Version: "1.3-r1", Arch: "x86_64", Source: "zlib"},
			"pkg:apk/alpine/so:libz@1.3-r1?arch=x86_64&distro=alpine-3.20.1&upstream=zlib"},
		{distribution{"fedora", "40"}, capture.Package{Manager: capture.RPM, Name: "ImageMagick", Version: "1:7.1-1.fc40", Arch: "x86_64", Source: "ImageMagick-7.1-1.fc40.src.rpm"},
			"pkg:rpm/fedora/ImageMagick@7.1-1.fc40?arch=x86_64&distro=fedora-40&epoch=1&upstream=ImageMagick-7.1-1.fc40.src.rpm"},
		{distribution{"rhel", "9.4"}, capture.Package{Manager: capture.RPM, Name: "bash", Version: "5.1-9.el9"}, "pkg:rpm/redhat/bash@5.1-9.el9?distro=rhel-9.4"},
		{distribution{"opensuse-leap", "15.6"}, capture.Package{Manager: capture.RPM, Name: "bash", Version: "4.4"}, "pkg:rpm/opensuse/bash@4.4?distro=opensuse-leap-15.6"},
		{rolling, capture.Package{Manager: capture.RPM, Name: "a b/c", Version: "é"}, "pkg:rpm/arch/a%20b%2Fc@%C3%A9?distro=arch"},
		{distribution{}, capture.Package{Manager: capture.RPM, Name: "x", Version: "1"}, "pkg:rpm/x@1"},
		{debian, capture.Package{Manager: capture.Go, Name: "x", Version: "1", Tool: "t"}, ""},
	}
	for _, tt := range tests {
		if got := tt.d.purl(tt.p); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.p, got, tt.want)
		}
	}
	if got, want := golang("github.com/BurntSushi/toml", "v1.4.0+incompatible"), "pkg:golang/github.com/burntsushi/toml@v1.4.0%2Bincompatible"; got != want {
		t.Errorf("module %s, want %s", got, want)
	}
	if got, want := golang("example.test/a", ""), "pkg:golang/example.test/a"; got != want {
		t.Errorf("module %s, want %s", got, want)
	}
}
