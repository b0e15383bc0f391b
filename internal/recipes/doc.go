// Package recipes has no code. Its tests do what docs/recipes.md, docs/verify.md,
// docs/gates.md and the examples tell people to do: they run the pages' commands, the
// shell parts of the workflow and the evaluation as they stand, and look at what
// comes out.
package recipes
