package guest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/sys"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/meter"
)

// guestHeader is how much of the control block the guest wrote in init and may
// not touch again: all before the granted features.
const guestHeader = abi.OffsetGranted

// Reserved words of the control block, which stay zero.
const (
	reserved4 = abi.OffsetMore + 4
	reserved8 = abi.OffsetTurn + 8
)

// Turn gives the guest the events [first, n) of the ring and returns how many
// commands it left at the front of the command ring, up to which event it came,
// and whether more commands wait for another call.
//
// Any error is a [*TrapError] or [ErrDead]: none of the commands count, and the
// instance is dead until [Instance.Load] puts it back. It blocks for at most TurnTime and allocates nothing but
// what wazero's means of interruption need (see deadline.go).
//
// Turn panics when first and n are not in order inside the ring, or when another
// goroutine is inside: those are bugs of the host.
func (i *Instance) Turn(first, n int, h Header) (commands, consumed int, more bool, err error) {
	return i.call(first, n, h, 1)
}

// call is Turn with so many times its time.
func (i *Instance) call(first, n int, h Header, times time.Duration) (commands, consumed int, more bool, err error) {
	i.own()
	defer i.disown()
	if i.dead {
		return 0, 0, false, ErrDead
	}
	if first < 0 || first > n || n > int(i.control.Events.Cap) {
		panic(fmt.Sprintf("guest: turn of events %d to %d in a ring of %d", first, n, i.control.Events.Cap))
	}
	i.writeHeader(&h)
	i.stack[0], i.stack[1] = uint64(first), uint64(n)
	i.memory.refused = false
	limit, whole := i.limit(first, n)
	i.arm(whole)
	i.dog.begin(times * limit)
	err = i.turn.CallWithStack(i.context, i.stack[:])
	late := !i.dog.end()
	i.world.end()
	if err != nil || late {
		return 0, 0, false, i.trap(abi.ExportTurn, err, late)
	}
	commands, consumed, more, err = i.result(uint32(first), uint32(n))
	if err != nil {
		i.die()
		return 0, 0, false, i.report(&TrapError{Kind: KindMistake, Call: abi.ExportTurn, Err: err})
	}
	return commands, consumed, more, nil
}

// limit is the time of the call at hand, and what it would be but for what has
// passed of it already. The first one has what starting left; a hook is a call
// whose first event asks the guest to come to an end or to hand over its state.
func (i *Instance) limit(first, n int) (limit, whole time.Duration) {
	if !i.begun {
		i.begun = true
		return max(i.turnTime, i.spare), max(i.turnTime, i.startTime)
	}
	limit = i.turnTime
	if first < n {
		switch abi.EventKind(i.events[first*abi.RecordSize+abi.RecordOffsetKind]) {
		case abi.EventStop, abi.EventStateExport, abi.EventStateImport:
			limit = max(limit, i.hookTime)
		}
	}
	return limit, limit
}

func (i *Instance) writeHeader(h *Header) {
	b := i.block[:abi.ControlSize]
	binary.LittleEndian.PutUint64(b[abi.OffsetNow:], uint64(h.Now))
	binary.LittleEndian.PutUint64(b[abi.OffsetMono:], uint64(h.Mono))
	binary.LittleEndian.PutUint64(b[abi.OffsetSeed:], h.Seed)
	binary.LittleEndian.PutUint64(b[abi.OffsetTurn:], h.Turn)
	i.world.begin(*h)
}

var (
	errHeader   = errors.New("the control block has changed since init")
	errLate     = errors.New("ran too long and was stopped")
	errReserved = errors.New("a reserved field of the control block is not zero")
)

// result reads what the guest answered. All of it is suspect.
func (i *Instance) result(first, n uint32) (commands, consumed int, more bool, err error) {
	b := i.block[:abi.ControlSize]
	m := uint32(i.stack[0])
	done := binary.LittleEndian.Uint32(b[abi.OffsetConsumed:])
	more = binary.LittleEndian.Uint32(b[abi.OffsetMore:]) != 0
	switch {
	case !bytes.Equal(b[:guestHeader], i.header[:]):
		err = errHeader
	case binary.LittleEndian.Uint32(b[reserved4:]) != 0 || binary.LittleEndian.Uint64(b[reserved8:]) != 0:
		err = errReserved
	case m > i.control.Commands.Cap:
		err = fmt.Errorf("%d commands, the ring has room for %d", m, i.control.Commands.Cap)
	case done < first || done > n:
		err = fmt.Errorf("consumed is %d, the turn was %d to %d", done, first, n)
	case m == 0 && done == first && (more || done < n):
		err = fmt.Errorf("no progress: no command, no event consumed at %d of %d", done, n)
	}
	return int(m), int(done), more, err
}

// guarded runs a call that starts the guest, under the same rules as a turn.
func (i *Instance) guarded(name string, limit time.Duration, call func(context.Context) error) error {
	i.memory.refused = false
	i.arm(i.startTime)
	i.dog.begin(limit)
	err := call(i.context)
	late := !i.dog.end()
	i.world.end()
	if err == nil && !late {
		return nil
	}
	return i.trap(name, err, late)
}

// trap ends the instance and says why. err is wazero's, nil when the guest
// returned by itself just too late.
func (i *Instance) trap(call string, err error, late bool) error {
	i.die()
	exit := (*sys.ExitError)(nil)
	exited := errors.As(err, &exit)
	i.worn = err != nil && !isTrap(err)
	t := &TrapError{Kind: KindTrap, Call: call, Function: i.code.where(err), Err: err}
	switch why := i.metered(); {
	case late && err == nil:
		t.Kind, t.Err = KindDeadline, errLate
	case late:
		t.Kind, t.Err = KindDeadline, fmt.Errorf("%w: %w", errLate, err)
	case why == meter.ReasonBudget:
		t.Kind, t.Err = KindBudget, fmt.Errorf("its budget of %d units is used up: %w", i.units, err)
	case why == meter.ReasonDepth:
		t.Kind, t.Err = KindOverflow, fmt.Errorf("stack overflow, calls are nested too deep: %w", err)
	case isOverflow(err):
		t.Kind = KindOverflow
	case i.memory.refused:
		t.Kind, t.Err = KindMemory, fmt.Errorf("out of memory, its quota is %d bytes: %w", len(i.memory.all), err)
	case exited:
		t.Kind, t.Err = KindExit, fmt.Errorf("proc_exit(%d)", exit.ExitCode())
	}
	return i.report(t)
}

// report tells the owner of a trap.
func (i *Instance) report(t *TrapError) *TrapError {
	if i.trapped != nil {
		i.trapped(t)
	}
	return t
}

// metered is why the meter trapped, if it did.
func (i *Instance) metered() meter.Reason {
	if i.meter.Reason == nil {
		return meter.ReasonNone
	}
	return meter.Reason(i.meter.Reason.Get())
}

// isOverflow knows wazero's stack overflow by the words of the innermost error,
// which no guest can choose: the value is internal to wazero.
func isOverflow(err error) bool {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err != nil && err.Error() == "stack overflow"
}

// isTrap knows errors that leave wazero's engine as it was before the call, so
// that the instance can be put back: all but overflows of its own stack, exits,
// and panics that it recovered from.
func isTrap(err error) bool {
	return strings.HasPrefix(err.Error(), "wasm error: ") && !isOverflow(err)
}

// die gives up the guest's call stack, which after an overflow has 80 MB. The
// memory stays: the owner may hold slices of it.
func (i *Instance) die() { i.dead, i.turn = true, nil }
