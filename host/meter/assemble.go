package meter

// A code is a piece of a module being written.
type code []byte

func (c code) op(ops ...byte) code { return append(c, ops...) }

// u32 appends an unsigned LEB128.
func (c code) u32(v uint32) code {
	for ; v >= 0x80; v >>= 7 {
		c = append(c, byte(v)|0x80)
	}
	return append(c, byte(v))
}

// s64 appends a signed LEB128.
func (c code) s64(v int64) code {
	for ; v < -0x40 || v >= 0x40; v >>= 7 {
		c = append(c, byte(v)|0x80)
	}
	return append(c, byte(v&0x7f))
}

// sized appends b behind its length.
func (c code) sized(b []byte) code { return append(c.u32(uint32(len(b))), b...) }

// vector appends the beginning of a section whose elements are in parts: its length
// and how many they are.
func (c code) vector(n int, parts ...[]byte) code {
	var number [5]byte
	size := len(code(number[:0]).u32(uint32(n)))
	for _, p := range parts {
		size += len(p)
	}
	return c.u32(uint32(size)).u32(uint32(n))
}

func (c code) str(s string) code { return append(c.u32(uint32(len(s))), s...) }

// with appends an opcode and an index.
func (c code) with(op byte, i uint32) code { return append(c, op).u32(i) }

func (c code) get(global uint32) code            { return c.with(opGlobalGet, global) }
func (c code) set(global uint32) code            { return c.with(opGlobalSet, global) }
func (c code) local(i uint32) code               { return c.with(opLocalGet, i) }
func (c code) setLocal(i uint32) code            { return c.with(opLocalSet, i) }
func (c code) tee(i uint32) code                 { return c.with(opLocalTee, i) }
func (c code) i32(v int32) code                  { return c.op(opI32Const).s64(int64(v)) }
func (c code) i64(v int64) code                  { return c.op(opI64Const).s64(v) }
func (c code) call(function uint32) code         { return c.with(opCall, function) }
func (c code) branch(op byte, label uint32) code { return c.with(op, label) }
