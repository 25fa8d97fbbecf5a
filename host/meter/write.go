package meter

import (
	"fmt"
	"math"
	"strings"
)

// A writer writes the rewritten module. Everything that it adds stands behind
// the guest's own, so that no index of the guest changes.
type writer struct {
	m   *module
	opt Options

	// Indices of the globals that it adds.
	slice, budget, stop, depth, reason uint32

	types   []signature       // added
	blocks  map[uint32]uint32 // type of a function -> type of a block with its results
	helpers []helper          // added functions
	three   uint32            // type of a function of three i32
	fill    uint32            // index of the helper, 0 = not needed so far
	copy    uint32
	refill  uint32
	start   uint32 // calls the guest's, if it has one

	code   code     // bodies, without their number
	names  []string // exports of the guest's globals
	export code     // all exports that it adds, without their number
	extra  int      // which is this
	loops  int
}

// A helper is a function that the writer adds.
type helper struct {
	typ  uint32
	body []byte // locals and instructions
}

func newWriter(m *module, opt Options) *writer {
	g := uint32(len(m.globals))
	w := &writer{
		m: m, opt: opt,
		slice: g, budget: g + 1, stop: g + 2, depth: g + 3, reason: g + 4,
		blocks: map[uint32]uint32{},
	}
	i32s := []byte{typeI32, typeI32, typeI32}
	none := w.typ(signature{})
	w.three = w.typ(signature{params: i32s})
	w.refill = w.helper(none, w.refillBody())
	if m.starts { // exported itself, it could be referred to, which it may not allow
		w.start = w.helper(none, code{}.op(0).call(m.start).op(opEnd))
	}
	return w
}

// typ adds a function type and returns its index.
func (w *writer) typ(s signature) uint32 {
	w.types = append(w.types, s)
	return uint32(len(w.m.types) + len(w.types) - 1)
}

// resultsOf returns the type of a block that ends with a function's results.
func (w *writer) resultsOf(typ uint32) uint32 {
	i, ok := w.blocks[typ]
	if !ok {
		i = w.typ(signature{results: w.m.types[typ].results})
		w.blocks[typ] = i
	}
	return i
}

// helper adds a function and returns its index.
func (w *writer) helper(typ uint32, body []byte) uint32 {
	w.helpers = append(w.helpers, helper{typ, body})
	return uint32(len(w.m.functions) + len(w.helpers) - 1)
}

// maxGrowth bounds what is written for a byte that is read, up to any place in
// the code and beyond the first MiB. Real guests grow by a tenth to a half; a body
// of nothing but empty loops would grow by eight.
const maxGrowth = 4

// bodies rewrites the guest's functions.
func (w *writer) bodies() error {
	wasm := w.m.wasm
	w.code = make(code, 0, len(wasm)+len(wasm)/8)
	var b body
	var out code
	for k, s := range w.m.code {
		fn := uint32(w.m.imported + k)
		r := &reader{b: wasm[:s.to], at: s.from, fn: int(fn)}
		w.m.scan(r, fn, &b)
		const editSize = 20 // less than most take, to see it before it is written
		if len(w.code)+len(b.edits)*editSize > maxGrowth*s.to+1<<20 {
			r.fail(ErrUnsupported, "the code grows to more than %d times its size", maxGrowth)
		}
		if r.err != nil {
			return r.err
		}
		w.loops += b.loops
		out = w.body(out[:0], fn, &b)
		w.code = w.code.sized(out)
	}
	return nil
}

// module puts the sections together.
func (w *writer) module() []byte {
	w.exports()
	out := make(code, 0, len(w.m.wasm)+len(w.code))
	out = append(out, w.m.wasm[:8]...)
	next := 1 // place in the order of sections
	for _, s := range w.m.sections {
		for order := sectionOrder[s.id]; next < order; next++ {
			out = w.added(out, next)
		}
		if s.id != secCustom {
			next++
		}
		out = w.section(out, s)
	}
	for ; next <= sectionOrder[secData]; next++ {
		out = w.added(out, next)
	}
	return out
}

// section writes a section that the guest has.
func (w *writer) section(out code, s section) code {
	if s.id == secStart || s.id == secCustom && w.drops(s) {
		return out
	}
	n, rest := w.m.counts[s.id], w.m.wasm[w.m.rest[s.id]:s.to]
	if s.id == secTable {
		return out.op(secTable).sized(w.tables(n))
	}
	if s.id == secCode {
		rest = w.code
	}
	more, tail := w.addition(s.id)
	if more == 0 {
		return append(out, w.m.wasm[s.from:s.to]...)
	}
	content := make(code, 0, 5+len(rest)+len(tail)).u32(uint32(n + more))
	return out.op(byte(s.id)).sized(append(append(content, rest...), tail...))
}

