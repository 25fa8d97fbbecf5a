// Package abi is the guest's side of the contract with the host, version 1: the
// numbers, generated from the host's abi package, and the layouts, written by
// hand as structs that lie directly on the bytes that both sides share.
//
// The layouts are little-endian. So is every target of this SDK.
package abi

import "unsafe"

// A Control is the control block: where the rings are, and the turn's header.
// Now, Mono, Seed, Turn and Granted are written by the host between calls,
// everything else by the guest.
type Control struct {
	Magic        uint32
	Major, Minor uint16
	Needs, Wants Feature
	Events       Span // capacity in records
	Commands     Span // capacity in records
	Area         Span // capacity in bytes
	Granted      Feature
	Consumed     uint32 // events consumed, counted from the ring's start
	More         uint32 // not zero: commands are left over, call again
	_            uint32
	Now          int64 // wall clock, nanoseconds since 1970 UTC
	Mono         int64 // monotonic clock, nanoseconds since the plugin began
	Seed         uint64
	Turn         uint64 // from 1
	_            uint64
}

// A Span is a place in guest memory.
type Span struct{ Addr, Cap uint32 }

// An Event is one event record: what the host tells the guest.
type Event struct {
	Kind  EventKind
	Flags uint8
	Code  uint16
	Len   uint32
	ID    uint64
	Addr  uint32
	Seq   uint32 // number of the event in its session; refused, dropped: the command's tag
	User  uint64
}

// A Command is one command record: what the guest asks of the host.
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

// The layouts have no padding but what they name: a wrong size does not compile.
var (
	_ [0]struct{} = [unsafe.Sizeof(Control{}) - ControlSize]struct{}{}
	_ [0]struct{} = [unsafe.Sizeof(Event{}) - RecordSize]struct{}{}
	_ [0]struct{} = [unsafe.Sizeof(Command{}) - RecordSize]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Control{}.Granted) - OffsetGranted]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Control{}.Consumed) - OffsetConsumed]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Control{}.Now) - OffsetNow]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Control{}.Turn) - OffsetTurn]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Event{}.ID) - RecordOffsetID]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Event{}.Addr) - RecordOffsetAddr]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Command{}.Tag) - RecordOffsetTag]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Command{}.Arg) - RecordOffsetArg]struct{}{}
)

// Events lays records over mem, which must be 8-byte aligned.
func Events(mem []byte) []Event {
	return unsafe.Slice((*Event)(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)/RecordSize)
}

// Commands lays records over mem, which must be 8-byte aligned.
func Commands(mem []byte) []Command {
	return unsafe.Slice((*Command)(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)/RecordSize)
}

// ControlOf lays a control block over mem, which must be 8-byte aligned.
func ControlOf(mem []byte) *Control {
	_ = mem[ControlSize-1]
	return (*Control)(unsafe.Pointer(unsafe.SliceData(mem)))
}

// CommandBytes returns the bytes of c as a view.
func CommandBytes(c *Command) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(c)), RecordSize)
}

// EventBytes returns the bytes of e as a view.
func EventBytes(e *Event) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(e)), RecordSize)
}
