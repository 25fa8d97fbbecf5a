package meter

import "strings"

// The sections that have an inside.

func (m *module) parseTypes(r *reader) {
	for n := m.vector(r, secType, "types", 3); n > 0 && r.err == nil; n-- {
		if form := r.byte(); form != 0x60 {
			r.fail(ErrUnsupported, "type of form %#x is not a function", form)
		}
		s := signature{params: r.values("parameters")}
		s.results = r.values("results")
		for _, t := range s.params {
			s.words += words(t)
		}
		for _, t := range s.results {
			s.words += words(t)
		}
		m.types = append(m.types, s)
	}
}

func (m *module) parseImports(r *reader) {
	for n := r.count("imports", 4); n > 0 && r.err == nil; n-- {
		r.name()
		r.name()
		switch kind := r.byte(); kind {
		case kindFunction:
			m.functions = append(m.functions, r.index("type", len(m.types)))
		case kindTable:
			m.table(r)
		case kindMemory:
			m.memory(r)
		case kindGlobal:
			m.global(r)
		default:
			r.fail(ErrUnsupported, "import of kind %d", kind)
		}
	}
	m.imported, m.foreign = len(m.functions), len(m.globals)
}

func (m *module) table(r *reader) {
	r.refType()
	r.limits("table")
	m.tables++
}

func (m *module) memory(r *reader) {
	r.limits("memory")
	if m.memories++; m.memories > 1 {
		r.fail(ErrUnsupported, "more than one memory")
	}
}

// limits reads the sizes of a table or memory.
func (r *reader) limits(what string) (least, most uint32, bounded bool) {
	switch flags := r.byte(); flags {
	case 0:
		return r.u32(), 0, false
	case 1:
		return r.u32(), r.u32(), true
	default:
		r.fail(ErrUnsupported, "%s of kind %#x: neither shared nor 64-bit ones are", what, flags)
	}
	return 0, 0, false
}

func (m *module) global(r *reader) {
	g := global{typ: r.valueType()}
	switch mutable := r.byte(); mutable {
	case 0, 1:
		g.mutable = mutable == 1
	default:
		r.fail(ErrMalformed, "mutability %#x", mutable)
	}
	m.globals = append(m.globals, g)
}

func (m *module) parseExports(r *reader) {
	for n := m.vector(r, secExport, "exports", 3); n > 0 && r.err == nil; n-- {
		from := r.at
		if name := r.name(); strings.HasPrefix(name, Reserved) {
			r.failAt(from, ErrReserved, "%q", name)
		}
		switch kind := r.byte(); kind {
		case kindFunction:
			m.reference(r)
		case kindTable:
			r.index("table", m.tables)
		case kindMemory:
			r.index("memory", m.memories)
		case kindGlobal:
			r.index("global", len(m.globals))
		default:
			r.fail(ErrUnsupported, "export of kind %d", kind)
		}
	}
}

func (m *module) startFunction(r *reader) {
	m.start = r.index("function", len(m.functions))
	if m.starts = r.err == nil; m.starts {
		if t := &m.types[m.functions[m.start]]; len(t.params)+len(t.results) > 0 {
			r.fail(ErrMalformed, "start function %d has parameters or results", m.start)
		}
	}
}

// The eight layouts of an element segment differ by three bits.
const (
	elementPassive  = 1 << 0 // or declarative; else it has an offset expression
	elementExplicit = 1 << 1 // a table index when active, declarative when not
	elementExprs    = 1 << 2 // expressions instead of function indices
)

func (m *module) parseElements(r *reader) {
	for n := r.count("element segments", 2); n > 0 && r.err == nil; n-- {
		layout := r.u32()
		if layout > 7 {
			r.fail(ErrUnsupported, "element segment of layout %d", layout)
		}
		exprs := layout&elementExprs != 0
		if layout&elementPassive == 0 {
			if layout&elementExplicit != 0 {
				r.index("table", m.tables)
			}
			m.expression(r)
		}
		if layout&(elementPassive|elementExplicit) != 0 {
			if exprs {
				r.refType()
			} else if kind := r.byte(); kind != 0 {
				r.fail(ErrUnsupported, "elements of kind %#x", kind)
			}
		}
		for k := r.count("elements", 1); k > 0 && r.err == nil; k-- {
			if exprs {
				m.expression(r)
			} else {
				m.reference(r)
			}
		}
	}
}

// reference reads the index of a function that is named outside of the code. Only
// such functions can be called by reference.
func (m *module) reference(r *reader) {
	if i := r.index("function", len(m.functions)); int(i) < m.imported {
		m.lends = true
	}
}

func (m *module) parseData(r *reader) {
	for n := r.count("data segments", 2); n > 0 && r.err == nil; n-- {
		switch layout := r.u32(); layout {
		case 0:
			m.expression(r)
		case 1:
			r.bytes(r.u32())
			continue
		case 2:
			r.memoryIndex(m)
			m.expression(r)
		default:
			r.fail(ErrUnsupported, "data segment of layout %d", layout)
		}
		if m.memories == 0 {
			r.fail(ErrMalformed, "data for a memory, but there is none")
		}
		r.bytes(r.u32())
	}
}

// expression passes over a constant expression, extended ones included.
func (m *module) expression(r *reader) {
	for r.err == nil {
		switch op := r.byte(); op {
		case opEnd:
			return
		case opGlobalGet:
			r.index("global", len(m.globals))
		case opRefFunc:
			m.reference(r)
		case opI32Const:
			r.skipSigned(32)
		case opI64Const:
			r.skipSigned(64)
		case 0x43: // f32.const
			r.skip(4)
		case 0x44: // f64.const
			r.skip(8)
		case 0xd0: // ref.null
			r.refType()
		case opI32Add, opI32Sub, 0x6c, opI64Add, opI64Sub, 0x7e: // and both multiplications
		case opVector:
			if sub := r.byte(); sub != 12 { // v128.const
				r.fail(ErrUnsupported, "vector opcode %#x in a constant expression", sub)
			}
			r.skip(16)
		default:
			r.fail(ErrUnsupported, "opcode %#x in a constant expression", op)
		}
	}
}
