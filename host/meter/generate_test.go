package meter_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Random guests that are valid and end by themselves.
//
// Global 0 is fuel: each loop and each function takes one and traps without.
// Global 1 counts units: each statement begins with some and adds them to it, so
// that a test can compare what was charged with what was done. The other
// globals, the memory and a table are there to be used.
const (
	genFuel    = 2000
	genLeaf    = 16 // units that nobody is charged when the host calls a function of no more
	genGlobals = 2  // of each type, behind the first two
)

var genTypes = []string{"i32", "i64", "f64"}

type generator struct {
	r      *rand.Rand
	sigs   []fun // of all functions, before their code
	types  [][2]string
	params string // of the function being written, with its locals
	locals []string
	labels []string // result or parameter types of the open blocks, innermost last
	room   int      // statements left
	out    strings.Builder
}

// generate makes a guest from a seed.
func generate(seed uint64) guest {
	g := &generator{r: rand.New(rand.NewPCG(seed, 1))}
	n := 2 + g.r.IntN(4)
	for k := range n {
		f := fun{params: g.list(3), results: g.list(3), export: fmt.Sprint("f", k)}
		f.locals = g.list(3)
		g.sigs = append(g.sigs, f)
	}
	for range 4 { // block types
		g.types = append(g.types, [2]string{g.list(2), g.list(2)})
	}
	out := guest{types: g.types, tables: []uint64{uint64(n)}, pages: 4, elements: [][]uint64{nil}, data: []string{"some data"}}
	for k := range n {
		out.elements[0] = append(out.elements[0], uint64(k))
		g.sigs[k].code = asm("%s", g.function(k))
		out.funs = append(out.funs, g.sigs[k])
	}
	out.globals = []glob{{"i32", true, asm("i32.const %d", genFuel)}, {"i64", true, asm("i64.const 0")}}
	for _, t := range genTypes[:2] {
		for range genGlobals {
			out.globals = append(out.globals, glob{t, true, asm("%s.const 5", t)})
		}
	}
	out.exports, out.more = append(named("fuel", 3, 0), named("work", 3, 1)...), 2
	return out
}

func (g *generator) list(most int) string {
	var l []string
	for range g.r.IntN(most + 1) {
		l = append(l, genTypes[g.r.IntN(len(genTypes))])
	}
	return strings.Join(l, " ")
}

func (g *generator) emit(format string, args ...any) { fmt.Fprintf(&g.out, format+" ", args...) }

const burn = "global.get 0 i32.eqz if void unreachable end global.get 0 i32.const 1 i32.sub global.set 0"

func (g *generator) function(k int) string {
	g.out.Reset()
	f := g.sigs[k]
	g.params = f.params
	g.locals = strings.Fields(f.params + " " + f.locals)
	g.labels, g.room = []string{f.results}, 10+g.r.IntN(60)
	if g.r.IntN(2) == 0 {
		g.emit(burn)
	} else { // as Go does it
		n, blocks := g.r.IntN(5), g.r.IntN(3)
		g.emit("global.get 1 i64.const %d i64.add global.set 1 %s", 4+2*n, strings.Repeat("i32.const 1 drop ", n))
		for range blocks {
			g.emit("block void")
			g.labels = append(g.labels, "")
		}
		g.emit("loop void")
		g.labels = append(g.labels, "")
		g.emit(burn)
		g.statements()
		g.emit(strings.Repeat("end ", 1+blocks))
		g.labels = g.labels[:1]
	}
	g.statements()
	g.values(f.results, 2)
	return g.out.String()
}

func (g *generator) statements() {
	for n := 1 + g.r.IntN(6); n > 0 && g.room > 0; n-- {
		g.room--
		g.statement()
	}
}

func (g *generator) statement() {
	n := g.r.IntN(40)
	g.emit("global.get 1 i64.const %d i64.add global.set 1 %s", 4+2*n, strings.Repeat("i32.const 1 drop ", n))
	switch g.r.IntN(17) {
	case 0, 1:
		if len(g.locals) > 0 {
			l := g.r.IntN(len(g.locals))
			g.value(g.locals[l], 3)
			g.emit("local.set %d", l)
		}
	case 2:
		t := g.r.IntN(2)
		g.value(genTypes[t], 3)
		g.emit("global.set %d", 2+t*genGlobals+g.r.IntN(genGlobals))
	case 3, 4:
		g.block("block")
	case 5, 6, 7:
		g.block("loop")
	case 8, 9:
		g.value("i32", 2)
		g.block("if")
	case 10:
		g.branch()
	case 11:
		g.address()
		g.value("i64", 2)
		g.emit("i64.store 0 %d", g.r.IntN(100))
	case 12:
		g.bulk()
	case 13, 14:
		g.call()
	case 15:
		g.value("i32", 1)
		g.emit("if void")
		g.values(g.labels[0], 1)
		g.emit("return end")
	case 16:
		g.value("i32", 1)
		g.emit("i32.const 1 i32.and memory.grow drop")
	}
}

