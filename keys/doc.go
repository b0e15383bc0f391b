// Package keys reads and writes key files and says who is trusted.
//
// A key is Ed25519. Five forms of private key are read, all of which other tools
// write too: PKCS#8 PEM, plain (openssl genpkey) or encrypted under PBES2 with
// AES-CBC (openssl genpkey -aes256), sigstore's encrypted PEM (cosign
// generate-key-pair's container), and OpenSSH's format, plain or encrypted
// (ssh-keygen). Two forms of public key are read: PKIX PEM (openssl pkey
// -pubout) and the line of an OpenSSH .pub file.
//
// A file holds exactly one key and nothing else. What is lenient here would be a
// place to hide a second key, so there is no text before or after, no PEM
// header, no byte order mark, no other wrapping of lines; only the final newline
// may be missing, and all line ends may be CRLF, since Git and editors change
// those on their own. A private key that others can use is refused (on Unix,
// mode & 077). A weak public key never loads: see [sign.ErrWeakKey].
//
// Trust comes only from what the caller names: see [LoadTrusted].
package keys
