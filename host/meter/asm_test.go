package meter_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A small assembler, so that tests show their guests as text.

// asm translates instructions, one word each, with their immediates behind
// them: "loop void br 0 end". Numbers behind .const are signed.
func asm(format string, args ...any) (code []byte) {
	signed := false
	for _, word := range strings.Fields(fmt.Sprintf(format, args...)) {
		if ops, ok := opcodes[word]; ok {
			code = append(code, ops...)
			signed = strings.HasSuffix(word, ".const")
			continue
		}
		switch n, err := strconv.ParseInt(word, 0, 64); {
		case err != nil:
			panic("asm: no such word: " + word)
		case signed:
			code = append(code, sleb(n)...)
		default:
			code = append(code, uleb(uint64(n))...)
		}
	}
	return code
}

var opcodes = map[string][]byte{
	"void": {0x40}, "i32": {0x7f}, "i64": {0x7e}, "f32": {0x7d}, "f64": {0x7c}, "v128": {0x7b}, "funcref": {0x70}, "externref": {0x6f},
	"unreachable": {0x00}, "nop": {0x01}, "block": {0x02}, "loop": {0x03}, "if": {0x04}, "else": {0x05}, "end": {0x0b},
	"br": {0x0c}, "br_if": {0x0d}, "br_table": {0x0e}, "return": {0x0f}, "call": {0x10}, "call_indirect": {0x11}, "return_call": {0x12},
	"drop": {0x1a}, "select": {0x1b},
	"local.get": {0x20}, "local.set": {0x21}, "local.tee": {0x22}, "global.get": {0x23}, "global.set": {0x24},
	"table.get": {0x25}, "table.set": {0x26},
	"i32.load": {0x28}, "i64.load": {0x29}, "i32.load8_u": {0x2d}, "i32.store": {0x36}, "i64.store": {0x37}, "i32.store8": {0x3a},
	"memory.size": {0x3f, 0}, "memory.grow": {0x40, 0},
	"i32.const": {0x41}, "i64.const": {0x42},
	"i32.eqz": {0x45}, "i32.eq": {0x46}, "i32.ne": {0x47}, "i32.lt_u": {0x49}, "i32.gt_u": {0x4b}, "i64.eqz": {0x50}, "i64.lt_u": {0x54},
	"i32.add": {0x6a}, "i32.sub": {0x6b}, "i32.mul": {0x6c}, "i32.div_u": {0x6e}, "i32.and": {0x71}, "i32.or": {0x72}, "i32.xor": {0x73},
	"i32.shl": {0x74}, "i32.rotl": {0x77}, "i64.add": {0x7c}, "i64.sub": {0x7d}, "i64.mul": {0x7e}, "i64.div_u": {0x80}, "i64.xor": {0x85},
	"f64.add": {0xa0}, "f64.mul": {0xa2}, "f64.sqrt": {0x9f}, "i32.wrap_i64": {0xa7}, "i64.extend_i32_u": {0xad}, "f64.convert_i32_u": {0xb8},
	"i32.trunc_f64_u": {0xab}, "i64.reinterpret_f64": {0xbd}, "f64.reinterpret_i64": {0xbf},
	"ref.null": {0xd0}, "ref.func": {0xd2},
	"memory.init": {0xfc, 8}, "data.drop": {0xfc, 9}, "memory.copy": {0xfc, 10, 0, 0}, "memory.fill": {0xfc, 11, 0},
	"table.init": {0xfc, 12}, "elem.drop": {0xfc, 13}, "table.copy": {0xfc, 14}, "table.grow": {0xfc, 15}, "table.size": {0xfc, 16}, "table.fill": {0xfc, 17},
	"i32x4.splat": {0xfd, 17}, "i32x4.add": {0xfd, 0xae, 1}, "i32x4.mul": {0xfd, 0xb5, 1}, "i32x4.extract_lane": {0xfd, 27},
	"v128.load": {0xfd, 0}, "v128.store": {0xfd, 11}, "v128.xor": {0xfd, 81},
}

func uleb(v uint64) (b []byte) {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func sleb(v int64) (b []byte) {
	for ; v < -0x40 || v >= 0x40; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v&0x7f))
}

// A fun is a function of a guest. Types are words: "i32 i64".
type fun struct {
	params, results string
	locals          string
	code            []byte
	export          string
}

// A glob is a global of a guest.
type glob struct {
	typ     string
	mutable bool
	init    []byte // without end
}

