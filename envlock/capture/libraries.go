package capture

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/relseal/relseal/envlock"
)

// A library computes; its file name says who made it.
type library struct{ file, impl string }

// Where Debian's alternatives do not select one, the first of these that is
// installed is recorded.
var (
	blasLibraries = []library{
		{"libflexiblas.so.3", "flexiblas"}, {"libopenblas.so.0", "openblas"}, {"libmkl_rt.so.2", "mkl"}, {"libblis.so.4", "blis"},
		{"libblas.so.3", "reference"},
	}
	lapackLibraries = []library{{"liblapack.so.3", "reference"}}
	dnnLibraries    = []library{
		{"libcudnn.so.9", "cudnn"}, {"libcudnn.so.8", "cudnn"}, {"libMIOpen.so.1", "miopen"}, {"libdnnl.so.3", "onednn"}, {"libdnnl.so.2", "onednn"},
	}
)

// putLibraries adds which libraries of linear algebra and of neural networks a
// program gets that asks the system for one, with their digests: their results
// differ in the last bits. A program may bring its own all the same.
func (m *machine) putLibraries(c envlock.Component) {
	for _, l := range []struct {
		name, alternative string
		libraries         []library
	}{
		{"blas", "libblas.so.3", blasLibraries},
		{"lapack", "liblapack.so.3", lapackLibraries},
		{"dnn", "", dnnLibraries},
	} {
		var impl, file string
		if !m.known(func() {
			if impl, file = m.alternative(l.alternative); impl == "" {
				impl, file = m.installed(m.loaderDirs(), l.libraries)
			}
		}) {
			c[l.name+"_impl"], c[l.name+"_file"], c[l.name+"_digest"] = nil, nil, nil
			continue
		}
		if impl == "" {
			continue
		}
		c[l.name+"_impl"] = line(impl)
		real, err := filepath.EvalSymlinks(m.root.path(file))
		if m.note(err) != nil && !isAbsent(err) {
			c[l.name+"_file"], c[l.name+"_digest"] = nil, nil
		} else if err == nil {
			c[l.name+"_file"] = line(filepath.Base(real))
			c[l.name+"_digest"] = m.digest(real)
		}
	}
}

// alternative returns the selected library and the directory that it is in, which
// names its maker: /usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3.
func (m *machine) alternative(prefix string) (impl, file string) {
	const dir = "/etc/alternatives"
	if prefix == "" {
		return "", ""
	}
	for _, name := range m.names(dir) {
		if name != prefix && !strings.HasPrefix(name, prefix+"-") {
			continue
		}
		target, err := os.Readlink(m.root.path(path.Join(dir, name)))
		if !errors.Is(err, syscall.EINVAL) { // a file that is no link
			m.note(err)
		}
		if err == nil && path.IsAbs(target) {
			return path.Base(path.Dir(target)), target
		}
	}
	return "", ""
}

func (m *machine) installed(dirs []string, libraries []library) (impl, file string) {
	for _, l := range libraries {
		for _, dir := range dirs {
			if file := path.Join(dir, l.file); m.exists(file) {
				return l.impl, file
			}
		}
	}
	return "", ""
}

// loaderDirs are those of the loader's configuration on most systems.
func (m *machine) loaderDirs() []string {
	dirs := []string{"/usr/local/lib", "/usr/local/cuda/lib64", "/opt/rocm/lib"}
	if real, err := filepath.EvalSymlinks(m.root.path(m.loader())); m.note(err) == nil {
		if triplet := filepath.Base(filepath.Dir(real)); strings.Contains(triplet, "-linux-") { // Debian's x86_64-linux-gnu
			dirs = append(dirs, path.Join("/usr/lib", triplet))
		}
	}
	return append(dirs, "/usr/lib64", "/usr/lib")
}
