// Package imports has no code. Its tests hold the table of who may import
// whom, so that imports flow one way and a verifier stays free of networks,
// subprocesses and private keys.
package imports
