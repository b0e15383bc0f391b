// Package bundle defines the container and the manifests of AuditBundle and
// ReleaseBundle: what lies in the file that a third party verifies.
//
// The tar bytes are the bundle. They are the ustar that
//
//	tar --format=ustar --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=0644 -b1
//
// of GNU tar writes for regular files: manifest.json first, then sig/ by path
// bytes, then the rest by path bytes, and two zero blocks at the end. A header is
// a function of path and size, so a reader builds the one it expects and
// compares; nothing in it is interpreted. A path obeys [CheckPath]; two paths,
// or two directories, never differ in case alone, and no file lies below
// another.
//
// zstd around the tar is transport: one frame with a content checksum, a window
// of at most 8 MiB, no dictionary, nothing before or after, and no more than
// 512 MiB plus 1024 times its own size inside. A changed byte of it ends in a
// finding or in the identical tar. A directory with the same tree is the same
// bundle: [Open] yields the same entries in the same order. Directories without
// files hold no bytes of a bundle and are ignored; links and special files are
// findings.
//
// manifest.json is canonical JSON and lists every file outside sig/ except
// itself and SHA256SUMS; its SHA-256 is bundle.id. The package reads and writes
// containers and checks the form of manifests; whether hashes, signatures and
// claims hold is for package verify to say.
package bundle
