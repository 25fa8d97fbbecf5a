package abi_test

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"strings"
	"testing"
)

// A constDecl is one exported constant of consts.go.
type constDecl struct {
	name  string
	typ   string // empty when untyped
	value constant.Value
}

// constants reads consts.go as any tool would: it stands alone. They come in
// the order of the file.
func constants(t *testing.T) []constDecl {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "consts.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	if _, err := new(types.Config).Check("abi", fset, []*ast.File{file}, info); err != nil {
		t.Fatalf("consts.go does not stand alone: %v", err)
	}
	var all []constDecl
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, ident := range spec.Names {
			c, ok := info.Defs[ident].(*types.Const)
			if !ok || !c.Exported() {
				continue
			}
			decl := constDecl{name: c.Name(), value: c.Val()}
			if named, ok := c.Type().(*types.Named); ok {
				decl.typ = named.Obj().Name()
			}
			all = append(all, decl)
		}
		return true
	})
	return all
}

// Every number is in consts.go: no other file exports constants, so what reads
// that file has seen them all.
func TestConstantsAreInOneFile(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "consts.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			for _, s := range decl.Specs {
				for _, ident := range s.(*ast.ValueSpec).Names {
					if ident.IsExported() {
						t.Errorf("%s: constant %s belongs in consts.go", name, ident.Name)
					}
				}
			}
		}
	}
}
