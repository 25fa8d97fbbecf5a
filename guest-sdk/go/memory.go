package guest

import (
	"unsafe"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// memory holds on to what commands point at until the host has read it, which
// is when the next call begins.
type memory struct {
	kept  []run
	chunk []byte // copies; len is what is used
	heap  heap
}

// A run is bytes outside the receive area. The pointer keeps them alive: the
// collector does not see the address in a command record.
type run struct {
	at *byte
	n  int
}

const (
	chunkSize = 16 << 10
	chunkMost = 1 << 20 // a larger chunk is not kept for the next turn
	keptMost  = 64 << 10
)

// ref returns the address of p for a command record. p stays alive and must
// stay unchanged until the next call.
func (in *instance) ref(p []byte) uint32 {
	if len(p) == 0 {
		return 0
	}
	if d := uintptr(unsafe.Pointer(&p[0])) - uintptr(unsafe.Pointer(&in.area[0])); d < uintptr(len(in.area)) {
		return in.control.Area.Addr + uint32(d)
	}
	at := in.heap.address(p)
	in.kept = append(in.kept, run{&p[0], len(p)})
	return at
}

// refText is ref for a string, whose bytes never change.
func (in *instance) refText(s string) uint32 {
	return in.ref(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// room returns n bytes that live as long as what ref was given, to be filled at once.
func (in *instance) room(n int) []byte {
	if n > cap(in.chunk)-len(in.chunk) {
		in.chunk = make([]byte, 0, max(n, chunkSize)) // what is in the old one is kept by its runs
	}
	at := len(in.chunk)
	in.chunk = in.chunk[:at+n]
	return in.chunk[at : at+n : at+n]
}

// copied is ref for a copy of p, which the caller may change at once.
func (in *instance) copied(p []byte) uint32 {
	if len(p) == 0 {
		return 0
	}
	q := in.room(len(p))
	copy(q, p)
	return in.ref(q)
}

// release gives up everything that commands of the last calls pointed at.
func (in *instance) release() {
	if len(in.kept) > keptMost {
		in.kept = nil
	}
	clear(in.kept)
	in.kept = in.kept[:0]
	if cap(in.chunk) > chunkMost {
		in.chunk = nil
	}
	in.chunk = in.chunk[:0]
	in.heap.forget()
}

// view returns the payload of e: valid until the call that consumed e returns.
func (in *instance) view(e *abi.Event) []byte {
	at := e.Addr - in.control.Area.Addr
	if e.Len == 0 {
		at = 0
	}
	return in.area[at : at+e.Len : at+e.Len]
}

// encode encodes fields into room, the first one's name given apart.
func (in *instance) encode(name, value string, fields []Field) []byte {
	size := 4
	if name != "" {
		size += abi.FieldSize(name, value)
	}
	for _, f := range fields {
		size += abi.FieldSize(f.Name, f.Value)
	}
	p := abi.AppendFields(in.room(size)[:0])
	if name != "" {
		p = abi.AppendField(p, 0, name, value)
	}
	for _, f := range fields {
		p = abi.AppendField(p, 0, f.Name, f.Value)
	}
	return p
}
