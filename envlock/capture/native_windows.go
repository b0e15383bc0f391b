package capture

import (
	"fmt"

	"golang.org/x/sys/windows"

	"github.com/relseal/relseal/envlock"
)

func nativeOS(c envlock.Component) {
	v := windows.RtlGetVersion()
	c["id"] = text("windows")
	c["version_id"] = text(fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber))
}

// uname sets the facts that the running kernel tells: those of the system.
func uname(c envlock.Component) {
	v := windows.RtlGetVersion()
	c["name"] = text("Windows NT")
	c["release"] = text(fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber))
	delete(c, "version")
	delete(c, "machine")
}

func nativeFirmware(envlock.Component) {}

func nativeHW(c envlock.Component) { c["cpu_model"], c["memory"] = nil, nil }
