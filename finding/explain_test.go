package finding

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// Every code that is declared is explained, and none twice.
func TestEveryCodeIsExplained(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[Code]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, _ := strconv.Unquote(lit.Value)
			if strings.HasPrefix(s, "E_") || strings.HasPrefix(s, "METRIC_") {
				declared[Code(s)] = true
			}
		}
		return true
	})
	if len(declared) == 0 {
		t.Fatal("no code found in codes.go")
	}
	for c := range declared {
		e, ok := Explain(c)
		if !ok || e.Meaning == "" || e.Causes == "" || e.Remedy == "" || e.Default != c.Default() {
			t.Errorf("%s is not explained: %+v", c, e)
		}
	}
	seen := map[Code]bool{}
	for _, c := range Codes() {
		if seen[c] || !declared[c] {
			t.Errorf("%s is explained twice or not declared", c)
		}
		seen[c] = true
	}
}
