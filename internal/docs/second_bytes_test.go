package docs

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Reading of the second verifier: sections 1, 2 and 6 of the page, with the
// standard library and a decoder for zstd.

// readCanonical returns the value whose canonical form data is.
func readCanonical(data []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	text, ok := canonical(v, 1)
	return v, ok && text == string(data)
}

var integer = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// canonical returns the canonical form of v and whether v keeps the restrictions.
func canonical(v any, depth int) (text string, ok bool) {
	ok = true
	var parts []string
	add := func(before string, v any) {
		part, good := canonical(v, depth+1)
		parts, ok = append(parts, before+part), ok && good
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			ok = ok && len(name) <= 64<<10 && (name == "" || leaves["name"].MatchString(name))
			add(quote(name)+":", v[name])
		}
		return "{" + strings.Join(parts, ",") + "}", ok && depth <= 64
	case []any:
		for _, e := range v {
			add("", e)
		}
		return "[" + strings.Join(parts, ",") + "]", ok && depth <= 64
	case string:
		return quote(v), len(v) <= 64<<10
	case json.Number:
		n, err := v.Int64()
		return v.String(), err == nil && integer.MatchString(v.String()) && max(n, -n) < 1<<53
	case nil:
		return "null", true
	default:
		return fmt.Sprint(v), true
	}
}

