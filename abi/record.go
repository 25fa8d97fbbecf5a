package abi

import "encoding/binary"

// An Event is one event record: what the host tells a guest.
//
//	offset  size  field
//	     0     1  kind
//	     1     1  flags    recv: byte 0 of the frame; else bits named in ABI.md
//	     2     2  code     close code, status or length of a name; else zero
//	     4     4  len      payload bytes
//	     8     8  id       session, request or timer
//	    16     4  addr     of the payload in guest memory
//	    20     4  seq      number of the event in its session; refused, dropped: the command's tag
//	    24     8  user     the session's user word; else as ABI.md says
//
// All integers are little-endian.
type Event struct {
	Kind  EventKind
	Flags uint8
	Code  uint16
	Len   uint32
	ID    uint64
	Addr  uint32
	Seq   uint32
	User  uint64
}

// A Command is one command record: what a guest asks of the host.
//
//	offset  size  field
//	     0     1  kind
//	     1     1  flags    send: byte 0 of the frame; else bits named in ABI.md
//	     2     2  code     close code or HTTP status; else zero
//	     4     4  len      payload bytes
//	     8     8  id       session, request or timer
//	    16     4  addr     of the payload in guest memory
//	    20     4  tag      the guest's own number, handed back when the command is refused or dropped
//	    24     8  arg      user word, delay or sample; else zero
//
// All integers are little-endian.
type Command struct {
	Kind  CommandKind
	Flags uint8
	Code  uint16
	Len   uint32
	ID    uint64
	Addr  uint32
	Tag   uint32
	Arg   uint64
}

// PutEvent writes e to the first [RecordSize] bytes of dst, which must have them.
func PutEvent(dst []byte, e *Event) {
	d := dst[:RecordSize:RecordSize]
	head := uint64(e.Kind) | uint64(e.Flags)<<8 | uint64(e.Code)<<16 | uint64(e.Len)<<32
	binary.LittleEndian.PutUint64(d, head)
	binary.LittleEndian.PutUint64(d[8:], e.ID)
	binary.LittleEndian.PutUint64(d[16:], uint64(e.Addr)|uint64(e.Seq)<<32)
	binary.LittleEndian.PutUint64(d[24:], e.User)
}

// AppendEvent appends the record of e to dst.
func AppendEvent(dst []byte, e *Event) []byte {
	var r [RecordSize]byte
	PutEvent(r[:], e)
	return append(dst, r[:]...)
}

// ParseEvent reads the record at the start of src. It reports false when src is
// shorter than a record; it judges no field.
func ParseEvent(src []byte) (e Event, ok bool) {
	if len(src) < RecordSize {
		return Event{}, false
	}
	s := src[:RecordSize:RecordSize]
	head := binary.LittleEndian.Uint64(s)
	where := binary.LittleEndian.Uint64(s[16:])
	return Event{
		Kind: EventKind(head), Flags: uint8(head >> 8), Code: uint16(head >> 16), Len: uint32(head >> 32),
		ID:   binary.LittleEndian.Uint64(s[8:]),
		Addr: uint32(where), Seq: uint32(where >> 32),
		User: binary.LittleEndian.Uint64(s[24:]),
	}, true
}

// PutCommand writes c to the first [RecordSize] bytes of dst, which must have them.
func PutCommand(dst []byte, c *Command) {
	PutEvent(dst, &Event{Kind: EventKind(c.Kind), Flags: c.Flags, Code: c.Code, Len: c.Len,
		ID: c.ID, Addr: c.Addr, Seq: c.Tag, User: c.Arg})
}

// AppendCommand appends the record of c to dst.
func AppendCommand(dst []byte, c *Command) []byte {
	var r [RecordSize]byte
	PutCommand(r[:], c)
	return append(dst, r[:]...)
}

// ParseCommand reads the record at the start of src, which a guest wrote. It
// reports false when src is shorter than a record; it judges no field. The
// result is a copy: what the guest does to src afterwards does not change it.
func ParseCommand(src []byte) (c Command, ok bool) {
	if len(src) < RecordSize {
		return c, false
	}
	s := src[:RecordSize:RecordSize]
	head := binary.LittleEndian.Uint64(s)
	where := binary.LittleEndian.Uint64(s[16:])
	c.Kind, c.Flags, c.Code, c.Len = CommandKind(head), uint8(head>>8), uint16(head>>16), uint32(head>>32)
	c.ID = binary.LittleEndian.Uint64(s[8:])
	c.Addr, c.Tag = uint32(where), uint32(where>>32)
	c.Arg = binary.LittleEndian.Uint64(s[24:])
	return c, true
}

// Range returns the payload of c inside mem, the guest's whole memory as it is
// now. It reports false when the range does not lie inside mem. An empty
// payload is inside mem whatever its address.
func (c *Command) Range(mem []byte) ([]byte, bool) {
	if c.Len == 0 {
		return nil, true
	}
	end := uint64(c.Addr) + uint64(c.Len) // cannot overflow: both have 32 bits
	if end > uint64(len(mem)) {
		return nil, false
	}
	return mem[c.Addr:end:end], true
}
