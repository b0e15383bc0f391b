package gates

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// Windows are those of one release on its channel, in the order of their events. A
// ledger may have a million of them, so they are packed: some 50 bytes each instead of
// a struct of 330 that points to a dozen texts.
type Windows struct {
	release, channel string

	slabs   [][]byte
	at      []uint32 // where each begins: its slab, and the place in it in the low slabBits
	text    int64    // bytes of ids and values
	ordered bool     // they came in the order in which a decision takes them
}

// A Recorded is a window and its event.
type Recorded struct {
	K      int64
	Window Window
}

const (
	slabBits = 20 // a line of a ledger has at most 1 MiB, and a packed window less
	slabSize = 1 << slabBits
)

// NewWindows returns none of a release, which may be "", on a channel.
func NewWindows(release, channel string) *Windows {
	return &Windows{release: release, channel: channel, ordered: true}
}

// All goes over the windows.
func (ws *Windows) All() iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for i := range ws.Len() {
			if !yield(ws.At(i).Window) {
				return
			}
		}
	}
}

// Len is how many there are.
func (ws *Windows) Len() int { return len(ws.at) }

// Text is how many bytes of ids and values they have, which limits.WindowText bounds.
func (ws *Windows) Text() int64 { return ws.text }

// TextOf is what a window counts towards limits.WindowText: the bytes of its id and values.
func TextOf(w *Window) int64 {
	n := len(w.ID)
	for _, m := range metrics {
		n += len(*m.of(w))
	}
	return int64(n)
}

// maxText is the most that TextOf returns of a window that passes Check.
var maxText = int64(maxName + len(metrics)*limits.Value)

// Add takes in the window of event k, which is of that release on that channel and
// passes Check.
func (ws *Windows) Add(k int64, w *Window) {
	if n := len(ws.at); n > 0 && ws.ordered {
		start, end := ws.times(n - 1)
		order := cmp.Or(cmp.Compare(start, w.StartMS), cmp.Compare(end, w.EndMS))
		ws.ordered = order < 0 || order == 0 && ws.At(n-1).Window.ID < w.ID
	}
	var room [512]byte
	b := pack(room[:0], k, w)
	if n := len(ws.slabs); n == 0 || cap(ws.slabs[n-1])-len(ws.slabs[n-1]) < len(b) {
		size := slabSize >> max(0, 10-2*n) // most releases have a few dozen windows
		ws.slabs = append(ws.slabs, make([]byte, 0, max(size, len(b))))
	}
	last := &ws.slabs[len(ws.slabs)-1]
	ws.at = append(ws.at, uint32(len(ws.slabs)-1)<<slabBits|uint32(len(*last)))
	*last = append(*last, b...)
	ws.text += TextOf(w)
}

// At returns the i-th, from 0.
func (ws *Windows) At(i int) Recorded {
	u := unpacker{b: ws.bytes(i)}
	r := u.window()
	r.Window.Schema, r.Window.Release, r.Window.Channel = WindowSchema, ws.release, ws.channel
	return r
}

func (ws *Windows) bytes(i int) []byte {
	at := ws.at[i]
	return ws.slabs[at>>slabBits][at&(slabSize-1):]
}

// times returns what orders most windows, without the rest.
func (ws *Windows) times(i int) (start, end int64) {
	u := unpacker{b: ws.bytes(i)}
	u.number()
	start = u.number()
	return start, start + u.signed()
}

// Start returns when the i-th begins, in ms.
func (ws *Windows) Start(i int) int64 {
	start, _ := ws.times(i)
	return start
}

// Room reports whether one release may have so many windows, with so many bytes of ids
// and values, beside those that it has.
func (ws *Windows) Room(windows int, text int64) bool {
	return len(ws.at)+windows <= limits.Windows && ws.text+text <= limits.WindowText
}

// Full reports whether the longest possible window would have no room any more. A window
// may then have been refused, so that these are perhaps not all that were measured.
func (ws *Windows) Full() bool { return !ws.Room(1, maxText) }

// order returns the indices by start, end, id and canonical form, each content once,
// and how many comparisons that took. It is nil if they came in this order.
func (ws *Windows) order() (order []int32, compared int64) {
	if ws.ordered {
		return nil, 0
	}
	type key struct{ start, end int64 }
	keys := make([]key, ws.Len())
	order = make([]int32, ws.Len())
	for i := range order {
		order[i] = int32(i)
		keys[i].start, keys[i].end = ws.times(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		compared++
		if c := cmp.Or(cmp.Compare(keys[a].start, keys[b].start), cmp.Compare(keys[a].end, keys[b].end)); c != 0 || a == b {
			return c
		}
		x, y := ws.At(int(a)).Window, ws.At(int(b)).Window
		return compareWindows(&x, &y)
	})
	order = slices.CompactFunc(order, func(a, b int32) bool {
		return keys[a] == keys[b] && ws.At(int(a)).Window == ws.At(int(b)).Window
	})
	return order, compared
}

