// Package docs has no code. Its tests hold docs/format.md and the README of the
// vectors in step with the code: members against types, limits against numbers,
// codes against findings, the worked example against a shell, and the whole
// against a second verifier that is written from the page alone.
//
// What the pages say of numbers, digests and vectors is written by
//
//	go test ./internal/docs -update
package docs
