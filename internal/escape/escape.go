// Package escape writes text from elsewhere so that it is shown and not obeyed.
//
// What is hidden, in all forms alike, is what does not print: control characters (ESC
// and the others of C0, DEL, C1), those of format (bidi overrides and marks, zero-width
// and tag characters), separators other than the space, unassigned code points, and
// bytes that are no UTF-8. It is written as an escape that shows which it was; letters
// of every script stay.
package escape

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/lazyregexp"
)

// Line returns s as it can stand in one line of text: what is hidden, line breaks and
// tabs too, as in a string of Go, and the backslash doubled, so that nothing else looks
// like an escape.
func Line(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// Quote returns s between quotation marks, for a sentence that somebody else's text stands
// in: it cannot be read as part of the sentence. No mark comes from s, and none stands
// behind a backslash, also after [Line]. [Sentence] shows it as it is.
func Quote(s string) string { return `"` + strings.ReplaceAll(Line(s), `"`, `\u0022`) + `"` }

// Word is Quote for a name, which stands there as it is if it is one word.
func Word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return Quote(s)
}

var plainWord = lazyregexp.New(`^[A-Za-z0-9_+@=~./-]+$`)

// Words is Word for each of a list, with commas between them.
func Words(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = Word(s)
	}
	return strings.Join(quoted, ", ")
}

// Sentence is [Line] of a sentence in which the text of others stands as Quote or Word
// returned it: the backslash stays as it is.
func Sentence(s string) string { return strings.ReplaceAll(Line(s), `\\`, `\`) }

// Text returns s with what is hidden as \uXXXX, a pair of them above U+FFFF, and a byte
// that is no UTF-8 as \xXX. Line feeds and tabs stay, and so does the backslash: of
// JSON the value is the same after this.
func Text(s string) string {
	if !hides(s) {
		return s
	}
	var w strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&w, `\x%02x`, s[i])
		case shows(r):
			w.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&w, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			fmt.Fprintf(&w, `\u%04x`, r)
		}
	}
	return w.String()
}

func shows(r rune) bool { return r == '\n' || r == '\t' || strconv.IsPrint(r) }

func hides(s string) bool {
	for i, r := range s {
		if !shows(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return true
		}
	}
	return false
}

// Writer returns a writer that writes to w what Text returns. A character may come in
// two parts; one whose end never comes is not written.
func Writer(w io.Writer) io.Writer { return &writer{w: w} }

type writer struct {
	w    io.Writer
	left []byte // the beginning of a character
}

func (e *writer) Write(p []byte) (int, error) {
	data := append(e.left, p...)
	whole := len(data)
	for i := 1; i < utf8.UTFMax && i <= len(data); i++ {
		if b := data[len(data)-i:]; utf8.RuneStart(b[0]) {
			if !utf8.FullRune(b) {
				whole -= i
			}
			break
		}
	}
	text := Text(string(data[:whole]))
	e.left = append([]byte(nil), data[whole:]...)
	if n, err := io.WriteString(e.w, text); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// A cell begins where a spreadsheet may take one to begin: at its start, and after what
// separates cells elsewhere (a semicolon, a tab, a line break). What stands there before
// the next letter and makes a formula of it, or could have been put there by Cell:
var (
	begins  = lazyregexp.New("(^|[;\t\n])([ \"]*[=+\\-@'＝＋－＠])")
	between = lazyregexp.New(`;( |"|\\")*[=+\-@'＝＋－＠]`)
)

// Cell returns text as a cell of CSV that no spreadsheet computes, whatever it takes for
// the separator: an apostrophe, which spreadsheets take for "this is text", stands where
// a formula could begin. Dropping each apostrophe there gives back the text, with what
// is hidden as Text writes it.
func Cell(text string) string {
	text = begins.ReplaceAllString(Text(text), "$1'$2")
	if strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "\n") {
		return "'" + text
	}
	return text
}

// JSONText returns JSON of the same value into which Cell puts nothing but at its
// start: a semicolon before what could be a formula is written as an escape.
func JSONText(text string) string {
	return between.ReplaceAllStringFunc(text, func(s string) string { return `\u003b` + s[1:] })
}

// Message returns text as a message of SARIF, in which brackets make links.
func Message(text string) string {
	return brackets.ReplaceAllStringFunc(Text(text), func(s string) string {
		return strings.Repeat(`\\`, len(s)-1) + `\` + s[len(s)-1:]
	})
}

// brackets are those of links, with the backslashes before them, which escape.
var brackets = lazyregexp.New(`\\*[\[\]]`)

// Clip returns text in at most width characters; what is cut off leaves a mark.
func Clip(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	for i := range text {
		if width--; width == 0 {
			return text[:i] + "…"
		}
	}
	return text
}
