package e2e

import (
	"bufio"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A disk is a directory as a file system has it: what processes see, and what a power cut
// leaves for sure. Data is durable once its file was synced, a name once its directory was.
type disk struct {
	top  string
	root *inode
	open map[string]*handle // by descriptor and path

	unnamed map[string]*inode // files that were made without a name, by what strace calls them
	latest  map[string]*inode // of those, by descriptor
}

type inode struct {
	dir           bool
	mode          fs.FileMode
	link          string // of a symbolic link
	data, durable []byte
	names, kept   map[string]*inode
}

type handle struct {
	file   *inode
	offset int
	append bool
}

// A loss is what a power cut takes of what was not synced.
type loss string

const (
	lossNothing loss = "nothing: the process was killed"
	lossAll     loss = "names and data that were not synced"
	lossData    loss = "data that was not synced"
	lossZeros   loss = "data that was not synced, and zeros are in its place"
)

var losses = []loss{lossNothing, lossAll, lossData, lossZeros}

// readDisk takes in a directory; all of it is durable.
func readDisk(t *testing.T, top string) *disk {
	t.Helper()
	d := &disk{top: top, open: map[string]*handle{}, unnamed: map[string]*inode{}, latest: map[string]*inode{}}
	var load func(name string) *inode
	load = func(name string) *inode {
		info, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		n := &inode{mode: info.Mode().Perm()}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			n.link, err = os.Readlink(name)
		case info.IsDir():
			n.dir, n.names, n.kept = true, map[string]*inode{}, map[string]*inode{}
			var entries []os.DirEntry
			entries, err = os.ReadDir(name)
			for _, e := range entries {
				n.names[e.Name()] = load(filepath.Join(name, e.Name()))
			}
			n.kept = maps.Clone(n.names)
		default:
			n.data, err = os.ReadFile(name)
			n.durable = n.data
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	d.root = load(top)
	return d
}

// lay writes into a new directory what a power cut leaves.
func (d *disk) lay(t *testing.T, to string, l loss) {
	t.Helper()
	var write func(n *inode, name string)
	write = func(n *inode, name string) {
		var err error
		switch {
		case n.link != "":
			err = os.Symlink(n.link, name)
		case n.dir:
			err = os.MkdirAll(name, n.mode|0o700)
			names := n.names
			if l == lossAll {
				names = n.kept
			}
			for _, e := range slices.Sorted(maps.Keys(names)) {
				write(names[e], filepath.Join(name, e))
			}
		default:
			err = os.WriteFile(name, n.after(l), n.mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(d.root, to)
}

// after returns the content of a file after a power cut. Zeros stand where blocks were
// allocated and not written.
func (n *inode) after(l loss) []byte {
	switch l {
	case lossNothing:
		return n.data
	case lossZeros:
		data := make([]byte, len(n.data))
		copy(data, n.durable[:min(len(n.durable), len(n.data))])
		return data
	}
	return n.durable
}

// find returns the directory and the last element of a path below top.
func (d *disk) find(path string) (parent *inode, name string) {
	rel, err := filepath.Rel(d.top, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return nil, ""
	}
	if rel == "." {
		return &inode{names: map[string]*inode{".": d.root}}, "."
	}
	n := d.root
	parts := strings.Split(rel, "/")
	for _, p := range parts[:len(parts)-1] {
		if n = n.names[p]; n == nil || !n.dir {
			return nil, ""
		}
	}
	return n, parts[len(parts)-1]
}

func (d *disk) at(path string) *inode {
	if n := d.unnamed[path]; n != nil {
		return n
	}
	if parent, name := d.find(path); parent != nil {
		return parent.names[name]
	}
	return nil
}

// A call is a system call that succeeded.
type call struct {
	pid, name string
	args      string
	result    int
	resultFD  string
	resultAt  string   // the path of that descriptor
	texts     []string // the strings among the arguments, decoded
	fds       []fd     // the descriptors among the arguments
}

type fd struct {
	number string
	path   string
}

var (
	callForm   = regexp.MustCompile(`^(\d+) +([a-z0-9_]+)\((.*)\) += (-?\d+)(<[^>]*>)?`)
	textForm   = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?`)
	fdForm     = regexp.MustCompile(`(AT_FDCWD|\b\d+)<((?:\\x[0-9a-f]{2})*)>`)
	unfinished = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
	resumed    = regexp.MustCompile(`^(\d+) +<\.\.\. [a-z0-9_]+ resumed>(.*)$`)
)

// diskCalls are the calls that change a disk, or a descriptor's place in a file.
const diskCalls = "openat,open,creat,read,write,pwrite64,writev,lseek,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,ftruncate,truncate,symlink,symlinkat,copy_file_range,sendfile,fchmod,fchmodat,fallocate"

// readTrace returns the calls in the order in which they ended.
func readTrace(t *testing.T, file string) (calls []call) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<30)
	begun := map[string]string{}
	for s.Scan() {
		line := s.Text()
		if m := unfinished.FindStringSubmatch(line); m != nil {
			begun[m[1]] = m[1] + " " + m[2]
			continue
		}
		if m := resumed.FindStringSubmatch(line); m != nil {
			line = begun[m[1]] + m[2]
		}
		m := callForm.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(m[4], "-") {
			continue // a signal, an end, or a call that failed
		}
		c := call{pid: m[1], name: m[2], args: m[3], resultFD: m[4], resultAt: unhex(strings.Trim(m[5], "<>"))}
		c.result, _ = strconv.Atoi(m[4])
		for _, text := range textForm.FindAllStringSubmatch(m[3], -1) {
			if text[2] != "" {
				t.Fatalf("the trace cuts a string of %s", c.name)
			}
			c.texts = append(c.texts, unhex(text[1]))
		}
		for _, f := range fdForm.FindAllStringSubmatch(textForm.ReplaceAllString(m[3], ""), -1) {
			c.fds = append(c.fds, fd{f[1], unhex(f[2])})
		}
		calls = append(calls, c)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return calls
}

func unhex(s string) string {
	var b strings.Builder
	for i := 0; i+4 <= len(s); i += 4 {
		n, _ := strconv.ParseUint(s[i+2:i+4], 16, 8)
		b.WriteByte(byte(n))
	}
	return b.String()
}

// paths returns the full paths that a call names, each by the descriptor before it.
func (c call) paths() (list []string) {
	for i, text := range c.texts {
		if filepath.IsAbs(text) {
			list = append(list, text)
			continue
		}
		base := ""
		if i < len(c.fds) {
			base = c.fds[i].path
		}
		list = append(list, filepath.Join(base, text))
	}
	return list
}

// apply makes a call happen, and reports whether it touched the disk.
func (d *disk) apply(t *testing.T, c call) bool {
	t.Helper()
	switch c.name {
	case "openat":
		return d.applyOpen(c)
	case "write", "pwrite64", "read", "lseek", "ftruncate", "fsync", "fdatasync", "fchmod":
		return d.applyFile(t, c)
	case "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "symlinkat", "symlink":
		return d.applyName(t, c)
	case "fchmodat":
		if n := d.at(c.paths()[0]); n != nil {
			n.mode = modeOf(c.args)
		}
		return false
	}
	for _, f := range c.fds {
		if d.at(f.path) != nil {
			t.Fatalf("the disk of this test knows no %s(%s)", c.name, c.args)
		}
	}
	return false
}

func modeOf(args string) fs.FileMode {
	m := regexp.MustCompile(`\b0([0-7]{3})\b`).FindStringSubmatch(args)
	if m == nil {
		return 0o644
	}
	n, _ := strconv.ParseUint(m[1], 8, 32)
	return fs.FileMode(n)
}

func (d *disk) applyOpen(c call) bool {
	path := c.paths()[0]
	parent, name := d.find(path)
	if parent == nil {
		return false
	}
	if strings.Contains(c.args, "O_TMPFILE") {
		n := &inode{mode: modeOf(c.args)}
		d.unnamed[c.resultAt], d.latest[c.resultFD] = n, n
		d.open[c.resultFD+c.resultAt] = &handle{file: n}
		return false
	}
	n, made := parent.names[name], false
	if n == nil {
		if !strings.Contains(c.args, "O_CREAT") {
			return false
		}
		n, made = &inode{mode: modeOf(c.args)}, true
		parent.names[name] = n
	}
	if strings.Contains(c.args, "O_TRUNC") {
		n.data, made = nil, true
	}
	d.open[c.resultFD+path] = &handle{file: n, append: strings.Contains(c.args, "O_APPEND")}
	return made
}

func (d *disk) applyFile(t *testing.T, c call) bool {
	if len(c.fds) == 0 {
		return false
	}
	n := d.at(c.fds[0].path)
	if n == nil {
		return false
	}
	key := c.fds[0].number + c.fds[0].path
	h := d.open[key]
	if h == nil || h.file != n { // renamed since it was opened, or opened by a parent
		h = &handle{file: n, offset: len(n.data)}
		for _, other := range d.open {
			if other.file == n {
				h = other
			}
		}
		d.open[key] = h
	}
	numbers := regexp.MustCompile(`, (-?\d+)`).FindAllStringSubmatch(textForm.ReplaceAllString(c.args, ""), -1)
	last := 0
	if len(numbers) > 0 {
		last, _ = strconv.Atoi(numbers[len(numbers)-1][1])
	}
	switch c.name {
	case "fsync", "fdatasync":
		n.durable = slices.Clone(n.data)
		if n.dir {
			n.kept = maps.Clone(n.names)
		}
	case "ftruncate":
		n.data = append(slices.Clone(n.data[:min(last, len(n.data))]), make([]byte, max(0, last-len(n.data)))...)
	case "fchmod":
		n.mode = modeOf(c.args)
	case "read":
		h.offset += c.result
		return false
	case "lseek":
		h.offset = c.result
		return false
	case "write":
		at := h.offset
		if h.append {
			at = len(n.data)
		}
		h.offset = n.put(c.texts[0][:c.result], at)
	case "pwrite64":
		n.put(c.texts[0][:c.result], last)
	}
	return true
}

func (n *inode) put(data string, at int) (end int) {
	end = at + len(data)
	next := make([]byte, max(end, len(n.data)))
	copy(next, n.data)
	copy(next[at:], data)
	n.data = next
	return end
}

func (d *disk) applyName(t *testing.T, c call) bool {
	paths := c.paths()
	from, name := d.find(paths[0])
	descriptor, unnamed := strings.CutPrefix(paths[0], "/proc/self/fd/")
	switch {
	case c.name == "linkat" && unnamed:
		if from, name = d.find(paths[1]); from != nil {
			if from.names[name] = d.latest[descriptor]; from.names[name] == nil {
				t.Fatalf("%s(%s): of what file?", c.name, c.args)
			}
		}
	case strings.HasPrefix(c.name, "symlink"):
		if from, name = d.find(paths[len(paths)-1]); from != nil {
			from.names[name] = &inode{link: c.texts[0]}
		}
	case strings.HasPrefix(c.name, "mkdir"):
		if from != nil {
			from.names[name] = &inode{dir: true, mode: 0o755, names: map[string]*inode{}, kept: map[string]*inode{}}
		}
	case strings.HasPrefix(c.name, "unlink"), c.name == "rmdir":
		if from != nil {
			delete(from.names, name)
		}
	default:
		to, other := d.find(paths[1])
		if from == nil && to == nil {
			return false
		}
		if from == nil || to == nil || from.names[name] == nil {
			t.Fatalf("%s(%s) leads out of the directory", c.name, c.args)
		}
		to.names[other] = from.names[name]
		if strings.HasPrefix(c.name, "rename") {
			delete(from.names, name)
		}
	}
	return from != nil
}

func (c call) String() string {
	var list []string
	for _, f := range c.fds {
		list = append(list, f.path)
	}
	if strings.Contains(c.name, "open") || len(c.texts) > 0 && !strings.Contains(c.name, "write") {
		list = c.paths()
	}
	return c.name + " " + strings.Join(list, " ")
}
