//go:build !darwin && !windows

package capture

import "github.com/relseal/relseal/envlock"

// Linux needs none of these; elsewhere nothing more than uname is known yet.
func nativeOS(c envlock.Component)     { c["id"], c["version_id"] = nil, nil }
func nativeFirmware(envlock.Component) {}
func nativeHW(c envlock.Component)     { c["cpu_model"], c["memory"] = nil, nil }
