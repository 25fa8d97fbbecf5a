package trace

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Call is one call of a guest: what it was given and what became of it. Its
// slices are views, good until the next record is read.
type Call struct {
	Turn     guest.Header
	First, N int

	// Written says that the host wrote the events First to N into the ring before
	// this call; Events are their records, Payloads what they point at, one behind
	// the other. Else they are those of the calls before.
	Written  bool
	Area     abi.Span // the receive area, as in the header
	Events   []byte
	Payloads []byte // without those outside the area: then the guest wrote the record

	Trap     guest.Kind // how the call failed; 0 = it did not, and what follows counts
	Text     string     // what the failure said, at most [MaxText] bytes
	Consumed int
	More     bool
	Count    int    // of commands
	Memory   uint64 // size of guest memory after the call, bytes
	Digest   uint64 // of the commands, see FORMAT.md

	// Full says that the commands were recorded: Commands are their records, Data
	// their payloads, one behind the other.
	Full     bool
	Commands []byte
	Data     []byte
}

// AllEvents yields the events that were written for this call, with payload.
func (c *Call) AllEvents() iter.Seq2[abi.Event, []byte] {
	return func(yield func(abi.Event, []byte) bool) {
		data := c.Payloads
		for records := c.Events; len(records) > 0; records = records[abi.RecordSize:] {
			e, _ := abi.ParseEvent(records)
			n := given(&e, c.Area)
			if !yield(e, data[:n:n]) {
				return
			}
			data = data[n:]
		}
	}
}

// given is how many bytes a trace has of what an event points at.
func given(e *abi.Event, area abi.Span) uint32 {
	if at := e.Addr - area.Addr; at > area.Cap || e.Len > area.Cap-at { // at wraps for what lies before
		return 0
	}
	return e.Len
}

// A Command is a command of a trace.
type Command struct {
	abi.Command
	Payload []byte
	Missing bool // the payload is not inside guest memory, or beyond [MaxPayload]
}

// AllCommands yields the commands of a call that has them.
func (c *Call) AllCommands() iter.Seq[Command] {
	return func(yield func(Command) bool) {
		data, room := c.Data, newRoom(c.Memory)
		for records := c.Commands; len(records) > 0; records = records[abi.RecordSize:] {
			r, _ := abi.ParseCommand(records)
			command := Command{Command: r, Missing: true}
			if room.has(&r) {
				command.Payload, command.Missing = data[:r.Len:r.Len], false
				data = data[r.Len:]
			}
			if !yield(command) {
				return
			}
		}
	}
}

// A room decides, command by command, whose payload a trace has: those inside
// guest memory, until [MaxPayload] is used up.
type room struct {
	memory uint64
	left   uint32
}

func newRoom(memory uint64) room { return room{memory, MaxPayload} }

func (r *room) has(c *abi.Command) bool {
	if c.Len == 0 {
		return true
	}
	if uint64(c.Addr)+uint64(c.Len) > r.memory || c.Len > r.left {
		return false
	}
	r.left -= c.Len
	return true
}

// appendCall begins the record of a call: what the guest is given. Outcome and
// commands are not known yet, see finishCall.
func appendCall(dst []byte, c *Call) []byte {
	flags := uint8(0)
	if c.Written {
		flags = CallEvents
	}
	le := binary.LittleEndian
	dst = begin(dst, KindCall, flags, 0)
	for _, v := range [...]uint32{uint32(c.First), uint32(c.N), 0, 0, 0} {
		dst = le.AppendUint32(dst, v)
	}
	dst = appendTurn(dst, &c.Turn)
	dst = le.AppendUint64(dst, 0)
	dst = le.AppendUint64(dst, 0)
	return append(append(dst, c.Events...), c.Payloads...)
}

// finishCall adds the outcome to the record that begins at dst[start]. The
// commands of a full call must follow the events already.
func finishCall(dst []byte, start int, c *Call) []byte {
	b, le := dst[start+PrefixSize:], binary.LittleEndian
	text := c.Text[:min(len(c.Text), MaxText)]
	for bit, on := range [...]bool{1: c.More, 2: c.Trap != 0, 3: c.Full} {
		if on {
			b[1] |= 1 << bit
		}
	}
	b[2] = byte(c.Trap)
	le.PutUint32(b[12:], uint32(c.Consumed))
	le.PutUint32(b[16:], uint32(c.Count))
	le.PutUint32(b[20:], uint32(len(text)))
	le.PutUint64(b[56:], c.Memory)
	le.PutUint64(b[64:], c.Digest)
	return finish(append(dst, text...), start)
}

// AppendCall appends the record of c to dst.
func AppendCall(dst []byte, c *Call) []byte {
	start := len(dst)
	dst = appendCall(dst, c)
	if c.Full {
		dst = append(append(dst, c.Commands...), c.Data...)
	}
	return finishCall(dst, start, c)
}

func parseCall(h *Header, flags uint8, word uint16, b *body) (*Call, error) {
	c := &Call{
		First: int(b.u32()), N: int(b.u32()), Consumed: int(b.u32()), Count: int(b.u32()),
		Area: h.AreaAt, Written: flags&CallEvents != 0, More: flags&CallMore != 0, Full: flags&CallCommands != 0,
	}
	text := b.u32()
	c.Turn, c.Memory, c.Digest = b.turn(), b.u64(), b.u64()
	if flags&CallTrap != 0 {
		c.Trap = guest.Kind(word)
	}
	switch {
	case flags&^(CallEvents|CallMore|CallTrap|CallCommands) != 0 || word > 0xff || (word != 0) != (flags&CallTrap != 0):
		return nil, fmt.Errorf("%w: reserved bits of a call are set", ErrDamaged)
	case c.First > c.N || c.N > int(h.EventsCap):
		return nil, fmt.Errorf("%w: events %d to %d in a ring of %d", ErrDamaged, c.First, c.N, h.EventsCap)
	case c.Trap == 0 && (c.Consumed < c.First || c.Consumed > c.N || c.Count > int(h.CommandsCap)):
		return nil, fmt.Errorf("%w: %d commands, consumed %d of %d to %d", ErrDamaged, c.Count, c.Consumed, c.First, c.N)
	case c.Trap != 0 && (c.Consumed != 0 || c.Count != 0 || c.More || c.Full):
		return nil, fmt.Errorf("%w: a call that trapped has an outcome", ErrDamaged)
	case text > MaxText || c.Memory > maxOfMemory:
		return nil, fmt.Errorf("%w: text of %d bytes, memory of %d", ErrDamaged, text, c.Memory)
	}
	if c.Written {
		c.Events = b.take(uint64(c.N-c.First) * abi.RecordSize)
		c.Payloads = b.take(payloads(c.Events, c.Area))
	}
	if c.Full {
		c.Commands = b.take(uint64(c.Count) * abi.RecordSize)
		c.Data = b.take(data(c.Commands, c.Memory))
	}
	c.Text = string(b.take(uint64(text)))
	return c, nil
}

// payloads is how many bytes a trace has of what some events point at.
func payloads(records []byte, area abi.Span) (n uint64) {
	for ; len(records) > 0; records = records[abi.RecordSize:] {
		e, _ := abi.ParseEvent(records)
		n += uint64(given(&e, area))
	}
	return n
}

// data is how many bytes a trace has of what the commands point at.
func data(records []byte, memory uint64) (n uint64) {
	room := newRoom(memory)
	for ; len(records) > 0; records = records[abi.RecordSize:] {
		if c, _ := abi.ParseCommand(records); room.has(&c) {
			n += uint64(c.Len)
		}
	}
	return n
}