// block writes a block, loop or if of a random type and drops its results.
func (g *generator) block(kind string) {
	if len(g.labels) > 8 {
		if kind == "if" {
			g.emit("drop")
		}
		return
	}
	typ, params, results := "void", "", ""
	switch g.r.IntN(4) {
	case 0:
		k := g.r.IntN(len(g.types))
		typ, params, results = fmt.Sprint(len(g.sigs)+k), g.types[k][0], g.types[k][1]
	case 1:
		results = genTypes[g.r.IntN(len(genTypes))]
		typ = results
	}
	if params != "" && kind == "if" { // the condition comes last
		g.emit("drop")
		g.values(params, 1)
		g.value("i32", 1)
	} else {
		g.values(params, 1)
	}
	g.emit("%s %s", kind, typ)
	label := results
	if kind == "loop" {
		label = params
	}
	g.labels = append(g.labels, label)
	g.drop(params)
	if kind == "loop" {
		g.emit(burn)
	}
	g.statements()
	if kind == "loop" && g.r.IntN(2) == 0 { // once more?
		g.values(params, 1)
		g.value("i32", 2)
		g.emit("br_if 0")
		g.drop(params)
	}
	g.values(results, 1)
	if kind == "if" && (params != results || g.r.IntN(2) == 0) {
		g.emit("else")
		g.drop(params)
		g.statements()
		g.values(results, 1)
	}
	g.labels = g.labels[:len(g.labels)-1]
	g.emit("end")
	g.drop(results)
}

// branch writes a conditional branch of any kind.
func (g *generator) branch() {
	depth := g.r.IntN(len(g.labels))
	types := g.labels[len(g.labels)-1-depth]
	switch g.r.IntN(3) {
	case 0:
		g.values(types, 1)
		g.value("i32", 1)
		g.emit("br_if %d", depth)
		g.drop(types)
	case 1:
		g.value("i32", 1)
		g.emit("if void")
		g.values(types, 1)
		g.emit("br %d end", depth+1)
	case 2: // all labels of the same types, in a block that may be left too
		var same []string
		for d := range g.labels {
			if g.labels[len(g.labels)-1-d] == types {
				same = append(same, fmt.Sprint(d+1))
			}
		}
		g.emit("block void")
		g.value("i32", 1)
		g.emit("i32.const 3 i32.and br_if 0")
		g.values(types, 1)
		g.value("i32", 1)
		g.emit("br_table %d %s %s end", len(same), strings.Join(same, " "), same[g.r.IntN(len(same))])
	}
}

func (g *generator) address() {
	g.value("i32", 1)
	g.emit("i32.const 0xfff8 i32.and")
}

func (g *generator) bulk() {
	g.address()
	switch g.r.IntN(4) {
	case 0:
		g.value("i32", 1)
		g.emit("i32.const %d memory.fill", g.r.IntN(200))
	case 1:
		g.address()
		g.emit("i32.const %d memory.copy", g.r.IntN(5000))
	case 2:
		g.emit("i32.const 1 i32.const %d memory.init 0 0", g.r.IntN(9))
	case 3:
		g.emit("drop i32.const 0 i32.const 1 i32.const %d table.copy 0 0", g.r.IntN(2))
	}
}

func (g *generator) call() {
	k := g.r.IntN(len(g.sigs))
	g.values(g.sigs[k].params, 1)
	if g.r.IntN(3) == 0 {
		g.emit("i32.const %d call_indirect %d 0", g.r.IntN(len(g.sigs)), k) // may be of another type and trap
	} else {
		g.emit("call %d", k)
	}
	g.drop(g.sigs[k].results)
}

func (g *generator) drop(types string) {
	for range strings.Fields(types) {
		g.emit("drop")
	}
}

func (g *generator) values(types string, depth int) {
	for _, t := range strings.Fields(types) {
		g.value(t, depth)
	}
}

// value writes an expression of a type.
func (g *generator) value(typ string, depth int) {
	pick := g.r.IntN(6)
	if depth == 0 {
		pick %= 3
	}
	switch {
	case pick == 1:
		for l, t := range g.locals {
			if t == typ && g.r.IntN(2) == 0 {
				g.emit("local.get %d", l)
				return
			}
		}
		fallthrough
	case pick <= 2:
		g.constant(typ)
	case typ == "i32":
		g.value("i32", depth-1)
		g.value("i32", depth-1)
		g.emit([]string{"i32.add", "i32.mul", "i32.xor", "i32.lt_u", "i32.div_u", "i32.rotl"}[g.r.IntN(6)])
	case typ == "i64" && pick == 3:
		g.address()
		g.emit("i64.load 0 %d", g.r.IntN(100))
	case typ == "i64":
		g.value("i64", depth-1)
		g.value("i64", depth-1)
		g.emit([]string{"i64.add", "i64.mul", "i64.xor", "i64.sub"}[g.r.IntN(4)])
	case pick == 3:
		g.value("i32", depth-1)
		g.emit("f64.convert_i32_u")
	default:
		g.value("f64", depth-1)
		g.value("f64", depth-1)
		g.emit([]string{"f64.add", "f64.mul"}[g.r.IntN(2)])
	}
}

func (g *generator) constant(typ string) {
	switch typ {
	case "i32":
		g.emit("i32.const %d", g.r.IntN(1<<g.r.IntN(31)))
	case "i64":
		g.emit("i64.const %d", g.r.Int64N(1<<g.r.IntN(63)))
	case "f64":
		g.emit("i32.const %d f64.convert_i32_u", g.r.IntN(1000))
	}
}
