package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"strconv"
	"strings"
)

// A Source is what consts.go declares, in its order.
type Source struct {
	Fset   *token.FileSet
	File   *ast.File
	Types  []Type
	Groups []Group
}

// A Type is a named integer type.
type Type struct {
	Name string
	Doc  string // without comment signs
	Bits int
}

// A Group is one const declaration.
type Group struct {
	Doc    string // without comment signs
	Type   string // of all its constants; empty when untyped or mixed
	Consts []Const
}

// A Const is one constant.
type Const struct {
	Name  string
	Type  string // empty when untyped
	Note  string // the comment behind it
	Value constant.Value
	Shown string // the value in a form that Go, C, Rust and TypeScript read alike
}

// Load parses and evaluates the Go file at path. The file must be complete by
// itself: it imports nothing and names nothing of another file.
func Load(path string) (*Source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	if _, err := new(types.Config).Check("abi", fset, []*ast.File{file}, info); err != nil {
		return nil, err
	}
	src := &Source{Fset: fset, File: file}
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok {
			return nil, fmt.Errorf("%s: only types and constants belong here", fset.Position(d.Pos()))
		}
		if err := src.add(decl, info); err != nil {
			return nil, fmt.Errorf("%s: %w", fset.Position(d.Pos()), err)
		}
	}
	return src, nil
}

// add takes up one declaration of types or constants.
func (s *Source) add(decl *ast.GenDecl, info *types.Info) error {
	group := Group{Doc: strings.TrimSpace(decl.Doc.Text())}
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			basic, ok := info.Defs[spec.Name].Type().Underlying().(*types.Basic)
			if !ok || basic.Info()&types.IsUnsigned == 0 {
				return fmt.Errorf("type %s: not an unsigned integer", spec.Name)
			}
			bits := map[types.BasicKind]int{types.Uint8: 8, types.Uint16: 16, types.Uint32: 32, types.Uint64: 64}
			s.Types = append(s.Types, Type{Name: spec.Name.Name, Doc: group.Doc, Bits: bits[basic.Kind()]})
		case *ast.ValueSpec:
			c, err := newConst(spec, info)
			if err != nil {
				return err
			}
			group.Consts = append(group.Consts, c)
		}
	}
	if len(group.Consts) == 0 {
		return nil
	}
	group.Type = group.Consts[0].Type
	for _, c := range group.Consts {
		if c.Type != group.Type {
			group.Type = ""
		}
	}
	s.Groups = append(s.Groups, group)
	return nil
}

// newConst evaluates one line "name = value".
func newConst(spec *ast.ValueSpec, info *types.Info) (Const, error) {
	if len(spec.Names) != 1 || len(spec.Values) != 1 {
		return Const{}, fmt.Errorf("const %s: one name and one value a line", spec.Names[0])
	}
	obj := info.Defs[spec.Names[0]].(*types.Const)
	c := Const{Name: obj.Name(), Note: strings.TrimSpace(spec.Comment.Text()), Value: obj.Val()}
	if named, ok := obj.Type().(*types.Named); ok {
		c.Type = named.Obj().Name()
	}
	switch c.Value.Kind() {
	case constant.String:
		c.Shown = strconv.Quote(constant.StringVal(c.Value))
	case constant.Int:
		v, exact := constant.Int64Val(c.Value)
		if !exact || v < 0 || v > math.MaxInt32 {
			return Const{}, fmt.Errorf("const %s: does not fit 31 bits, as an enumeration in C must", c.Name)
		}
		c.Shown = shown(spec.Values[0], v)
	default:
		return Const{}, fmt.Errorf("const %s: neither a number nor text", c.Name)
	}
	return c, nil
}

// shown writes a number as the source does: hexadecimal literals stay as they
// are, a shifted bit becomes hexadecimal, all else decimal.
func shown(e ast.Expr, v int64) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value
	case *ast.BinaryExpr:
		if one, ok := e.X.(*ast.BasicLit); ok && e.Op == token.SHL && one.Value == "1" {
			return fmt.Sprintf("0x%03x", v)
		}
	}
	return strconv.FormatInt(v, 10)
}