// added writes a section that the guest does not have, if there is anything in it.
func (w *writer) added(out code, order int) code {
	for id, o := range sectionOrder {
		if o != order {
			continue
		}
		if n, tail := w.addition(id); n > 0 {
			return out.op(byte(id)).sized(append(code{}.u32(uint32(n)), tail...))
		}
	}
	return out
}

// addition is what comes behind the guest's own elements of a section, and how
// many elements that is.
func (w *writer) addition(id int) (n int, c code) {
	switch id {
	case secType:
		for _, s := range w.types {
			c = c.op(0x60).sized(s.params).sized(s.results)
		}
		return len(w.types), c
	case secFunction:
		for _, h := range w.helpers {
			c = c.u32(h.typ)
		}
		return len(w.helpers), c
	case secMemory:
		if w.m.memories == 0 { // memory.grow is the way to a safe point
			return 1, c.op(1, 0, 0)
		}
	case secGlobal:
		c = c.op(typeI32, 1).i32(w.opt.Slice).op(opEnd)
		c = c.op(typeI64, 1).i64(math.MaxInt64).op(opEnd)
		c = c.op(typeI32, 1).i32(0).op(opEnd)
		c = c.op(typeI32, 1).i32(w.opt.MaxDepth).op(opEnd)
		c = c.op(typeI32, 1).i32(0).op(opEnd)
		return 5, c
	case secExport:
		return w.extra, w.export
	case secCode:
		for _, h := range w.helpers {
			c = c.sized(h.body)
		}
		return len(w.helpers), c
	}
	return 0, nil
}

// exports collects what is exported in addition.
func (w *writer) exports() {
	export := func(name string, kind byte, i uint32) {
		w.export = w.export.str(name).op(kind).u32(i)
		w.extra++
	}
	export(ExportSlice, kindGlobal, w.slice)
	export(ExportBudget, kindGlobal, w.budget)
	export(ExportStop, kindGlobal, w.stop)
	export(ExportDepth, kindGlobal, w.depth)
	export(ExportReason, kindGlobal, w.reason)
	if w.m.starts {
		export(ExportStart, kindFunction, w.start)
	}
	for i, g := range w.m.globals {
		switch {
		case !g.mutable:
		case i < w.m.foreign:
			w.m.hide("global %d is imported", i)
		case g.typ == typeV128 || isReference(g.typ):
			w.m.hide("global %d is of type %#x", i, g.typ)
		default:
			name := fmt.Sprint(exportGlobal, i)
			w.names = append(w.names, name)
			export(name, kindGlobal, uint32(i))
		}
	}
}

// tables writes the table section anew, with a bound to each table.
func (w *writer) tables(n int) []byte {
	share := w.tableShare(n)
	r := &reader{b: w.m.wasm, at: w.m.rest[secTable], fn: -1}
	c := code{}.u32(uint32(n))
	for ; n > 0; n-- {
		typ := r.byte()
		least, most, bounded := r.limits("table")
		if limit := satAdd(least, share); !bounded || most > limit {
			most = limit
		}
		c = c.op(typ, 1).u32(least).u32(most)
	}
	return c
}

// tableShare is how many entries each of n tables may grow by.
func (w *writer) tableShare(n int) uint32 {
	r := &reader{b: w.m.wasm, at: w.m.rest[secTable], fn: -1}
	left, grow := int64(w.opt.MaxTable), int64(0)
	for ; n > 0; n-- {
		r.byte()
		least, most, bounded := r.limits("table")
		left -= int64(least)
		if !bounded || most > least {
			grow++
		}
	}
	return uint32(max(left, 0) / max(grow, 1))
}

func satAdd(a, b uint32) uint32 { return uint32(min(uint64(a)+uint64(b), math.MaxUint32)) }

// drops reports whether a custom section is left out: those that speak of
// offsets in the code, which are others now. Function names stay true.
func (w *writer) drops(s section) bool {
	r := &reader{b: w.m.wasm[:s.to], at: s.body, fn: -1}
	name := r.name()
	for _, prefix := range []string{".debug_", "reloc.", "linking", "sourceMappingURL", "external_debug_info", "metadata.code."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// maxHidden bounds the list, not its truth: one entry is enough to know.
const maxHidden = 20

func (m *module) hide(format string, args ...any) {
	if len(m.hidden) < maxHidden {
		m.hidden = append(m.hidden, fmt.Sprintf(format, args...))
	}
}
