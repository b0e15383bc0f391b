package cards

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/limits"
)

// The types of parameters.
const (
	TypeInteger = "integer"
	TypeReal    = "real"
	TypeEnum    = "enum"
	TypeBoolean = "boolean"
	TypeText    = "text"
)

var paramTypes = []string{TypeInteger, TypeReal, TypeEnum, TypeBoolean, TypeText}

var paramName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)

// check reports everything that is wrong with the meaning of p, whether it came
// from YAML or from canonical JSON.
func (p Params) check(report document.Reporter) {
	p.Card.check(report)
	seen := make(map[string]int, len(p.Params))
	for i, param := range p.Params {
		at := func(rest ...any) document.Path { return append(document.At("params", i), rest...) }
		if !paramName.MatchString(param.Name) {
			report(at("name"), fmt.Sprintf("%s is not 1 to 64 letters, digits, _ . - beginning with a letter or _", document.Quote(param.Name)), "")
		}
		if first, ok := seen[param.Name]; ok {
			report(at("name"), fmt.Sprintf("%s is the name of params[%d] too", document.Quote(param.Name), first), "")
		} else {
			seen[param.Name] = i
		}
		param.check(report, at)
	}
	p.Weights.check(report, paramClasses)
}

func (p Param) check(report document.Reporter, at func(...any) document.Path) {
	if !slices.Contains(paramTypes, p.Type) {
		report(at("type"), fmt.Sprintf("want one of %s, got %s", strings.Join(paramTypes, ", "), document.Quote(p.Type)),
			document.Suggest(p.Type, paramTypes))
		return
	}
	p.checkUnit(report, at)
	sound := p.checkType(report, p.Value, at("value"))
	for i, v := range p.Domain {
		sound = p.checkType(report, v, at("domain", i)) && sound
	}
	switch {
	case p.Type == TypeEnum:
		p.checkChoices(report, at)
	case len(p.Domain) == 0:
	case p.Type == TypeBoolean || p.Type == TypeText:
		report(at("domain"), "a "+p.Type+" has no domain", "leave it out, or make it an enum")
	case len(p.Domain) != 2:
		report(at("domain"), fmt.Sprintf("want [min, max], got a list of %d", len(p.Domain)), "")
	case sound:
		p.checkRange(report, at)
	}
}

func (p Param) checkUnit(report document.Reporter, at func(...any) document.Path) {
	number := p.Type == TypeInteger || p.Type == TypeReal
	switch {
	case p.Unit == "" || len(p.Unit) > 64 || !canon.Printable(p.Unit) || strings.TrimSpace(p.Unit) != p.Unit:
		report(at("unit"), fmt.Sprintf("%s is not a unit of 1 to 64 characters U+0020 to U+007E", document.Quote(p.Unit)), `a pure number has unit "1"`)
	case !number && p.Unit != "1":
		report(at("unit"), fmt.Sprintf("%s cannot have the unit %s", article(p.Type), document.Quote(p.Unit)), `write "1"`)
	}
}

// checkType reports a value that its type does not have.
func (p Param) checkType(report document.Reporter, v canon.Value, at document.Path) bool {
	fault, hint := "", ""
	s, isText := text(v)
	switch p.Type {
	case TypeInteger:
		switch {
		case v.Kind() == '0':
		case isText && isLargeInteger(s):
		case isText && isInteger(s):
			fault, hint = "want an integer, got a text", "write "+s+" without quotes"
		default:
			fault = "want an integer, got " + describe(v)
		}
	case TypeReal:
		if _, err := canon.ParseDecimal(s); !isText || err != nil {
			fault = "want a decimal, got " + describe(v)
		}
	case TypeBoolean:
		if v.Kind() != 't' && v.Kind() != 'f' {
			fault = "want true or false, got " + describe(v)
		}
	default:
		if !isText {
			fault = "want a text, got " + describe(v)
			if v.Kind() == '0' || v.Kind() == 't' || v.Kind() == 'f' {
				hint = fmt.Sprintf("quote it: %q", string(v))
			}
		}
	}
	if fault != "" {
		report(at, fault, hint)
	}
	return fault == ""
}

// checkChoices asks that the values of an enum are distinct and hold its value.
func (p Param) checkChoices(report document.Reporter, at func(...any) document.Path) {
	if len(p.Domain) == 0 {
		report(at("domain"), "an enum lists its values", "domain: [fast, safe]")
		return
	}
	seen := make(map[string]bool, len(p.Domain))
	var known []string
	for i, v := range p.Domain {
		if seen[string(v)] {
			report(at("domain", i), describe(v)+" is listed twice", "")
		}
		seen[string(v)] = true
		if s, ok := text(v); ok && i < 20 {
			known = append(known, s)
		}
	}
	if s, ok := text(p.Value); ok && !seen[string(p.Value)] {
		report(at("value"), fmt.Sprintf("%s is not in the domain", document.Quote(s)), document.Suggest(s, known))
	}
}

func (p Param) checkRange(report document.Reporter, at func(...any) document.Path) {
	low, high, value := number(p.Domain[0]), number(p.Domain[1]), number(p.Value)
	switch {
	case low.Cmp(high) > 0:
		report(at("domain"), fmt.Sprintf("the least value %s is above the greatest %s", bare(p.Domain[0]), bare(p.Domain[1])), "")
	case value.Cmp(low) < 0 || value.Cmp(high) > 0:
		report(at("value"), fmt.Sprintf("%s is outside the domain from %s to %s", bare(p.Value), bare(p.Domain[0]), bare(p.Domain[1])), "")
	}
}

// number returns a value that checkType has accepted as a number.
func number(v canon.Value) *big.Rat {
	d, err := canon.ParseDecimal(bare(v))
	if err != nil {
		return new(big.Rat)
	}
	return d.Rat()
}

// bare returns a number or text without quotes.
func bare(v canon.Value) string {
	if s, ok := text(v); ok {
		return s
	}
	return string(v)
}

func isInteger(s string) bool {
	d, err := canon.ParseDecimal(s)
	return err == nil && d.Rat().IsInt()
}

// isLargeInteger reports whether s is an integer that canonical JSON cannot hold
// as a number, so that it is a decimal text.
func isLargeInteger(s string) bool {
	if !isInteger(s) {
		return false
	}
	n := canon.Decimal(s).Rat().Num()
	return n.CmpAbs(big.NewInt(limits.JSONInt)) > 0
}

// describe says what a value is, in a few words.
func describe(v canon.Value) string {
	switch s, isText := text(v); {
	case isText:
		return "the text " + document.Quote(s)
	case v.Kind() == '[':
		return "a list"
	case v.Kind() == '{':
		return "an object"
	default:
		return string(v)
	}
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}
	return "a " + noun
}
