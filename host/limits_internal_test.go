package host

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"testing"
)

// Every limit says its default and what it is good for.
func TestLimitsAreExplained(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "limits.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	limits, ok := file.Scope.Lookup("Limits").Decl.(*ast.TypeSpec).Type.(*ast.StructType)
	if !ok || len(limits.Fields.List) < 20 {
		t.Fatal("limits.go: no struct Limits with the limits")
	}
	inherits := regexp.MustCompile(`(?s)^\w+ is the same for`)
	wants := []*regexp.Regexp{regexp.MustCompile(`Default:?\s`), regexp.MustCompile(`It\s(stops|keeps|ends)\s`)}
	for _, f := range limits.Fields.List {
		for _, want := range wants {
			if doc := f.Doc.Text(); !want.MatchString(doc) && !(want == wants[1] && inherits.MatchString(doc)) {
				t.Errorf("Limits.%s: got %q, want %v in it", f.Names[0], doc, want)
			}
		}
	}
}
