package capture

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/lazyregexp"
)

// plistText matches a member of a property list whose value is a text.
var plistText = lazyregexp.New(`<key>(\w+)</key>\s*<string>([^<&]*)</string>`)

func nativeOS(c envlock.Component) {
	c["id"], c["version_id"], c["build_id"] = text("macos"), nil, nil
	data, err := readView("/System/Library/CoreServices/SystemVersion.plist")
	if err != nil {
		return
	}
	for _, m := range plistText.FindAllSubmatch(data, -1) {
		switch string(m[1]) {
		case "ProductVersion":
			c["version_id"] = line(string(m[2]))
		case "ProductBuildVersion":
			c["build_id"] = line(string(m[2]))
		}
	}
}

func nativeFirmware(c envlock.Component) { c["product_name"] = sysctl("hw.model") }

func nativeHW(c envlock.Component) {
	c["cpu_model"] = sysctl("machdep.cpu.brand_string")
	c["memory"] = nil
	if n, err := unix.SysctlUint64("hw.memsize"); err == nil {
		c["memory"] = text(strconv.FormatUint(n, 10))
	}
}

func sysctl(name string) *string {
	s, err := unix.Sysctl(name)
	if err != nil {
		return nil
	}
	return line(s)
}