// A guest is a module under construction. It has a memory of one page and up,
// exported, unless bare.
type guest struct {
	bare     bool
	pages    uint64      // at most; 0 = 16
	types    [][2]string // after those of the functions
	imports  []string    // functions without parameters and results, from module "env"
	funs     []fun
	tables   []uint64 // sizes at the start, of funcref
	globals  []glob
	exports  []byte // more of them
	more     int    // how many
	start    int    // start function
	hasStart bool
	elements [][]uint64 // active, at 0 of table 0
	data     []string   // passive
	customs  map[string][]byte
}

// build returns the module's bytes. Function k has type k and, behind the
// imports, index k.
func (g guest) build() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, n int, content []byte) {
		if n > 0 {
			out = append(out, id)
			out = append(out, sized(append(uleb(uint64(n)), content...))...)
		}
	}
	var types, imports, funcs, tables, globals, elements, code, data []byte
	exports, n := g.exports, g.more
	for k, f := range g.funs {
		types = append(types, funcType(f.params, f.results)...)
		funcs = append(funcs, uleb(uint64(k))...)
		if f.export != "" {
			exports = append(exports, named(f.export, 0, uint64(len(g.imports)+k))...)
			n++
		}
		var locals []byte
		for _, l := range strings.Fields(f.locals) {
			locals = append(append(locals, 1), opcodes[l]...)
		}
		body := append(uleb(uint64(len(locals)/2)), locals...)
		code = append(code, sized(append(append(body, f.code...), 0x0b))...)
	}
	for _, t := range g.types {
		types = append(types, funcType(t[0], t[1])...)
	}
	if len(g.imports) > 0 {
		types = append(types, funcType("", "")...)
		g.types = append(g.types, [2]string{})
	}
	for _, name := range g.imports {
		imports = append(imports, sized([]byte("env"))...)
		imports = append(imports, sized([]byte(name))...)
		imports = append(append(imports, 0), uleb(uint64(len(g.funs)+len(g.types)-1))...)
	}
	for _, size := range g.tables {
		tables = append(append(tables, 0x70, 0), uleb(size)...)
	}
	for _, x := range g.globals {
		globals = append(append(globals, opcodes[x.typ]...), map[bool]byte{true: 1}[x.mutable])
		globals = append(append(globals, x.init...), 0x0b)
	}
	for _, e := range g.elements {
		elements = append(append(elements, 0, 0x41, 0, 0x0b), uleb(uint64(len(e)))...)
		for _, f := range e {
			elements = append(elements, uleb(f)...)
		}
	}
	for _, d := range g.data {
		data = append(append(data, 1), sized([]byte(d))...)
	}
	section(1, len(g.funs)+len(g.types), types)
	section(2, len(g.imports), imports)
	section(3, len(g.funs), funcs)
	section(4, len(g.tables), tables)
	if !g.bare {
		pages := g.pages
		if pages == 0 {
			pages = 16
		}
		section(5, 1, append([]byte{1, 1}, uleb(pages)...))
		exports, n = append(exports, named("memory", 2, 0)...), n+1
	}
	section(6, len(g.globals), globals)
	section(7, n, exports)
	if g.hasStart {
		out = append(append(out, 8), sized(uleb(uint64(g.start)))...)
	}
	section(9, len(g.elements), elements)
	if len(g.data) > 0 {
		out = append(append(out, 12), sized(uleb(uint64(len(g.data))))...)
	}
	section(10, len(g.funs), code)
	section(11, len(g.data), data)
	for name, content := range g.customs {
		out = append(append(out, 0), sized(append(sized([]byte(name)), content...))...)
	}
	return out
}

func funcType(params, results string) []byte {
	out := []byte{0x60}
	for _, list := range []string{params, results} {
		words := strings.Fields(list)
		out = append(out, uleb(uint64(len(words)))...)
		for _, w := range words {
			out = append(out, opcodes[w]...)
		}
	}
	return out
}

func sized(b []byte) []byte { return append(uleb(uint64(len(b))), b...) }

func named(name string, kind byte, index uint64) []byte {
	return append(append(sized([]byte(name)), kind), uleb(index)...)
}

// single is a guest with one function, exported as "f".
func single(params, results, locals, code string, args ...any) guest {
	return guest{funs: []fun{{params, results, locals, asm(code, args...), "f"}}}
}

const unlimited = math.MaxInt64
