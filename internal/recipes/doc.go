// Package recipes has no code. Its tests do what docs/recipes.md and the examples
// tell people to do: they run the page's commands, the shell parts of the
// workflow and the evaluation as they stand, and look at what comes out.
package recipes
