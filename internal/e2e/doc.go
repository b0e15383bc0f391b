// Package e2e has no code. Its tests take the product as other people do: they
// build the program, cut the quickstart, and hold what comes out to the tools of
// others, to changed bytes, and to bundles that earlier versions made.
package e2e
