package meter

// An instr is one instruction.
type instr struct {
	op     uint32 // prefix<<8 | opcode behind it, or the opcode
	weight uint32 // units
	values uint32 // words of the stack that its results may take
	x      uint32 // function, type, table, segment
}

// instruction reads the next instruction of a body in m whose function has that
// many locals and, at this place, labels.
func (r *reader) instruction(m *module, locals, labels int) (i instr) {
	i.op = uint32(r.byte())
	i.weight, i.values = 1, 1
	switch forms[byte(i.op)] {
	case formNone:
		i.weight = plainWeight(byte(i.op))
	case formBlock:
		if i.op != opIf {
			i.weight = 0
		}
		i.values = r.blockType(m)
	case formLabel:
		r.index("label", labels)
	case formBrTable:
		r.labels(labels, int(m.opt.MaxLabels))
	case formFunction:
		r.function(m, &i)
	case formCallIndirect:
		i.weight = weightCall
		i.x = r.index("type", len(m.types))
		i.values = 1 + m.words(i.x)
		r.index("table", m.tables)
	case formSelect:
		if n := r.byte(); n != 1 {
			r.fail(ErrMalformed, "select of %d types", n)
		}
		r.valueType()
	case formLocal:
		r.index("local", locals)
	case formGlobal:
		r.index("global", len(m.globals))
	case formTable:
		i.x = r.index("table", m.tables)
	case formAccess:
		r.access(m)
	case formMemory:
		r.memoryIndex(m)
		if i.op == opMemoryGrow {
			i.weight = weightGrow
		}
	case formI32:
		r.skipSigned(32)
	case formI64:
		r.skipSigned(64)
	case formF32:
		r.skip(4)
	case formF64:
		r.skip(8)
	case formRefType:
		r.refType()
	case formPrefix:
		r.prefixed(m, &i)
	default:
		r.refuse(i.op)
	}
	return i
}

// function reads the index of a function that is called or referred to.
func (r *reader) function(m *module, i *instr) {
	i.x = r.index("function", len(m.functions))
	i.weight = weightCall
	if i.op == opRefFunc || int(i.x) < m.imported {
		i.weight = weightImport
	}
	if i.op != opRefFunc && r.err == nil {
		i.values = 1 + m.words(m.functions[i.x])
	}
}

// refuse names the feature of an opcode that is not of WebAssembly 2.0.
func (r *reader) refuse(op uint32) {
	feature := ""
	switch {
	case op >= 0x06 && op <= 0x0a, op == 0x18, op == 0x19, op == 0x1f:
		feature = ": exception handling"
	case op == 0x14, op == 0x15, op >= 0xd3 && op <= 0xd6:
		feature = ": typed function references"
	case op == opAtomic:
		feature = ": threads"
	case op == 0xfb:
		feature = ": garbage collection"
	}
	if r.err == nil {
		r.failAt(r.at-1, ErrUnsupported, "opcode %#x%s", op, feature)
	}
}

// blockType returns how many words the values take that the block begins or
// ends with. The types that are written in place have one byte each.
func (r *reader) blockType(m *module) uint32 {
	if r.at < len(r.b) {
		switch b := r.b[r.at]; {
		case b == typeEmpty:
			r.at++
			return 0
		case isValueType(b):
			r.at++
			return words(b)
		}
	}
	from := r.at
	i := r.u32()
	if r.err == nil && (r.b[r.at-1]&0x40 != 0 || uint64(i) >= uint64(len(m.types))) { // a signed number, and negative
		r.failAt(from, ErrUnsupported, "block type %#x of %d types", r.b[from], len(m.types))
	}
	return m.words(i)
}

// labels reads the vector of br_table.
func (r *reader) labels(labels, most int) {
	n := r.count("labels", 1)
	if n > most {
		r.fail(ErrLimit, "br_table of %d labels, at most %d", n, most)
	}
	for ; n >= 0 && r.err == nil; n-- {
		r.index("label", labels)
	}
}

// access reads the alignment and offset of a load or store.
func (r *reader) access(m *module) {
	if m.memories == 0 {
		r.fail(ErrMalformed, "memory access, but there is no memory")
	}
	if align := r.u32(); align >= 32 {
		r.fail(ErrUnsupported, "alignment %d: more than one memory", align)
	}
	r.u32()
}

// memoryIndex reads the index of a memory, which WebAssembly 2.0 writes as zero
// in one byte.
func (r *reader) memoryIndex(m *module) {
	if b := r.byte(); b != 0 {
		r.fail(ErrUnsupported, "memory %#x: more than one memory", b)
	}
	if m.memories == 0 {
		r.fail(ErrMalformed, "memory access, but there is no memory")
	}
}

func (r *reader) refType() {
	if t := r.byte(); !isReference(t) {
		r.fail(ErrUnsupported, "reference type %#x is not of WebAssembly 2.0", t)
	}
}

// prefixed reads what follows opBulk or opVector. The opcodes behind opVector
// have one byte, or two from 128 on. Longer forms of the same number are
// refused: wazero reads them as something else.
func (r *reader) prefixed(m *module, i *instr) {
	sub := r.byte()
	if i.op == opVector {
		if sub >= 0x80 && r.byte() != 1 {
			r.fail(ErrUnsupported, "vector opcode of more than 8 bits")
		}
		i.values = 2
		r.vector(m, sub)
		return
	}
	i.op = i.op<<8 | uint32(sub)
	switch sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating conversions
	case bulkMemoryInit:
		r.u32() // data segments are numbered as before
		r.memoryIndex(m)
		i.weight = weightSegment
	case bulkMemoryCopy:
		r.memoryIndex(m)
		r.memoryIndex(m)
		i.weight = weightCall
	case bulkMemoryFill:
		r.memoryIndex(m)
		i.weight = weightCall
	case bulkDataDrop, bulkElemDrop:
		i.x = r.u32()
		i.weight = weightSegment
	case bulkTableInit:
		r.u32()
		i.x = r.index("table", m.tables)
		i.weight = weightSegment
	case bulkTableCopy:
		i.x = r.index("table", m.tables)
		r.index("table", m.tables)
		i.weight = weightCall
	case bulkTableGrow:
		i.x = r.index("table", m.tables)
		i.weight = weightGrow
	case bulkTableSize, bulkTableFill:
		i.x = r.index("table", m.tables)
		i.weight = weightCall
	default:
		r.fail(ErrUnsupported, "opcode %#x %#x is not of WebAssembly 2.0", opBulk, sub)
	}
}

// vector reads what follows the opcode of a vector instruction.
func (r *reader) vector(m *module, op byte) {
	switch {
	case op <= 11, op == 92, op == 93: // loads, stores
		r.access(m)
	case op == 12, op == 13: // v128.const, shuffle
		r.skip(16)
	case op >= 21 && op <= 34: // extract_lane, replace_lane
		r.byte()
	case op >= 84 && op <= 91: // load_lane, store_lane
		r.access(m)
		r.byte()
	case op == 154, op == 162, op == 165, op == 166, op == 175, op == 176, op == 178, op == 179,
		op == 180, op == 187, op == 194, op == 197, op == 198, op == 207, op == 208, op == 210,
		op == 211, op == 212, op == 226, op == 238:
		r.fail(ErrUnsupported, "vector opcode %#x is not of WebAssembly 2.0", op)
	}
}