// since returns how many of the first m windows in an order start before an instant.
func (ws *Windows) since(ms int64, m int, index func(int) int) int {
	return sort.Search(m, func(i int) bool {
		start, _ := ws.times(index(i))
		return start >= ms
	})
}

// The packed form of a window: numbers as varints, a bit for each member that may be
// absent, texts behind their lengths, and two characters in a byte where a text is of
// those that numbers are written with.
const (
	hasCounts = 1 << iota
	hasBeat
	hasPSDKind
	hasTBKind
	hasTBUnit
	hasEvidence
)

const digits = "0123456789.-+eE"

func pack(b []byte, k int64, w *Window) []byte {
	b = binary.AppendUvarint(b, uint64(k))
	b = binary.AppendUvarint(b, uint64(w.StartMS))
	b = binary.AppendVarint(b, w.EndMS-w.StartMS)
	b = binary.AppendUvarint(b, uint64(w.Seq))
	b = packText(b, w.ID)
	values, members := byte(0), byte(0)
	for i, m := range metrics {
		if *m.of(w) != "" {
			values |= 1 << i
		}
	}
	for i, there := range [...]bool{w.N.set, w.LastBeatMS.set, w.PSDKind != "", w.TBKind != "", w.TBUnit != "", !w.Evidence.IsZero()} {
		if there {
			members |= hasCounts << i
		}
	}
	b = append(b, values, members)
	for i, m := range metrics {
		if values&(1<<i) != 0 {
			b = packText(b, string(*m.of(w)))
		}
	}
	if members&hasCounts != 0 {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(w.N.n)), uint64(w.K.n))
	}
	if members&hasBeat != 0 {
		b = binary.AppendUvarint(b, uint64(w.LastBeatMS.n))
	}
	for _, text := range []struct {
		bit  byte
		text string
	}{{hasPSDKind, w.PSDKind}, {hasTBKind, w.TBKind}, {hasTBUnit, w.TBUnit}} {
		if members&text.bit != 0 {
			b = packText(b, text.text)
		}
	}
	if members&hasEvidence != 0 {
		b = append(b, w.Evidence[:]...)
	}
	return b
}

func packText(b []byte, s string) []byte {
	number := true
	for i := range len(s) {
		number = number && strings.IndexByte(digits, s[i]) >= 0
	}
	if !number {
		return append(binary.AppendUvarint(b, uint64(len(s))<<1), s...)
	}
	b = binary.AppendUvarint(b, uint64(len(s))<<1|1)
	for i := 0; i < len(s); i += 2 {
		half := byte(strings.IndexByte(digits, s[i])) << 4
		if i+1 < len(s) {
			half |= byte(strings.IndexByte(digits, s[i+1]))
		}
		b = append(b, half)
	}
	return b
}

// An unpacker reads what pack wrote, which stands in memory: nothing can be amiss.
type unpacker struct{ b []byte }

func (u *unpacker) number() int64 {
	n, size := binary.Uvarint(u.b)
	u.b = u.b[size:]
	return int64(n)
}

func (u *unpacker) signed() int64 {
	n, size := binary.Varint(u.b)
	u.b = u.b[size:]
	return n
}

func (u *unpacker) take(n int64) []byte {
	taken := u.b[:n]
	u.b = u.b[n:]
	return taken
}

func (u *unpacker) text() string {
	n := u.number()
	size := n >> 1
	if n&1 == 0 {
		return string(u.take(size))
	}
	var room [64]byte
	s := room[:0]
	for i, halves := range u.take((size + 1) / 2) {
		if s = append(s, digits[halves>>4]); int64(2*i+1) < size {
			s = append(s, digits[halves&15])
		}
	}
	return string(s)
}

func (u *unpacker) window() Recorded {
	r := Recorded{K: u.number()}
	w := &r.Window
	w.StartMS = u.number()
	w.EndMS = w.StartMS + u.signed()
	w.Seq = u.number()
	w.ID = u.text()
	flags := u.take(2)
	values, members := flags[0], flags[1]
	for i, m := range metrics {
		if values&(1<<i) != 0 {
			*m.of(w) = Value(u.text())
		}
	}
	if members&hasCounts != 0 {
		w.N = Some(u.number())
		w.K = Some(u.number())
	}
	if members&hasBeat != 0 {
		w.LastBeatMS = Some(u.number())
	}
	if members&hasPSDKind != 0 {
		w.PSDKind = u.text()
	}
	if members&hasTBKind != 0 {
		w.TBKind = u.text()
	}
	if members&hasTBUnit != 0 {
		w.TBUnit = u.text()
	}
	if members&hasEvidence != 0 {
		w.Evidence = sign.Digest(u.take(int64(len(w.Evidence))))
	}
	return r
}
