package capture

import (
	"os"
	"slices"
)

// knownLocks are the names under which package managers keep their lock files.
var knownLocks = []string{
	"go.sum", "go.work.sum",
	"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock",
	"requirements.txt", "poetry.lock", "Pipfile.lock", "uv.lock", "pdm.lock", "pylock.toml", "pixi.lock", "conda-lock.yml",
	"Cargo.lock", "Gemfile.lock", "composer.lock", "mix.lock", "rebar.lock", "pubspec.lock", "Podfile.lock", "Package.resolved",
	"gradle.lockfile", "packages.lock.json", "paket.lock", "conan.lock", "MODULE.bazel.lock", ".terraform.lock.hcl", "flake.lock",
	"stack.yaml.lock", "cabal.project.freeze", "Manifest.toml", "renv.lock", "Chart.lock",
}

// UnlistedLocks returns the lock files at the top of a project that are not
// among those listed: what they pin is not in the EnvLock. They are found by name;
// nothing else in the project is looked at.
func UnlistedLocks(dir string, listed []string) ([]string, error) {
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && slices.Contains(knownLocks, e.Name()) && !slices.Contains(listed, e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
