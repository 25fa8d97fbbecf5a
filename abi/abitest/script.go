package abitest

import (
	"encoding/binary"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A Script is what the puppet is to do, step by step. Its methods add a step
// and return the script. The encoding is that of guests/puppet.wat.
//
// Ordinary commands are built with [Script.Do], which looks after addresses,
// lengths and pieces; [Script.Raw] puts a record into the ring as it is.
type Script struct {
	steps []step
	bytes []byte // follow the steps; addresses count from here until Encode
}

type step struct {
	op    byte
	flags byte
	room  uint16
	n     uint32
	rec   abi.Command
}

// Self as an id stands for the id of the event that the script came with.
const Self = 0x5e1f_5e1f_5e1f_5e1f

const scriptMagic = "PUP1"

const (
	opCommand = iota
	opYield
	opArm
	opTrap
	opLoop
	opRecurse
	opGrow
	opPoke
	opConsumed
	opResult
	opRelease
)

const (
	stepFromBytes  = 1 << iota // addr counts from the start of the script
	stepSelf                   // id is that of the script's event
	stepPayload                // payload is that of the script's event
	stepSeries                 // each repetition has the next payload and the next tag
	stepFromEnd                // consumed counts from the end of the call
	stepFromFirst  = stepSeries
	stepSize       = 8 + abi.RecordSize
	scriptHeadSize = 8
)

// Do adds a command whose payload is the first part and whose pieces are the
// others. Addr and Len of c are set here.
func (s *Script) Do(c abi.Command, parts ...[]byte) *Script {
	return s.repeat(1, c, parts...)
}

func (s *Script) repeat(n uint32, c abi.Command, parts ...[]byte) *Script {
	st := step{op: opCommand, room: 1, n: n, rec: c}
	if c.ID == Self {
		st.flags |= stepSelf
	}
	for i, part := range parts {
		if i > 0 {
			st = step{op: opCommand, room: 1, rec: abi.Command{Kind: abi.CommandPiece}}
		} else {
			st.room = uint16(len(parts))
		}
		st.flags |= stepFromBytes
		st.rec.Addr, st.rec.Len = uint32(len(s.bytes)), uint32(len(part))
		s.bytes = append(s.bytes, part...)
		s.steps = append(s.steps, st)
	}
	if len(parts) == 0 {
		s.steps = append(s.steps, st)
	}
	return s
}

// Series adds a command for each of the parts, which have one length. The first
// has the tag of c, the others those that follow. The puppet asks for further
// calls (more) when its command ring is full.
func (s *Script) Series(c abi.Command, parts ...[]byte) *Script {
	at := uint32(len(s.bytes))
	for _, part := range parts {
		s.bytes = append(s.bytes, part...)
	}
	st := step{op: opCommand, flags: stepFromBytes | stepSeries, room: 1, n: uint32(len(parts)), rec: c}
	if c.ID == Self {
		st.flags |= stepSelf
	}
	st.rec.Addr, st.rec.Len = at, uint32(len(parts[0]))
	s.steps = append(s.steps, st)
	return s
}

// Echo adds a command whose payload is that of the script's event, where it lies.
func (s *Script) Echo(c abi.Command) *Script {
	s.Raw(c)
	s.steps[len(s.steps)-1].flags |= stepPayload
	return s
}

// Raw adds a record as it is, but for [Self].
func (s *Script) Raw(c abi.Command) *Script { return s.RawN(1, c) }

// RawN adds a record n times.
func (s *Script) RawN(n int, c abi.Command) *Script {
	st := step{op: opCommand, room: 1, n: uint32(n), rec: c}
	if c.ID == Self {
		st.flags |= stepSelf
	}
	s.steps = append(s.steps, st)
	return s
}

// Send adds a send command.
func (s *Script) Send(id uint64, flags byte, parts ...[]byte) *Script {
	return s.Do(abi.Command{Kind: abi.CommandSend, Flags: flags, ID: id}, parts...)
}

// SendText adds a send command with one whole text message.
func (s *Script) SendText(id uint64, message string) *Script {
	return s.Send(id, textFrame, []byte(message))
}

// Close adds a close command.
func (s *Script) Close(id uint64, code uint16, reason string) *Script {
	return s.Do(abi.Command{Kind: abi.CommandClose, ID: id, Code: code}, []byte(reason))
}

// Accept adds an accept command with fields.
func (s *Script) Accept(id uint64, pairs ...string) *Script {
	return s.Do(abi.Command{Kind: abi.CommandAccept, ID: id}, fields(pairs...))
}

// Refuse adds a refuse command without fields and with a body.
func (s *Script) Refuse(id uint64, status uint16, body string) *Script {
	return s.Do(abi.Command{Kind: abi.CommandRefuse, ID: id, Code: status}, nil, []byte(body))
}

// Arm adds a step that keeps then for the next event of a kind. The events of
// the monitor count, too.
func (s *Script) Arm(kind abi.EventKind, then *Script) *Script {
	code := then.Encode()
	if len(code) > armSize {
		panic("abitest: script is too large to be armed")
	}
	s.op(opArm, uint32(0), stepFromBytes)
	s.steps[len(s.steps)-1].rec = abi.Command{
		Kind: abi.CommandKind(kind), Addr: uint32(len(s.bytes)), Len: uint32(len(code)),
	}
	s.bytes = append(s.bytes, code...)
	return s
}

// Yield adds a step that ends n calls with more set.
func (s *Script) Yield(n int) *Script { return s.op(opYield, uint32(n), 0) }

// Trap adds a step that traps: 0 unreachable, 1 a load outside memory, 2 a division by zero.
func (s *Script) Trap(how int) *Script { return s.op(opTrap, uint32(how), 0) }

// Loop adds a step that never ends.
func (s *Script) Loop() *Script { return s.op(opLoop, 0, 0) }

// Recurse adds a step that calls itself until the stack is full.
func (s *Script) Recurse() *Script { return s.op(opRecurse, 0, 0) }

// Grow adds a step that grows memory; what memory.grow said is at [AddrGrown].
func (s *Script) Grow(pages uint32) *Script { return s.op(opGrow, pages, 0) }

// Poke adds a step that stores a word anywhere in memory.
func (s *Script) Poke(addr, value uint32) *Script {
	s.op(opPoke, value, 0)
	s.steps[len(s.steps)-1].rec.Addr = addr
	return s
}

// ConsumedFirst makes the call say that it consumed up to its first event plus n.
func (s *Script) ConsumedFirst(n int32) *Script { return s.op(opConsumed, uint32(n), stepFromFirst) }

// ConsumedEnd makes the call say that it consumed up to its end plus n.
func (s *Script) ConsumedEnd(n int32) *Script { return s.op(opConsumed, uint32(n), stepFromEnd) }

// Result makes the call say that it gave n commands.
func (s *Script) Result(n uint32) *Script { return s.op(opResult, n, 0) }

// Release counts the event as consumed although the script goes on, which only
// an armed script may: the others lie in the receive area.
func (s *Script) Release() *Script { return s.op(opRelease, 0, 0) }

func (s *Script) op(op byte, n uint32, flags byte) *Script {
	s.steps = append(s.steps, step{op: op, flags: flags, n: n})
	return s
}

// Encode is the script as the puppet reads it.
func (s *Script) Encode() []byte {
	out := append([]byte(scriptMagic), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(s.steps)))
	base := uint32(scriptHeadSize + len(s.steps)*stepSize)
	for _, st := range s.steps {
		if st.flags&stepFromBytes != 0 {
			st.rec.Addr += base
		}
		out = append(out, st.op, st.flags)
		out = binary.LittleEndian.AppendUint16(out, st.room)
		out = binary.LittleEndian.AppendUint32(out, st.n)
		out = abi.AppendCommand(out, &st.rec)
	}
	return append(out, s.bytes...)
}

// fields encodes names and values in turn.
func fields(pairs ...string) []byte {
	f := abi.AppendFields(nil)
	for i := 0; i+1 < len(pairs); i += 2 {
		f = abi.AppendField(f, 0, pairs[i], pairs[i+1])
	}
	return f
}
