package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Guest is an instance as a lane has it.
type Guest interface {
	Events() []byte
	Commands() []byte
	Area() ([]byte, uint32)
	Memory() []byte
	Features() abi.Feature
	Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
	Close() error
}

// An Instance is a guest whose state can be saved and put back.
// [guest.Instance] is one.
type Instance interface {
	Guest
	Save(*guest.Checkpoint) error
	Load(*guest.Checkpoint) error
}

// replayTurn is how long a call may take in a replay, unless [Player.Start] says
// otherwise: the machine may be slower than the one that recorded, and nobody waits.
const replayTurn = 10 * time.Second

// Why a trace cannot be replayed.
var (
	// ErrOtherModule reports a trace that goes on from a checkpoint, which means
	// nothing to another module than the one recorded.
	ErrOtherModule = errors.New("the trace begins with a checkpoint, which only the module recorded can load")

	// ErrDoesNotFit reports an instance whose event ring or receive area is smaller
	// than what the trace has for one turn.
	ErrDoesNotFit = errors.New("the events of the trace do not fit the plugin's rings")

	// ErrNoSession reports a trace that has nothing of the session it is to be looked
	// at for.
	ErrNoSession = errors.New("the trace has no event and no command of that session")

	ErrNoCommands = errors.New("the trace has no commands, only their digests: it cannot be looked at for one session")
)

// A Player gives traces to instances of a module and compares what they answer.
type Player struct {
	// Start makes an instance with these options, which have a time for a call. Whoever
	// changes it changes those of start and hooks alike: budgets go by their ratio.
	Start func(o guest.Options) (Instance, error)

	// Digest is the SHA-256 of the module, hexadecimal.
	Digest string

	// Until is the number of the last turn to replay. 0 = all.
	Until uint64

	// Session compares the commands for that session only. 0 = all. Whether the
	// guest traps and which events it consumes is compared all the same.
	Session uint64
}

// A Result says what a replay found.
type Result struct {
	Calls, Events, Commands uint64
	Missing                 uint64      // calls that were not recorded and that a checkpoint stands for
	Difference              *Difference // the first; nil = none
	Incomplete              error       // why the trace was not replayed to its end; nil = it was

	// Granted are the features in force, Recorded those that were: with others a
	// host would have sent other events.
	Granted, Recorded abi.Feature
}

// Replay gives the trace r to an instance, compares call by call, and stops at the
// first difference: that a call fails or does not, its commands but for where their
// payloads lie in memory, which events it consumed, and whether it has more. The trace is read a second time to find the event that a difference
// comes from.
//
// An error means that there is no telling: the trace is damaged, or the instance
// cannot be started or given the events. A trace that is cut off, or has a gap that
// no checkpoint follows, is replayed as far as it goes; the result says so.
func (p *Player) Replay(ctx context.Context, r io.ReadSeeker) (Result, error) {
	run := player{Player: p, ctx: ctx, last: p.Until}
	if err := run.open(r); err != nil {
		return Result{}, err
	}
	defer run.close()
	result, err := run.all()
	if err == nil && p.Session != 0 && !run.met && result.Difference == nil {
		return result, ErrNoSession
	}
	if d := result.Difference; err == nil && d != nil && len(d.events) > 1 {
		p.locate(ctx, r, &result)
	}
	return result, err
}

// A player is one run of a trace.
type player struct {
	*Player
	ctx    context.Context
	r      *Reader
	header *Header
	guest  Instance
	area   []byte
	addr   uint32
	result Result

	last   uint64 // turn number of the last call to make; 0 = no end
	gap    uint64 // calls not recorded since the last checkpoint
	before uint64 // number of a call that is not to be made; 0 = none

	slots   [Slots]*guest.Checkpoint
	loading *image // memory records belong to it
	unpack  *unpacker
	lost    error // behind a gap, and no checkpoint yet
	dead    bool  // the instance trapped, as recorded
	met     bool  // something was of the session asked for
	got     answer
}

func (p *player) open(r io.ReadSeeker) (err error) {
	if _, err = r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if p.r, err = NewReader(r); err != nil {
		return err
	}
	p.header = p.r.Header()
	if p.header.Continuation && p.other() {
		return ErrOtherModule
	}
	if p.Session != 0 && p.header.DigestsOnly {
		return ErrNoCommands
	}
	if p.header.Continuation {
		p.lost = errors.New("the trace begins in the middle and has no checkpoint")
	}
	if p.guest, err = p.Start(p.header.Options(replayTurn)); err != nil {
		return err
	}
	p.area, p.addr = p.guest.Area()
	p.result.Granted, p.result.Recorded = p.guest.Features(), p.header.Granted
	return nil
}

// other says whether the module is not the one recorded.
func (p *player) other() bool { return p.Digest != p.header.Digest }