func quote(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch i := strings.IndexRune("\b\f\n\r\t\"\\", r); {
		case i >= 0:
			b.WriteString(`\` + "bfnrt\"\\"[i:i+1])
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

var leaves = map[string]*regexp.Regexp{
	"any":       regexp.MustCompile(`(?s)^.*$`),
	"text":      regexp.MustCompile(`(?s)^.*$`),
	"name":      regexp.MustCompile(`^[ -~]+$`),
	"decimal":   regexp.MustCompile(`^-?(0|[1-9][0-9]{0,39})(\.[0-9]{0,39}[1-9])?$`),
	"uint64":    regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"digest":    regexp.MustCompile(`^sha256:[0-9a-f]{64}$`),
	"key id":    regexp.MustCompile(`^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$`),
	"signature": regexp.MustCompile(`^[A-Za-z0-9+/]{85}[AQgw]==$`),
	"time":      regexp.MustCompile(`^.{26}Z$`),
}

const timeForm = "2006-01-02T15:04:05.000000Z"

// isLeaf reports whether v, which is not null, is what a word of the tables says.
func isLeaf(kind string, v any) bool {
	switch v := v.(type) {
	case string:
		if leaves[kind] == nil || !leaves[kind].MatchString(v) || kind == "decimal" && v == "-0" {
			return false
		}
		_, small := strconv.ParseUint(v, 10, 64)
		_, real := time.Parse(timeForm, v)
		return (kind != "uint64" || small == nil) && (kind != "time" || real == nil)
	case json.Number:
		return kind == "integer" || kind == "any"
	case bool:
		return kind == "boolean" || kind == "any"
	case map[string]any:
		d, _ := v["commit"].(string)
		return kind == "object" || kind == "any" || kind == "commit" && len(v) == 1 && leaves["digest"].MatchString(d)
	default:
		return kind == "any"
	}
}

// get follows a path of member names; what is not there is nil.
func get(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func text(v any, path string) string { s, _ := get(v, path).(string); return s }
func list(v any, path string) []any  { l, _ := get(v, path).([]any); return l }
func num(v any, path string) int64   { n, _ := get(v, path).(json.Number); i, _ := n.Int64(); return i }

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func digestOf(v any) string { s, _ := canonical(v, 1); return digest([]byte(s)) }

func hashed(digest string) []byte {
	b, _ := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	return b
}

func str(parts ...string) (b string) {
	for _, p := range parts {
		b += string(binary.BigEndian.AppendUint32(nil, uint32(len(p)))) + p
	}
	return b
}

func keyHash(k ed25519.PublicKey) []byte {
	sum := sha256.Sum256([]byte(str("ssh-ed25519", string(k))))
	return sum[:]
}

func keyID(k ed25519.PublicKey) string {
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(keyHash(k))
}

// A memo keeps what was worked out before: of many bundles of one world most parts
// are the same.
type memo[T any] struct {
	sync.Mutex
	known map[string]T
}

const memoSize = 2000

func (m *memo[T]) get(key string, work func() T) T {
	m.Lock()
	v, ok := m.known[key]
	m.Unlock()
	if ok {
		return v
	}
	v = work()
	m.Lock()
	defer m.Unlock()
	if m.known == nil || len(m.known) > memoSize {
		m.known = map[string]T{}
	}
	m.known[key] = v
	return v
}

var held memo[bool]

func holds(k ed25519.PublicKey, message []byte, sig string) bool {
	return held.get(string(k)+sig+string(message), func() bool {
		b, err := base64.StdEncoding.DecodeString(sig)
		return err == nil && isLeaf("signature", sig) && ed25519.Verify(k, message, b)
	})
}

// unpack returns the files of a container, and whether it is without fault.
func unpack(data []byte) (map[string][]byte, bool) {
	if len(data) > 64<<10 {
		return unpackAll(data)
	}
	c := containers.get(string(data), func() (c container) {
		c.files, c.ok = unpackAll(data)
		return c
	})
	return c.files, c.ok
}

type container struct {
	files map[string][]byte
	ok    bool
}

var containers memo[container]

func unpackAll(data []byte) (map[string][]byte, bool) {
	if bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")) {
		if !oneFrame(data) {
			return nil, false
		}
		var err error
		if data, err = decoder().DecodeAll(data, nil); err != nil {
			return nil, false
		}
	}
	files, last := map[string][]byte{}, ""
	for len(data) > 1024 {
		path := strings.TrimRight(string(data[:100]), "\x00")
		size, err := strconv.ParseInt(string(data[124:135]), 8, 64)
		end := 512 + size + -size&511
		if err != nil || string(data[:512]) != header(path, size) || end > int64(len(data)) || !zeros(data[512+size:end]) {
			return files, false
		}
		rank := "2" + path
		if path == "manifest.json" {
			rank = "0"
		} else if strings.HasPrefix(path, "sig/") {
			rank = "1" + path
		}
		if rank <= last || size > most(path) {
			return files, false
		}
		files[path], data, last = data[512:512+size], data[end:], rank
	}
	ext := 0
	for path, content := range files {
		if strings.HasPrefix(path, "sig/ext/") {
			ext += len(content)
		}
	}
	return files, len(data) == 1024 && zeros(data) && ext <= 1<<20 && tidy(slices.Collect(maps.Keys(files)))
}

var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(512<<20))
	if err != nil {
		panic(err)
	}
	return d
})

func zeros(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func header(path string, size int64) string {
	nul := func(n int) string { return strings.Repeat("\x00", max(n, 0)) }
	before := path + nul(100-len(path)) + "0000644\x000000000\x000000000\x00" + fmt.Sprintf("%011o\x00", size) + "00000000000\x00"
	after := "0" + nul(100) + "ustar\x0000" + nul(64) + "0000000\x000000000\x00" + nul(167)
	sum := 8 * int(' ')
	for _, c := range []byte(before + after) {
		sum += int(c)
	}
	return before + fmt.Sprintf("%06o\x00 ", sum) + after
}

// oneFrame walks over a frame of zstd (RFC 8878). A frame that is cut short ends
// behind the data.
func oneFrame(z []byte) bool {
	z = append(bytes.Clone(z), make([]byte, 16)...)
	number := func(at, n int) (v int) {
		for i := range n {
			v |= int(z[at+i]) << (8 * i)
		}
		return v
	}
	desc, at, window := number(4, 1), 5, 0
	if desc&0x1b != 0 || desc&4 == 0 {
		return false
	}
	single, width := desc&0x20 != 0, []int{0, 2, 4, 8}[desc>>6]
	if !single {
		b := number(at, 1)
		window, at = 1<<(10+b>>3)*(8+b&7)/8, at+1
	} else {
		width = max(width, 1)
		window = number(at, width)
		if width == 2 {
			window += 256
		}
	}
	if window < 0 || window > 8<<20 {
		return false
	}
	at += width
	for last := 0; last == 0; {
		if at+16 >= len(z) {
			return false
		}
		h := number(at, 3)
		size := h >> 3
		if h>>1&3 == 3 || size > min(window, 128<<10) {
			return false
		}
		if h>>1&3 == 1 {
			size = 1
		}
		last, at = h&1, at+3+size
	}
	return at+4 == len(z)-16
}

var cleanPath = regexp.MustCompile(`^[A-Za-z0-9_+@=~][A-Za-z0-9_+@=~.-]*(/[A-Za-z0-9_+@=~][A-Za-z0-9_+@=~.-]*)*$`)

// tidy reports whether paths may stand together in one bundle.
func tidy(paths []string) bool {
	files, dirs := map[string]bool{}, map[string]string{}
	for _, p := range paths {
		if len(p) > 100 || !cleanPath.MatchString(p) || files[strings.ToLower(p)] {
			return false
		}
		files[strings.ToLower(p)] = true
		for i, c := range p {
			if lower := strings.ToLower(p[:i]); c == '/' {
				if was, ok := dirs[lower]; ok && was != p[:i] {
					return false
				}
				dirs[lower] = p[:i]
			}
		}
	}
	return !slices.ContainsFunc(paths, func(p string) bool { return dirs[strings.ToLower(p)] != "" })
}

// most is the limit of section 10 for the file at a path.
func most(path string) int64 {
	switch path {
	case "manifest.json":
		return 64 << 20
	case "SHA256SUMS", "VERIFY.md":
		return 16 << 20
	case "envlock.json":
		return 4 << 20
	case "cards/pipeline.json", "cards/param.json":
		return 1 << 20
	}
	switch {
	case strings.HasPrefix(path, "evidence/from/") && strings.HasSuffix(path, "/signatures.json"):
		return 64 << 10
	case strings.HasPrefix(path, "evidence/from/"):
		return 16 << 20
	case strings.HasPrefix(path, "sig/ext/"):
		return 1 << 20
	case strings.HasPrefix(path, "sig/"):
		return 64 << 10
	}
	return 8<<30 - 1
}
