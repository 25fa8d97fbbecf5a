package guest

import (
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// An instance is the state of one running plugin. In WebAssembly there is one;
// natively each test has its own, and one of them at a time is current.
type instance struct {
	handler      Handler
	http         HTTPHandler
	timer        TimerHandler
	topic        TopicHandler
	refusal      RefusalHandler
	backPressure BackPressureHandler

	// The memory shared with the host.
	control *abi.Control
	events  []abi.Event
	ring    []abi.Command // the command ring
	area    []byte        // the receive area

	used   int           // commands in the ring
	spill  []abi.Command // commands that did not fit, in order, after those in the ring
	out    int           // of spill, how many an earlier call handed over
	memory               // what commands point at

	// Of the callback that runs.
	tag      uint32  // see Tag
	deciding uint64  // the session whose Connect runs, else 0
	answer   answer  // of that session
	request  Request // of that session
	ended    uint64  // the session whose Close runs, else 0
	endFlags uint8

	yielder

	words    map[uint64]uint64 // user words set in this turn: its records still have the old ones
	waiting  map[uint64]*Request
	response Response // reused, one callback each
}

// answer is what Connect has done so far to its session.
type answer uint8

const (
	undecided answer = iota
	held
	accepted
	refused
)

// current is the instance whose turn runs.
var current *instance

func running() *instance {
	if current == nil {
		panic("guest: called outside a callback")
	}
	return current
}

// attach fills in what the handler can do and writes the guest's part of the
// control block but for the addresses. The shared memory must be set.
func (in *instance) attach(h Handler, needs Feature) {
	in.handler = h
	in.http, _ = h.(HTTPHandler)
	in.timer, _ = h.(TimerHandler)
	in.topic, _ = h.(TopicHandler)
	in.refusal, _ = h.(RefusalHandler)
	in.backPressure, _ = h.(BackPressureHandler)
	in.words = make(map[uint64]uint64)
	in.waiting = make(map[uint64]*Request)
	in.yielder = newYielder()

	c := in.control
	c.Magic, c.Major, c.Minor = abi.Magic, abi.Major, abi.Minor
	c.Needs, c.Wants = abi.Feature(needs), abi.Feature(wants(h))
	c.Events.Cap, c.Commands.Cap, c.Area.Cap = uint32(len(in.events)), uint32(len(in.ring)), uint32(len(in.area))
}

// turn consumes events from first on and returns how many commands are in the
// ring. If commands are left over it stops: the calls that follow hand them
// over, and while they do no event is consumed and nothing that the commands
// point at is given up.
func (in *instance) turn(first, n int) int {
	in.used = 0
	next := first
	if len(in.spill) > 0 {
		in.drain()
	} else {
		in.release()
		if first == 0 && len(in.words) > 0 {
			clear(in.words)
		}
		for next < n && len(in.spill) == 0 {
			if e := &in.events[next]; e.Kind == abi.EventRecv { // almost all: a call less is 15 ns
				in.tag = 0
				s := Session{e.ID, e.User}
				if err := in.handler.Recv(s, Flags(e.Flags), in.view(e)); err != nil {
					in.failed(s, err)
				}
			} else {
				in.dispatch(e)
			}
			next++
		}
		if next == n {
			in.yield(next - first)
		}
	}
	in.control.Consumed = uint32(next)
	in.control.More = uint32(min(1, len(in.spill)))
	return in.used
}

// reserve finds room for a command and the k-1 pieces behind it. They go out in
// one call, which k must allow: see [instance.fits]. The caller sets every field.
func (in *instance) reserve(k int) []abi.Command {
	if len(in.spill) == 0 && in.used+k <= len(in.ring) {
		in.used += k
		return in.ring[in.used-k : in.used]
	}
	for range k {
		in.spill = append(in.spill, abi.Command{})
	}
	return in.spill[len(in.spill)-k:]
}

// next finds room for a command without pieces. The caller sets every field.
func (in *instance) next() *abi.Command {
	if in.used < len(in.ring) && len(in.spill) == 0 {
		in.used++
		return &in.ring[in.used-1]
	}
	return &in.reserve(1)[0]
}

// fits tells whether a command and k-1 pieces can go out in one call.
func (in *instance) fits(k int) bool { return k <= len(in.ring) }

// drain moves leftover commands into the empty ring, a brigade wholly or not.
func (in *instance) drain() {
	left := in.spill[in.out:]
	for len(left) > 0 {
		k := 1
		for k < len(left) && left[k].Kind == abi.CommandPiece {
			k++
		}
		if in.used+k > len(in.ring) {
			break
		}
		copy(in.ring[in.used:], left[:k])
		in.used += k
		left = left[k:]
	}
	if in.out = len(in.spill) - len(left); len(left) == 0 {
		in.spill, in.out = in.spill[:0], 0
	}
}
