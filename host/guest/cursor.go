package guest

import (
	"fmt"
	"unicode/utf8"
)

// A cursor reads a module's bytes from front to back. The first error sticks:
// from then on everything reads as zero and every count as none, so that code
// on top needs no error checks inside its loops.
type cursor struct {
	left []byte
	end  int   // where left ends in the module, for offsets in errors
	err  error // the first
}

func newCursor(b []byte) *cursor { return &cursor{left: b, end: len(b)} }

// fail makes err the result unless there is one already.
func (c *cursor) fail(err error, format string, args ...any) {
	if c.err == nil {
		at := c.end - len(c.left)
		c.err = fmt.Errorf("%w: offset %#x: %s", err, at, fmt.Sprintf(format, args...))
	}
	c.left = nil
}

// sub takes the next n bytes as a cursor of their own. done hands its error back.
func (c *cursor) sub(n uint32) *cursor {
	at := c.end - len(c.left)
	s := c.bytes(n)
	return &cursor{left: s, end: at + len(s), err: c.err}
}

// done ends a sub cursor, which must be used up.
func (c *cursor) done(s *cursor, what string) {
	if s.err == nil && len(s.left) > 0 {
		s.fail(ErrMalformed, "%s: %d bytes too many", what, len(s.left))
	}
	if c.err = s.err; c.err != nil {
		c.left = nil
	}
}

func (c *cursor) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(c.left)) {
		c.fail(ErrMalformed, "%d bytes wanted, %d left", n, len(c.left))
		return nil
	}
	b := c.left[:n:n]
	c.left = c.left[n:]
	return b
}

func (c *cursor) byte() byte {
	if len(c.left) == 0 {
		c.fail(ErrMalformed, "ends too early")
		return 0
	}
	b := c.left[0]
	c.left = c.left[1:]
	return b
}

// u32 reads an unsigned LEB128 of at most 5 bytes; unused bits must be zero.
func (c *cursor) u32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := c.byte()
		if shift == 28 && b > 0x0f {
			break
		}
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	c.fail(ErrMalformed, "number has more than 32 bits")
	return 0
}

// skipSigned passes over a signed LEB128 of 32 or 64 bits; unused bits must
// repeat the sign.
func (c *cursor) skipSigned(bits int) {
	for shift := 0; shift < bits; shift += 7 {
		b := c.byte()
		if used := bits - shift; used < 7 {
			if sign := int8(b<<1) >> used; b >= 0x80 || sign != 0 && sign != -1 {
				break
			}
		}
		if b < 0x80 {
			return
		}
	}
	c.fail(ErrMalformed, "number has more than %d bits", bits)
}

// count reads the length of a vector whose elements take at least size bytes
// each. A count that the bytes left cannot hold never comes back: what a file
// declares must not decide what anyone allocates.
func (c *cursor) count(what string, size, most int) int {
	n := c.u32()
	switch {
	case uint64(n)*uint64(size) > uint64(len(c.left)):
		c.fail(ErrMalformed, "%d %s declared, %d bytes left", n, what, len(c.left))
		return 0
	case uint64(n) > uint64(most):
		c.fail(ErrLimit, "%d %s, at most %d", n, what, most)
		return 0
	}
	return int(n)
}

// name reads a UTF-8 string.
func (c *cursor) name() string { return string(c.text()) }

// text is name without a copy.
func (c *cursor) text() []byte {
	b := c.bytes(uint32(c.count("bytes of a name", 1, maxName)))
	if !utf8.Valid(b) {
		c.fail(ErrMalformed, "name is not UTF-8")
	}
	return b
}
