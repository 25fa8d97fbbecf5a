package guest

import "bytes"

// sections by their numbers in the binary format. The data count stands before
// the code.
var sections = [...]struct {
	name  string
	order int // 0 = anywhere
	walk  func(*walker, *cursor)
}{
	0:  {"custom", 0, (*walker).walkCustom},
	1:  {"type", 1, (*walker).walkTypes},
	2:  {"import", 2, (*walker).walkImports},
	3:  {"function", 3, (*walker).walkFunctions},
	4:  {"table", 4, (*walker).walkTables},
	5:  {"memory", 5, (*walker).walkMemories},
	6:  {"global", 6, (*walker).walkGlobals},
	7:  {"export", 7, (*walker).walkExports},
	8:  {"start", 8, func(w *walker, c *cursor) { w.function(c, "start function") }},
	9:  {"element", 9, (*walker).walkElements},
	10: {"code", 11, (*walker).walkCode},
	11: {"data", 12, (*walker).walkData},
	12: {"data count", 10, func(_ *walker, c *cursor) { c.u32() }},
}

// A walker fills in a [Module] from the bytes of its file.
type walker struct {
	*Module
	order     int // of the last section
	types     []signature
	functions []uint32 // type of each function, imported ones first
	imported  int      // of the functions
	bodies    int      // in the code section
	memories  int
	tables    int
	entries   uint64 // of all tables, at the start
	locals    uint64
	elements  int
	names     int
}

// walk reads every section from its first byte to its last. It allocates in
// proportion to what is there, never to what is declared, and does not look
// into function bodies beyond their locals: package meter reads those, and
// wazero validates them.
func (w *walker) walk(wasm []byte) error {
	magic := []byte("\x00asm\x01\x00\x00\x00")
	c := newCursor(wasm)
	switch {
	case !bytes.HasPrefix(wasm, magic[:4]):
		return ErrNotWASM
	case len(wasm) > maxModule:
		c.fail(ErrLimit, "%d bytes, at most %d", len(wasm), maxModule)
	case !bytes.HasPrefix(wasm, magic):
		c.fail(ErrMalformed, "not a version 1 core module: components are not supported")
	}
	for c.bytes(uint32(min(len(magic), len(wasm)))); len(c.left) > 0; {
		w.walkSection(c)
	}
	if defined := len(w.functions) - w.imported; c.err == nil && defined != w.bodies {
		c.fail(ErrMalformed, "%d functions, %d bodies", defined, w.bodies)
	}
	return c.err
}

func (w *walker) walkSection(c *cursor) {
	id := c.byte()
	if int(id) >= len(sections) {
		c.fail(ErrMalformed, "section %d is not of WebAssembly 2.0", id)
		return
	}
	s := &sections[id]
	if s.order != 0 && s.order <= w.order {
		c.fail(ErrMalformed, "%s section out of order", s.name)
		return
	}
	w.order = max(w.order, s.order)
	body := c.sub(c.u32())
	s.walk(w, body)
	c.done(body, s.name+" section")
}

func (w *walker) walkTypes(c *cursor) {
	for range c.count("types", 3, maxTypes) {
		if form := c.byte(); form != 0x60 {
			c.fail(ErrMalformed, "type form %#x is not a function", form)
		}
		w.types = append(w.types, signature{c.values("parameters"), c.values("results")})
	}
}

func (w *walker) walkImports(c *cursor) {
	for range c.count("imports", 4, maxImports) {
		i := Import{Module: c.name(), Name: c.name(), Kind: Extern(c.byte())}
		switch i.Kind {
		case ExternFunction:
			i.Type = w.addFunction(c)
		case ExternTable:
			w.table(c)
		case ExternMemory:
			w.memory(c)
		case ExternGlobal:
			c.globalType()
		default:
			c.fail(ErrMalformed, "import of kind %d", i.Kind)
		}
		w.Imports = append(w.Imports, i)
	}
	w.imported = len(w.functions)
}

func (w *walker) walkFunctions(c *cursor) {
	for range c.count("functions", 1, maxFuncs) {
		w.addFunction(c)
	}
}

func (w *walker) walkTables(c *cursor) {
	for range c.count("tables", 3, maxTables) {
		w.table(c)
	}
}

func (w *walker) walkMemories(c *cursor) {
	for range c.count("memories", 2, 1) {
		w.memory(c)
	}
}

func (w *walker) walkGlobals(c *cursor) {
	for range c.count("globals", 4, maxGlobals) {
		c.globalType()
		c.expression()
	}
}

func (w *walker) walkExports(c *cursor) {
	seen := map[string]bool{}
	for range c.count("exports", 3, maxExports) {
		e := Export{Name: c.name(), Kind: Extern(c.byte())}
		switch {
		case seen[e.Name]:
			c.fail(ErrMalformed, "two exports named %q", e.Name)
		case e.Kind == ExternFunction:
			e.Type = w.function(c, "exported function")
		case e.Kind > ExternGlobal:
			c.fail(ErrMalformed, "export of kind %d", e.Kind)
		default:
			c.u32()
		}
		seen[e.Name] = true
		w.Exports = append(w.Exports, e)
	}
}

// The eight layouts of an element segment differ by three bits.
const (
	elementPassive  = 1 << 0 // or declarative; else it has an offset expression
	elementExplicit = 1 << 1 // a table index when active, declarative when not
	elementExprs    = 1 << 2 // expressions instead of function indices
)

func (w *walker) walkElements(c *cursor) {
	for range c.count("element segments", 2, maxSegments) {
		form := c.u32()
		if form > 7 {
			c.fail(ErrMalformed, "element segment of form %d", form)
		}
		if form&elementPassive == 0 {
			if form&elementExplicit != 0 {
				c.u32()
			}
			c.expression()
		}
		if form&(elementPassive|elementExplicit) != 0 {
			c.elementType(form&elementExprs != 0)
		}
		n := c.count("elements", 1, maxElements-w.elements)
		w.elements += n
		for range n {
			if form&elementExprs != 0 {
				c.expression()
			} else {
				c.u32()
			}
		}
	}
}

func (w *walker) walkCode(c *cursor) {
	w.bodies = c.count("function bodies", 3, maxFuncs)
	for range w.bodies {
		size := c.u32()
		if size > maxBody && int(size) <= len(c.left) {
			c.fail(ErrLimit, "function of %d bytes, at most %d", size, maxBody)
		}
		body := c.sub(size)
		var locals uint64
		for range body.count("groups of locals", 2, maxLocals) {
			locals += uint64(body.u32())
			body.valueType()
		}
		if w.locals += locals; locals > maxLocals || w.locals > maxLocalSum {
			body.fail(ErrLimit, "%d locals, at most %d in a function and %d in all", locals, maxLocals, maxLocalSum)
		}
		body.left = nil // instructions
		c.done(body, "function body")
	}
}

func (w *walker) walkData(c *cursor) {
	for range c.count("data segments", 2, maxSegments) {
		switch form := c.u32(); form {
		case 0:
			c.expression()
		case 1:
		case 2:
			c.u32()
			c.expression()
		default:
			c.fail(ErrMalformed, "data segment of form %d", form)
		}
		c.bytes(c.u32())
	}
}
