package abi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A Control is the control block: where the rings are, and the header of the call.
//
//	offset  size  field          written by
//	     0     4  magic          guest, in init
//	     4     2  major          guest, in init
//	     6     2  minor          guest, in init
//	     8     4  needs          guest, in init: features it cannot run without
//	    12     4  wants          guest, in init: features it uses when they are there
//	    16     4  events addr    guest, in init
//	    20     4  events cap     guest, in init, records
//	    24     4  commands addr  guest, in init
//	    28     4  commands cap   guest, in init, records
//	    32     4  area addr      guest, in init
//	    36     4  area cap       guest, in init, bytes
//	    40     4  granted        host, before the first call: features in force
//	    44     4  consumed       guest, each call: events consumed, counted from the ring's start
//	    48     4  more           guest, each call: not zero = commands are left, call again
//	    52     4  reserved       zero
//	    56     8  now            host, each call: wall clock, nanoseconds since 1970 UTC
//	    64     8  mono           host, each call: monotonic clock, nanoseconds since the plugin began
//	    72     8  seed           host, each call: random bits
//	    80     8  turn           host, each call: number of the call, from 1
//	    88     8  reserved       zero
//
// All integers are little-endian.
type Control struct {
	Magic        uint32
	Major, Minor uint16
	Needs, Wants Feature
	Events       Span // capacity in records
	Commands     Span // capacity in records
	Area         Span // capacity in bytes
	Granted      Feature
	Consumed     uint32
	More         uint32
	Now          int64
	Mono         int64
	Seed         uint64
	Turn         uint64
}

// A Span is a place in guest memory.
type Span struct{ Addr, Cap uint32 }

// What a control block is refused for. [Control.Check] wraps them.
var (
	ErrShort     = errors.New("control block reaches past the end of memory")
	ErrMagic     = errors.New("control block has the wrong magic number")
	ErrMajor     = errors.New("wrong ABI version")
	ErrNeeds     = errors.New("needs features that the host does not offer")
	ErrSpan      = errors.New("ring or area is not inside memory")
	ErrCapacity  = errors.New("ring or area capacity out of bounds")
	ErrAlignment = errors.New("not 8-byte aligned")
	ErrOverlap   = errors.New("rings, area and control block overlap")
	ErrReserved  = errors.New("reserved field is not zero")
)

// AppendControl appends the block of c to dst.
func AppendControl(dst []byte, c *Control) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, c.Magic)
	dst = le.AppendUint16(dst, c.Major)
	dst = le.AppendUint16(dst, c.Minor)
	for _, v := range [...]uint32{
		uint32(c.Needs), uint32(c.Wants), c.Events.Addr, c.Events.Cap, c.Commands.Addr, c.Commands.Cap,
		c.Area.Addr, c.Area.Cap, uint32(c.Granted), c.Consumed, c.More, 0,
	} {
		dst = le.AppendUint32(dst, v)
	}
	for _, v := range [...]uint64{uint64(c.Now), uint64(c.Mono), c.Seed, c.Turn, 0} {
		dst = le.AppendUint64(dst, v)
	}
	return dst
}

// ParseControl reads the block at the start of src, which a guest wrote.
// It fails with [ErrShort] or [ErrReserved]; see [Control.Check] for the rest.
func ParseControl(src []byte) (Control, error) {
	if len(src) < ControlSize {
		return Control{}, ErrShort
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(src[at:]) }
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(src[at:]) }
	if u32(52) != 0 || u64(88) != 0 {
		return Control{}, ErrReserved
	}
	return Control{
		Magic: u32(0), Major: uint16(u32(4)), Minor: uint16(u32(4) >> 16),
		Needs: Feature(u32(8)), Wants: Feature(u32(12)),
		Events: Span{u32(16), u32(20)}, Commands: Span{u32(24), u32(28)}, Area: Span{u32(32), u32(36)},
		Granted: Feature(u32(OffsetGranted)), Consumed: u32(OffsetConsumed), More: u32(OffsetMore),
		Now: int64(u64(OffsetNow)), Mono: int64(u64(OffsetMono)), Seed: u64(OffsetSeed), Turn: u64(OffsetTurn),
	}, nil
}

// Check judges a block that lies at addr in a memory of size bytes, for a host
// that offers the given features. The error names the field and both sides.
func (c *Control) Check(addr uint32, size uint64, offered Feature) error {
	switch {
	case c.Magic != Magic:
		return fmt.Errorf("%w: %#08x, not %#08x", ErrMagic, c.Magic, uint32(Magic))
	case c.Major != Major:
		return fmt.Errorf("%w: the guest speaks %d.%d, this host speaks %d.%d", ErrMajor, c.Major, c.Minor, Major, Minor)
	case c.Needs&^offered != 0:
		return fmt.Errorf("%w: %v", ErrNeeds, c.Needs&^offered)
	}
	places := [...]struct {
		name     string
		addr     uint32
		cap      uint32
		unit     uint64
		min, max uint32
	}{
		{"control block", addr, ControlSize, 1, ControlSize, ControlSize},
		{"event ring", c.Events.Addr, c.Events.Cap, RecordSize, MinRing, MaxRing},
		{"command ring", c.Commands.Addr, c.Commands.Cap, RecordSize, MinRing, MaxRing},
		{"receive area", c.Area.Addr, c.Area.Cap, 1, MinArea, MaxArea},
	}
	for i, p := range places {
		switch {
		case p.cap < p.min || p.cap > p.max:
			return fmt.Errorf("%s: %w: %d, allowed %d to %d", p.name, ErrCapacity, p.cap, p.min, p.max)
		case p.addr%8 != 0:
			return fmt.Errorf("%s: %w: address %#x", p.name, ErrAlignment, p.addr)
		}
		end := uint64(p.addr) + uint64(p.cap)*p.unit // at most 2^32 + 2^21: no overflow
		if end > size {
			return fmt.Errorf("%s: %w: %#x to %#x of %#x", p.name, ErrSpan, p.addr, end, size)
		}
		for _, q := range places[:i] {
			if uint64(p.addr) < uint64(q.addr)+uint64(q.cap)*q.unit && uint64(q.addr) < end {
				return fmt.Errorf("%w: %s and %s", ErrOverlap, q.name, p.name)
			}
		}
	}
	return nil
}
