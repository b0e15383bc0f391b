package yamldoc

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/limits"
)

// A Kind says what a value is: a text, a list and so on.
type Kind int

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Integer
	Text
	List
	Map
)

// A value is one value of the document, with its line and its path.
type value struct {
	kind    Kind
	line    int
	text    string // of a text, the text; of other scalars, how they are spelled
	integer int64

	broken   bool // a fault was reported about it
	misnamed bool // a fault was reported about its name

	items   []*value
	names   []string // of members, in the order of the file
	members map[string]*value
	lines   map[string]int  // of the names of members
	missing map[string]bool // the members that were reported as missing

	parent *value
	key    any // name or index in parent
}

// path returns the names and indices that lead to v from the root.
func (v *value) path() document.Path {
	var p document.Path
	for ; v.parent != nil; v = v.parent {
		p = append(p, v.key)
	}
	slices.Reverse(p)
	return p
}

// child returns the member or item that key names, nil if there is none.
func (v *value) child(key any) *value {
	switch key := key.(type) {
	case string:
		return v.members[key]
	case int:
		if key < len(v.items) {
			return v.items[key]
		}
	}
	return nil
}

// A builder turns yaml.v3's nodes into values.
type builder struct {
	doc   *Document
	lines []string
	runes map[int][]rune // the characters of the lines that at has read
}

func (d *Document) build(text string, root *yaml.Node) *value {
	b := &builder{doc: d, lines: strings.Split(text, "\n"), runes: map[int][]rune{}}
	return b.value(root, nil, nil, 1)
}

// value converts n, which stands at that depth: the root is at 1, as canonical JSON counts.
func (b *builder) value(n *yaml.Node, parent *value, key any, depth int) *value {
	v := &value{line: n.Line, parent: parent, key: key}
	if text, hint := b.forbidden(n); text != "" {
		v.kind, v.text = Text, n.Value
		b.doc.broken(v, text, hint)
		if n.Kind == yaml.AliasNode {
			return v // an alias is not followed
		}
	}
	if n.Kind != yaml.ScalarNode && depth > limits.JSONDepth {
		v.kind = Text
		b.doc.broken(v, fmt.Sprintf("nested deeper than %d", limits.JSONDepth), "")
		return v
	}
	switch n.Kind {
	case yaml.MappingNode:
		b.mapping(v, n, depth)
	case yaml.SequenceNode:
		v.kind = List
		for i, item := range n.Content {
			v.items = append(v.items, b.value(item, v, i, depth+1))
		}
	default:
		b.scalar(v, n)
	}
	return v
}

func (b *builder) mapping(v *value, n *yaml.Node, depth int) {
	v.kind = Map
	v.members = make(map[string]*value, len(n.Content)/2)
	v.lines = make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, content := b.name(v, n.Content[i]), n.Content[i+1]
		member := b.value(content, v, name.text, depth+1) // reports its faults, even if it is not added below
		if member.kind == Null && member.text == "" {
			member.line = name.line // yaml.v3 gives an empty value the line of what comes next
		}
		first, again := v.lines[name.text]
		switch {
		case name.kind != Text:
		case again:
			b.doc.broken(name, fmt.Sprintf("is there twice, first on line %d", first), "")
		default:
			v.names = append(v.names, name.text)
			v.members[name.text] = member
			v.lines[name.text] = name.line
			member.misnamed = name.broken
		}
	}
}

// name converts n, a key of the mapping v. A key that may have been meant as a name has
// kind Text, even if a fault was reported about it.
func (b *builder) name(v *value, n *yaml.Node) *value {
	if n.Kind != yaml.ScalarNode {
		name := &value{kind: Map, line: n.Line, parent: v.parent, key: v.key}
		b.doc.broken(name, "a member's name is "+aNode(n)+", not a text", "")
		return name
	}
	name := &value{kind: Text, line: n.Line, text: n.Value, parent: v, key: n.Value}
	if text, hint := b.forbidden(n); text != "" {
		b.doc.broken(name, text, hint)
	}
	if isPlain(n) {
		p := readPlain(n.Value)
		switch {
		case n.Value == "<<":
			name.kind = Null
			b.doc.broken(name, "merge keys are not used here", "write the members out")
		case n.Value == "":
			b.doc.broken(name, "a member without a name", "")
		case p.fault != "":
			b.doc.broken(name, "the name "+p.fault, p.hint)
		case p.kind != Text:
			b.doc.broken(name, fmt.Sprintf("the name %s without quotes is not a text", show(n.Value)), quoteHint(n.Value))
		}
	}
	if !canon.Printable(n.Value) {
		b.doc.broken(name, fmt.Sprintf("the name %s has a character outside U+0020 to U+007E", document.Quote(n.Value)), "")
	}
	return name
}

func (b *builder) scalar(v *value, n *yaml.Node) {
	v.kind, v.text = Text, n.Value
	if len(n.Value) > limits.JSONString { // a text may be longer than its spelling, because of escapes
		b.doc.broken(v, fmt.Sprintf("a text of more than %d bytes", limits.JSONString), "")
	}
	if !isPlain(n) {
		return
	}
	p := readPlain(n.Value)
	if _, inList := v.key.(int); inList && isLetter(n.Value) {
		p = plain{kind: Text}
	}
	if p.fault != "" {
		b.doc.broken(v, p.fault, p.hint)
	}
	v.kind, v.integer = p.kind, p.integer
}

// forbidden returns the fault of a node that is an alias or has an anchor or a tag, and a
// hint. yaml.v3 does not show the tag "!", which makes any scalar a text. That one is
// found by the character at which the node begins: a node begins with its tag, and nothing
// else begins with "!".
func (b *builder) forbidden(n *yaml.Node) (text, hint string) {
	switch {
	case n.Kind == yaml.AliasNode:
		return "aliases are not used here", "write the value out"
	case n.Anchor != "":
		return "anchors are not used here", "write the value out where it is needed"
	case n.Style&yaml.TaggedStyle != 0 || b.at(n) == '!' && !b.keyHasTag(n):
		return "tags are not used here", "quote a value to make it text"
	}
	return "", ""
}

// keyHasTag reports whether n is a mapping that begins with its first key, because it has
// no braces. A tag there is that of the key, and is reported with the key.
func (b *builder) keyHasTag(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && len(n.Content) > 0 &&
		n.Content[0].Line == n.Line && n.Content[0].Column == n.Column
}

// at returns the character at which n begins. The columns of yaml.v3 count characters, not
// bytes.
func (b *builder) at(n *yaml.Node) rune {
	i, column := n.Line-1, n.Column-1
	if i < 0 || i >= len(b.lines) {
		return 0
	}
	line, ok := b.runes[i]
	if !ok {
		line = []rune(b.lines[i])
		b.runes[i] = line
	}
	if column < 0 || column >= len(line) {
		return 0
	}
	return line[column]
}

// isPlain reports whether a scalar has no quotes, tag or block style.
func isPlain(n *yaml.Node) bool { return n.Style == 0 }

// aNode names the kind of n with its article, for a message.
func aNode(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	default:
		return "a scalar"
	}
}
