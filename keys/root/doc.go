// Package root reads the trust root of a team: who may sign what, until when.
//
// A root is a chain of files, 1.root.json, 2.root.json and so on. Each is TUF root
// metadata, which any TUF client checks, with one signed member of ours,
// x-relseal-roles: for each role the keys that it was ever given to, with their
// validity and status, and how many of them must sign.
//
//	version N+1 counts iff it is signed by the threshold of root keys of N
//	                       and by the threshold of root keys of N+1
//
// Whoever holds one version that they trust, [Pin], reaches every later one, [Chain.Add],
// from wherever it comes: a file needs no trusted place. A Chain answers as a
// [sign.Authority].
//
// One version has one encoding, our canonical JSON. It is restricted so that the
// canonical forms of TUF and of RFC 8785 are the same bytes: strings are U+0020 to
// U+007E, numbers are integers.
//
// Nothing here reads a clock, a network or a private key. What changes a root are
// pure functions too, in [Signed.Change]; who signs is an argument.
package root
