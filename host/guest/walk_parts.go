package guest

// The parts of which sections are made.

func (c *cursor) valueType() byte {
	t := c.byte()
	if c.err == nil && valueTypes[t] == "" {
		c.fail(ErrMalformed, "value type %#x is not of WebAssembly 2.0", t)
	}
	return t
}

func (c *cursor) values(what string) string {
	types := make([]byte, c.count(what, 1, maxValues))
	for i := range types {
		types[i] = c.valueType()
	}
	return string(types)
}

func (c *cursor) globalType() {
	c.valueType()
	if mutable := c.byte(); mutable > 1 {
		c.fail(ErrMalformed, "mutability %#x", mutable)
	}
}

// limits reads sizes; shared and 64-bit memories have other flags.
func (c *cursor) limits(what string) (l Limits) {
	switch flags := c.byte(); flags {
	case 0:
		l.Min = c.u32()
	case 1:
		l.Min, l.Max, l.HasMax = c.u32(), c.u32(), true
		if l.Max < l.Min {
			c.fail(ErrMalformed, "%s: at least %d and at most %d", what, l.Min, l.Max)
		}
	default:
		c.fail(ErrMalformed, "%s: limits %#x: shared and 64-bit ones are not supported", what, flags)
	}
	return l
}

func (c *cursor) referenceType() {
	if t := c.byte(); c.err == nil && t != 0x70 && t != 0x6f {
		c.fail(ErrMalformed, "reference type %#x is not of WebAssembly 2.0", t)
	}
}

// elementType reads what an element segment is made of: one byte in either
// form. Longer types would let wazero read on from another place than the walk.
func (c *cursor) elementType(expressions bool) {
	if expressions {
		c.referenceType()
	} else if kind := c.byte(); kind != 0 {
		c.fail(ErrMalformed, "element kind %#x", kind)
	}
}

func (w *walker) table(c *cursor) {
	c.referenceType()
	if w.entries += uint64(c.limits("table").Min); w.entries > maxTable {
		c.fail(ErrLimit, "tables of %d entries, at most %d together", w.entries, maxTable)
	}
	if w.tables++; w.tables > maxTables {
		c.fail(ErrLimit, "%d tables, at most %d", w.tables, maxTables)
	}
}

func (w *walker) memory(c *cursor) {
	w.Memory = c.limits("memory")
	if w.Memory.Min > maxPages {
		c.fail(ErrLimit, "memory of %d pages, at most %d", w.Memory.Min, maxPages)
	}
	if w.Memory.Max > maxPages+1 {
		c.fail(ErrMalformed, "memory of up to %d pages", w.Memory.Max)
	}
	if w.memories++; w.memories > 1 {
		c.fail(ErrLimit, "%d memories, at most 1", w.memories)
	}
}

// addFunction reads the type of the next function and returns it in words.
func (w *walker) addFunction(c *cursor) string {
	t := c.u32()
	if c.err == nil && int(t) >= len(w.types) {
		c.fail(ErrMalformed, "type %d of %d", t, len(w.types))
	}
	if c.err != nil {
		return ""
	}
	w.functions = append(w.functions, t)
	return w.types[t].String()
}

// function reads the index of a function and returns its type in words.
func (w *walker) function(c *cursor, what string) string {
	i := c.u32()
	if c.err == nil && int(i) >= len(w.functions) {
		c.fail(ErrMalformed, "%s %d of %d", what, i, len(w.functions))
	}
	if c.err != nil {
		return ""
	}
	return w.types[w.functions[i]].String()
}

// Instructions of constant expressions, WebAssembly 2.0.
const (
	opEnd       = 0x0b
	opGlobalGet = 0x23
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
	opRefNull   = 0xd0
	opRefFunc   = 0xd2
	opVector    = 0xfd
	opV128Const = 0x0c
)

// expression passes over a constant expression.
func (c *cursor) expression() {
	for range maxExpr {
		switch op := c.byte(); op {
		case opEnd:
			return
		case opGlobalGet, opRefFunc:
			c.u32()
		case opI32Const:
			c.skipSigned(32)
		case opI64Const:
			c.skipSigned(64)
		case opF32Const:
			c.bytes(4)
		case opF64Const:
			c.bytes(8)
		case opRefNull:
			c.valueType()
		case opVector:
			if sub := c.u32(); sub != opV128Const {
				c.fail(ErrMalformed, "vector instruction %d in a constant expression", sub)
			}
			c.bytes(16)
		default:
			c.fail(ErrMalformed, "instruction %#x in a constant expression", op)
		}
		if c.err != nil {
			return
		}
	}
	c.fail(ErrLimit, "constant expression of more than %d instructions", maxExpr)
}

// Subsections of the name section that wazero reads.
const (
	namesModule    = 0
	namesFunctions = 1
	namesLocals    = 2
)

// walkCustom notes the name of a custom section. Only the name section has an
// inside, because wazero reads it, for stack traces.
func (w *walker) walkCustom(c *cursor) {
	if len(w.Customs) == maxCustoms {
		c.fail(ErrLimit, "more than %d custom sections", maxCustoms)
	}
	name := c.name()
	if w.Customs = append(w.Customs, name); name == "name" {
		for len(c.left) > 0 {
			id, sub := c.byte(), c.sub(c.u32())
			w.walkNames(id, sub)
			c.done(sub, "names")
		}
	}
	c.left = nil
}

func (w *walker) walkNames(id byte, c *cursor) {
	switch id {
	case namesModule:
		c.text()
	case namesFunctions:
		w.nameMap(c)
	case namesLocals:
		for range c.count("functions with named locals", 2, maxNames) {
			c.u32()
			w.nameMap(c)
		}
	default:
		c.left = nil
	}
}

func (w *walker) nameMap(c *cursor) {
	n := c.count("names", 2, maxNames-w.names)
	w.names += n
	for range n {
		c.u32()
		c.text()
	}
}
