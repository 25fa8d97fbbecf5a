//go:build !wasip1

package guest

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/native"
)

// The native machine gives a handler what it has in WebAssembly: one memory with
// 32-bit addresses that holds control block, rings, area and, behind them, a
// heap. Runs outside the area get heap addresses when a command names them and
// are copied there when the call ends, so that a plugin that changes its data
// too early is caught natively as well.

func init() { native.New = newMachine }

const controlAt = 64 // not 0: that would refuse

// turning lets one machine run at a time: the handler reaches its own through
// the package.
var turning sync.Mutex

type machine struct {
	in     *instance
	mem    []byte
	placed int // of kept, how many are copied already
	dead   error
}

// heap hands out addresses for runs outside the area.
type heap struct {
	base, top uint32 // where it begins, the next free address
	given     bool   // everything was given up in this call
}

func (h *heap) address(p []byte) uint32 {
	at := h.top
	h.top += uint32(len(p))
	return at
}

func (h *heap) forget() { h.top, h.given = h.base, true }

func newMachine(handler any, events, commands, area int) (native.Machine, error) {
	h, ok := handler.(Handler)
	if !ok {
		return nil, fmt.Errorf("%T is no guest.Handler", handler)
	}
	if one := uint16(1); *(*byte)(unsafe.Pointer(&one)) != 1 {
		return nil, errors.New("the native machine needs a little-endian processor")
	}
	m := &machine{in: &instance{}}
	c := abi.Control{
		Events:   abi.Span{Addr: controlAt + abi.ControlSize, Cap: uint32(events)},
		Commands: abi.Span{Cap: uint32(commands)},
		Area:     abi.Span{Cap: uint32(area)},
	}
	c.Commands.Addr = c.Events.Addr + c.Events.Cap*abi.RecordSize
	c.Area.Addr = c.Commands.Addr + c.Commands.Cap*abi.RecordSize
	m.in.heap.base = c.Area.Addr + (c.Area.Cap+7)&^7
	m.in.heap.top = m.in.heap.base
	m.mem = make([]byte, m.in.heap.base)
	*abi.ControlOf(m.mem[controlAt:]) = c
	m.overlay()
	m.in.attach(h, registered.needs)
	return m, nil
}

// overlay lays the instance's rings and area over mem.
func (m *machine) overlay() {
	in := m.in
	in.control = abi.ControlOf(m.mem[controlAt:])
	in.events = abi.Events(m.Events())
	in.ring = abi.Commands(m.Commands())
	in.area, _ = m.Area()
}

func (m *machine) span(s abi.Span, unit uint32) []byte {
	return m.mem[s.Addr : s.Addr+s.Cap*unit : s.Addr+s.Cap*unit]
}

func (m *machine) Control() []byte { return m.mem[controlAt : controlAt+abi.ControlSize] }
func (m *machine) Events() []byte  { return m.span(abi.ControlOf(m.Control()).Events, abi.RecordSize) }
func (m *machine) Commands() []byte {
	return m.span(abi.ControlOf(m.Control()).Commands, abi.RecordSize)
}
func (m *machine) Memory() []byte { return m.mem }

func (m *machine) Area() (mem []byte, addr uint32) {
	s := abi.ControlOf(m.Control()).Area
	return m.span(s, 1), s.Addr
}

// Turn runs one call. A panic in the handler is what a trap is in WebAssembly:
// the machine runs no more.
func (m *machine) Turn(first, n int) (commands int, err error) {
	turning.Lock()
	defer turning.Unlock()
	if m.dead != nil {
		return 0, m.dead
	}
	current = m.in
	defer func() {
		current = nil
		if v := recover(); v != nil {
			m.dead = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			commands, err = 0, m.dead
		}
	}()
	m.in.heap.given = false
	commands = m.in.turn(first, n)
	m.place()
	return commands, nil
}

// place copies new runs to the addresses that the heap promised.
func (m *machine) place() {
	h := &m.in.heap
	if h.given {
		m.placed = 0
	}
	if int(h.top) > len(m.mem) {
		m.mem = append(m.mem[:len(m.mem):len(m.mem)], make([]byte, int(h.top)-len(m.mem))...)
		m.mem = m.mem[:cap(m.mem)]
		m.overlay()
	}
	at := h.base
	for i, r := range m.in.kept {
		if i >= m.placed {
			copy(m.mem[at:], unsafe.Slice(r.at, r.n))
		}
		at += uint32(r.n)
	}
	m.placed = len(m.in.kept)
}
