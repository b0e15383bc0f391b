// Package keys reads public keys and trust roots, and says who is trusted.
//
// A key is Ed25519. Two forms of public key are read, both of which other tools write
// too: PKIX PEM (openssl pkey -pubout) and the line of an OpenSSH .pub file.
//
// A file holds exactly one key and nothing else. What is lenient here would be a
// place to hide a second key, so there is no text before or after, no PEM
// header, no byte order mark, no other wrapping of lines; only the final newline
// may be missing, and all line ends may be CRLF, since Git and editors change
// those on their own. A weak public key never loads: see [sign.ErrWeakKey].
//
// Trust comes only from what the caller names: see [LoadTrusted]. Private keys are
// package keys/private.
package keys
