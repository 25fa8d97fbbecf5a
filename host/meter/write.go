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

	types   []signature       // added
	blocks  map[uint32]uint32 // type of a function -> type of a block with its results
	helpers []helper          // added functions
	three   uint32            // type of a function of three i32
	fill    uint32            // index of the helper, 0 = not needed so far
	copy    uint32
	refill  uint32
	start   uint32 // calls the guest's, if it has one

	room   int      // bytes left free for what comes before the bodies
	out    code     // that, and the bodies
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
	w := &writer{m: m, opt: opt, blocks: map[uint32]uint32{}}
	i32s := []byte{typeI32, typeI32, typeI32}
	none := w.typ(signature{})
	w.three = w.typ(signature{params: i32s})
	w.refill = w.helper(none, w.refillBody())
	if m.starts { // exported itself, it could be referred to, which it may not allow
		w.start = w.helper(none, code{}.op(0).call(m.start).op(opEnd))
	}
	w.exports()
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

// bodies rewrites the guest's functions, into the memory that the module will be in:
// what comes before them is known only afterwards, and has its room.
func (w *writer) bodies() error {
	wasm, read := w.m.wasm, 0
	for _, s := range w.m.code {
		read += s.to - s.from
	}
	w.room = w.before()
	w.out = make(code, w.room, w.room+len(wasm)+read/4)
	var b body
	var one code
	for k, s := range w.m.code {
		fn := uint32(w.m.imported + k)
		r := &reader{b: wasm[:s.to], at: s.from, fn: int(fn)}
		w.m.scan(r, fn, &b)
		const editSize = 20 // less than most take, to see it before it is written
		if len(w.out)-w.room+len(b.edits)*editSize > maxGrowth*s.to+1<<20 {
			r.fail(ErrUnsupported, "the code grows to more than %d times its size", maxGrowth)
		}
		if r.err != nil {
			return r.err
		}
		w.loops += b.loops
		one = w.body(one[:0], fn, &b)
		w.out = w.out.sized(one)
	}
	for _, h := range w.helpers {
		w.out = w.out.sized(h.body)
	}
	return nil
}

// before is how many bytes there may be before the bodies.
func (w *writer) before() int {
	const number = 5 // bytes of one, at most
	n := len(w.m.wasm)
	if at := w.m.behind(secCode); at < len(w.m.sections) {
		n = w.m.sections[at].from
	}
	n += sections*3*number + len(w.export) + w.m.tables*3*number + 1024 // helpers, their types, globals
	for _, t := range w.m.types {
		if len(t.results) > 1 { // a block's type, see resultsOf
			n += 2 + number + len(t.results)
		}
	}
	return n
}

// behind is the index of the first section that stands where id does or later.
func (m *module) behind(id int) int {
	for i, s := range m.sections {
		if sectionOrder[s.id] >= sectionOrder[id] {
			return i
		}
	}
	return len(m.sections)
}

// module puts the sections together.
func (w *writer) module() []byte {
	at, place := w.m.behind(secCode), sectionOrder[secCode]
	head := append(make(code, 0, w.room), w.m.wasm[:8]...)
	head = w.sections(head, w.m.sections[:at], 1, place)
	bodies := w.out[w.room:]
	head = head.op(secCode).vector(len(w.m.code)+len(w.helpers), bodies)
	if at < len(w.m.sections) && w.m.sections[at].id == secCode {
		at++
	}
	w.out = w.sections(w.out, w.m.sections[at:], place+1, sectionOrder[secData]+1)
	if len(head) > w.room { // it never is
		return append(head, w.out[w.room:]...)
	}
	copy(w.out[w.room-len(head):], head)
	return w.out[w.room-len(head):]
}

// sections writes sections of the guest, and what it lacks of those that stand at
// the places [from, to).
func (w *writer) sections(out code, guests []section, from, to int) code {
	for _, s := range guests {
		if s.id == secCustom {
			if !w.drops(s) {
				out = append(out, w.m.wasm[s.from:s.to]...)
			}
			continue
		}
		for ; from < sectionOrder[s.id]; from++ {
			out = w.added(out, from)
		}
		from++
		out = w.section(out, s)
	}
	for ; from < to; from++ {
		out = w.added(out, from)
	}
	return out
}

// section writes a section that the guest has.
func (w *writer) section(out code, s section) code {
	switch s.id {
	case secStart:
		return out
	case secTable:
		return out.op(secTable).sized(w.tables(w.m.counts[s.id]))
	}
	more, tail := w.addition(s.id)
	if more == 0 {
		return append(out, w.m.wasm[s.from:s.to]...)
	}
	rest := w.m.wasm[w.m.rest[s.id]:s.to]
	return append(append(out.op(byte(s.id)).vector(w.m.counts[s.id]+more, rest, tail), rest...), tail...)
}

// added writes a section that the guest does not have, if there is anything in it.
func (w *writer) added(out code, order int) code {
	for id, o := range sectionOrder {
		if o != order {
			continue
		}
		if n, tail := w.addition(id); n > 0 {
			return append(out.op(byte(id)).vector(n, tail), tail...)
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
		return len(globals), definitions(c, &w.opt)
	case secExport:
		return w.extra, w.export
	}
	return 0, nil
}

// exports collects what is exported in addition.
func (w *writer) exports() {
	export := func(name string, kind byte, i uint32) {
		w.export = w.export.str(name).op(kind).u32(i)
		w.extra++
	}
	for i := range globals {
		export(globals[i].name, kindGlobal, w.global(i))
	}
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
