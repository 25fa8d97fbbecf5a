package meter

import (
	"fmt"
	"unicode/utf8"
)

// A reader goes through a module's bytes from front to back. The first error
// sticks: from then on everything reads as zero and every count as none, so
// that code on top of it needs no error checks inside its loops.
//
// It accepts a subset of what wazero accepts and reads it exactly alike: two
// readers that disagree about where an instruction ends would let a guest hide
// one from the meter.
type reader struct {
	b   []byte // the whole module, or its first bytes up to the end of a section
	at  int
	fn  int   // index of the function being read, for errors; -1 outside of the code
	err error // the first
}

func (r *reader) more() bool { return r.err == nil && r.at < len(r.b) }

// fail makes err the result unless there is one already.
func (r *reader) fail(err error, format string, args ...any) {
	r.failAt(r.at, err, format, args...)
}

func (r *reader) failAt(at int, err error, format string, args ...any) {
	if r.err == nil {
		where := fmt.Sprintf("offset %#x", at)
		if r.fn >= 0 {
			where = fmt.Sprintf("function %d, offset %#x", r.fn, at)
		}
		r.err = fmt.Errorf("%w: %s: %s", err, where, fmt.Sprintf(format, args...))
	}
	r.at = len(r.b)
}

// sub takes the next n bytes as a reader of their own. done hands its error back.
func (r *reader) sub(n uint32) *reader {
	s := &reader{b: r.b, at: r.at, fn: r.fn}
	r.skip(int(n))
	s.b, s.err = r.b[:r.at], r.err
	return s
}

// done ends a reader made by sub, which must be used up.
func (r *reader) done(s *reader, what string) {
	if s.err == nil && s.at < len(s.b) {
		s.fail(ErrMalformed, "%s has %d bytes too many", what, len(s.b)-s.at)
	}
	if s.err != nil && r.err == nil {
		r.err, r.at = s.err, len(r.b)
	}
}

func (r *reader) skip(n int) {
	if n < 0 || n > len(r.b)-r.at {
		r.fail(ErrMalformed, "%d bytes wanted, %d left", n, len(r.b)-r.at)
		return
	}
	r.at += n
}

func (r *reader) bytes(n uint32) []byte {
	from := r.at
	if r.skip(int(n)); r.err != nil {
		return nil
	}
	return r.b[from:r.at:r.at]
}

func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		r.fail(ErrMalformed, "ends too early")
		return 0
	}
	b := r.b[r.at]
	r.at++
	return b
}

// u32 reads an unsigned LEB128 of at most 5 bytes; unused bits must be zero.
// Linkers pad numbers, so longer forms than needed are normal.
func (r *reader) u32() uint32 {
	if r.at < len(r.b) && r.b[r.at] < 0x80 {
		r.at++
		return uint32(r.b[r.at-1])
	}
	return r.longU32()
}

func (r *reader) longU32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		if shift == 28 && b > 0x0f {
			break
		}
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	r.fail(ErrMalformed, "number has more than 32 bits")
	return 0
}

// skipSigned passes over a signed LEB128 of 32 or 64 bits; unused bits must
// repeat the sign.
func (r *reader) skipSigned(bits int) {
	for shift := 0; shift < bits; shift += 7 {
		b := r.byte()
		if used := bits - shift; used < 7 {
			if sign := int8(b<<1) >> used; b >= 0x80 || sign != 0 && sign != -1 {
				break
			}
		}
		if b < 0x80 {
			return
		}
	}
	r.fail(ErrMalformed, "number has more than %d bits", bits)
}

// count reads the length of a vector whose elements take at least size bytes
// each. A count that the bytes left cannot hold never comes back: what a file
// declares must not decide what anyone allocates.
func (r *reader) count(what string, size int) int {
	n := r.u32()
	if uint64(n)*uint64(size) > uint64(len(r.b)-r.at) {
		r.fail(ErrMalformed, "%d %s declared, %d bytes left", n, what, len(r.b)-r.at)
		return 0
	}
	return int(n)
}

// name reads a UTF-8 string.
func (r *reader) name() string {
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.fail(ErrMalformed, "name is not UTF-8")
	}
	return string(b)
}

// index reads the number of something of which there are n. What the rewrite
// appends behind the guest's own must stay out of its reach.
func (r *reader) index(what string, n int) uint32 {
	i := r.u32()
	if uint64(i) >= uint64(n) && r.err == nil {
		r.fail(ErrMalformed, "%s %d of %d", what, i, n)
		return 0
	}
	return i
}

// valueType reads one of the types of WebAssembly 2.0, each of one byte.
func (r *reader) valueType() byte {
	t := r.byte()
	if r.err == nil && !isValueType(t) {
		r.fail(ErrUnsupported, "value type %#x is not of WebAssembly 2.0", t)
	}
	return t
}

// values reads a vector of value types, one byte each.
func (r *reader) values(what string) []byte {
	n := r.count(what, 1)
	types := r.bytes(uint32(n))
	for i, t := range types {
		if !isValueType(t) {
			r.failAt(r.at-n+i, ErrUnsupported, "value type %#x is not of WebAssembly 2.0", t)
			return nil
		}
	}
	return types
}
