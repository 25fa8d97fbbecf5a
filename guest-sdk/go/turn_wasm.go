//go:build wasip1

package guest

import (
	"unsafe"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

var (
	control abi.Control
	plugin  = instance{control: &control}
)

// start reserves rings and area of about the sizes the host asks for, once, and
// tells where the control block is. 0 refuses to run.
//
//go:wasmexport yimmo_v1_init
func start(events, commands, area uint32) uint32 {
	if registered.handler == nil {
		println("guest: no handler: call guest.Register from an init function")
		return 0
	}
	plugin.events = make([]abi.Event, within(events, abi.MinRing, abi.MaxRing))
	plugin.ring = make([]abi.Command, within(commands, abi.MinRing, abi.MaxRing))
	plugin.area = make([]byte, within(area, abi.MinArea, abi.MaxArea))
	plugin.attach(registered.handler, registered.needs)
	control.Events.Addr = address(&plugin.events[0])
	control.Commands.Addr = address(&plugin.ring[0])
	control.Area.Addr = address(&plugin.area[0])
	current = &plugin
	return address(&control)
}

//go:wasmexport yimmo_v1_turn
func turn(first, n uint32) uint32 {
	return uint32(plugin.turn(int(first), int(n)))
}

func within(v, least, most uint32) uint32 { return min(max(v, least), most) }

func address[T any](p *T) uint32 { return uint32(uintptr(unsafe.Pointer(p))) }

// A heap needs no bookkeeping here: Go's collector moves nothing, and whatever a
// command points at is on its heap because [memory] points at it as well.
type heap struct{}

func (heap) address(p []byte) uint32 { return address(&p[0]) }

func (heap) forget() {}