func (p *player) close() {
	p.guest.Close()
	if p.unpack != nil {
		p.unpack.close()
	}
}

// all runs the trace to its end, to the first difference, or to the call before
// which it is to stop.
func (p *player) all() (Result, error) {
	for p.result.Difference == nil {
		r, err := p.r.Next()
		switch {
		case err == io.EOF:
			p.result.Incomplete = p.lost
			return p.result, nil
		case errors.Is(err, ErrTruncated):
			p.result.Incomplete = errors.Join(err, p.lost)
			return p.result, nil
		case err != nil:
			return p.result, err
		}
		if err := p.settle(r); err != nil {
			return p.result, err
		}
		if call, ok := r.(*Call); ok && p.over(call) {
			return p.result, p.write(call)
		}
		if err := p.step(r); err != nil {
			return p.result, err
		}
	}
	return p.result, nil
}

// settle loads a checkpoint when its last memory record has been read.
func (p *player) settle(next Record) error {
	if _, more := next.(*Memory); p.loading == nil || more {
		return nil
	}
	if p.unpack == nil {
		p.unpack = newUnpacker()
	}
	c, err := p.loading.put(p.unpack)
	p.loading, p.lost, p.dead = nil, nil, false
	p.result.Missing += p.gap
	p.gap = 0
	if err != nil {
		return err
	}
	return p.guest.Load(c)
}

// over says whether a call is behind the end of what is to be replayed.
func (p *player) over(c *Call) bool {
	return p.last != 0 && c.Turn.Turn > p.last || p.before != 0 && p.result.Calls+1 == p.before
}

// step does what a record says.
func (p *player) step(r Record) error {
	switch r := r.(type) {
	case *Checkpoint:
		if p.other() {
			return ErrOtherModule
		}
		if r.Memory > uint64(p.header.Memory) {
			return fmt.Errorf("%w: a checkpoint of %d bytes, the quota was %d", ErrDamaged, r.Memory, p.header.Memory)
		}
		p.loading = &image{Checkpoint: *r}
	case *Memory:
		if p.loading == nil {
			return fmt.Errorf("%w: memory without a checkpoint", ErrDamaged)
		}
		p.loading.add(r)
	case *Gap:
		p.gap += r.Calls
		p.lost = fmt.Errorf("%d calls, turn %d to %d, were not recorded", r.Calls, r.First, r.Last)
	case *Mark:
		return p.mark(r)
	case *Call:
		return p.call(r)
	}
	return p.ctx.Err()
}

func (p *player) mark(m *Mark) error {
	switch {
	case p.lost != nil:
		return nil
	case !m.Load:
		if p.slots[m.Slot] == nil {
			p.slots[m.Slot] = &guest.Checkpoint{}
		}
		return p.guest.Save(p.slots[m.Slot])
	case p.slots[m.Slot] == nil:
		return fmt.Errorf("%w: slot %d is put back, nothing was saved there", ErrDamaged, m.Slot)
	}
	p.dead = false
	return p.guest.Load(p.slots[m.Slot])
}

func (p *player) call(c *Call) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if p.lost != nil {
		return nil
	}
	if p.dead {
		return fmt.Errorf("%w: a call after the instance trapped", ErrDamaged)
	}
	if err := p.write(c); err != nil {
		return err
	}
	p.result.Calls++
	p.result.Events += uint64(len(c.Events) / abi.RecordSize)
	p.got.make(p.guest, c.First, c.N, c.Turn)
	p.result.Commands += uint64(p.got.count)
	p.dead = p.got.trap != 0
	if p.header.Redacted {
		wipeCommands(p.got.commands, p.got.data, p.got.memory)
	}
	p.result.Difference = p.compare(c)
	return nil
}

// write puts the events of a call, if it has any, where they were, or where they
// are for an instance whose area lies elsewhere.
func (p *player) write(c *Call) error {
	if c.N*abi.RecordSize > len(p.guest.Events()) {
		return fmt.Errorf("%w: %d events, its ring has %d", ErrDoesNotFit, c.N, len(p.guest.Events())/abi.RecordSize)
	}
	i := c.First
	for e, payload := range c.AllEvents() {
		p.met = p.met || e.ID == p.Session
		if given(&e, c.Area) == e.Len {
			at := e.Addr - c.Area.Addr
			if uint64(at)+uint64(e.Len) > uint64(len(p.area)) {
				return fmt.Errorf("%w: %d bytes at %d, its receive area has %d", ErrDoesNotFit, e.Len, at, len(p.area))
			}
			copy(p.area[at:], payload)
			e.Addr = p.addr + at
		}
		abi.PutEvent(p.guest.Events()[i*abi.RecordSize:], &e)
		i++
	}
	return nil
}
