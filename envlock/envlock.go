// Package envlock is the format of a captured environment: it reads and writes
// it, names it by a fingerprint and says in which component two environments
// differ. Package capture, below it, makes one of this machine; verifying needs
// only this one, which runs no program and opens no file.
//
// An EnvLock is a canonical JSON document with the eleven components of the
// specification, the lock files and the variables that a pipeline lists. Its
// fingerprint is the SHA-256 of that document. Volatile facts stay out: pid,
// load, free memory, uptime, host name, container id, order of PATH.
//
// [Parse] reads one, [Fingerprint] names it, [Diff] compares two.
package envlock

import "github.com/relseal/relseal/sign"

// Schema names the format.
const Schema = "relseal/envlock/v1"

// A Component is a set of named facts. A fact that exists on this kind of
// machine and could not be read is null; one that does not exist is absent.
type Component map[string]*string

// Lock is the captured environment.
type Lock struct {
	Schema    string             `json:"schema"`
	Env       Components         `json:"env"`
	Locks     []LockFile         `json:"locks"`     // sorted by path
	Variables map[string]*string `json:"variables"` // null: not set
}

// Components are the eleven, in the order of the specification.
type Components struct {
	OS         Component `json:"os"`
	Kernel     Component `json:"kernel"`
	Libc       Component `json:"libc"`
	Compilers  Component `json:"compilers"`
	Runtimes   Component `json:"runtimes"`
	Drivers    Component `json:"drivers"`
	Firmware   Component `json:"firmware"`
	Containers Component `json:"containers"`
	HW         Component `json:"hw"`
	Backend    Component `json:"backend"`
	Options    Component `json:"options"`
}

// LockFile is a dependency lock file of the project, by its digest.
type LockFile struct {
	Path string      `json:"path"` // relative to the project
	Hash sign.Digest `json:"hash"`
}
