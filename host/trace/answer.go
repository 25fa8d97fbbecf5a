package trace

import (
	"errors"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// An answer is what an instance made of a call.
type answer struct {
	count, consumed int
	more            bool
	trap            guest.Kind
	text            string
	memory          uint64
	commands, data  []byte // used again
}

// make makes the call.
func (a *answer) make(g Guest, first, n int, h guest.Header) {
	var err error
	a.count, a.consumed, a.more, err = g.Turn(first, n, h)
	a.trap, a.text = trapOf(err)
	mem := g.Memory()
	a.memory = uint64(len(mem))
	a.commands = appendCommands(a.commands[:0], g.Commands(), a.count, mem)
	a.commands, a.data = a.commands[:a.count*abi.RecordSize], a.commands[a.count*abi.RecordSize:]
}

// trapOf takes the error of a call apart. An error that says nothing of a trap is
// one all the same: the instance is not to be called again.
func trapOf(err error) (guest.Kind, string) {
	if err == nil {
		return 0, ""
	}
	if t, ok := errors.AsType[*guest.TrapError](err); ok {
		return t.Kind, t.Err.Error()
	}
	return guest.KindTrap, err.Error()
}
