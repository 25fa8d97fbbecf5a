package guest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A Checkpoint is all that a guest's next turn depends on, besides its events:
// what the guest is between two turns. It belongs to whoever made it.
type Checkpoint struct {
	// Memory is the guest's, as large as it was. The event ring and the receive
	// area are the host's: their bytes are not saved and mean nothing.
	Memory []byte

	Globals []uint64 // values of the guest's mutable globals, in the order of the module
	Mono    int64    // what its monotonic clock says, nanoseconds; ahead of the host's once it slept
}

// ErrUnsaved reports a guest with state that no checkpoint can hold, for
// instance a table it writes to. No compiler that we know makes such a module.
var ErrUnsaved = errors.New("state of the guest cannot be saved")

// Unsaved lists what instances of this code can change and [Instance.Save]
// cannot save. If there is anything, Save fails.
func (c *Code) Unsaved() []string { return slices.Clone(c.unsaved) }

// Save writes the state of the guest into c, whose buffers it uses again. The
// time it takes is that of copying the memory: 0.1 to 0.3 ms for a guest in Go,
// 5 µs for one in C. It must not be called while the guest runs.
func (i *Instance) Save(c *Checkpoint) error {
	i.own()
	defer i.disown()
	if i.dead {
		return ErrDead
	}
	if len(i.code.unsaved) > 0 {
		return fmt.Errorf("%w: %s", ErrUnsaved, strings.Join(i.code.unsaved, ", "))
	}
	mem := i.memory.bytes()
	if len(c.Memory) != len(mem) {
		c.Memory = slices.Grow(c.Memory[:0], len(mem))[:len(mem)]
	}
	i.copyState(c.Memory, mem)
	c.Globals = c.Globals[:0]
	for _, g := range i.globals {
		c.Globals = append(c.Globals, g.Get())
	}
	c.Mono = i.world.mono
	return nil
}

// Load puts the guest back to where Save found it, or another instance of the
// same version that was started with the same options. It is what brings an
// instance back to life that [Instance.Turn] left dead. The memory does not
// move: slices of it stay good. What the event ring and the receive area hold
// afterwards is undefined.
//
// It takes as long as Save where the guest has trapped by itself. After an
// exit, an overflow of the stack, or when the memory has grown since, the module
// is instantiated anew, which for a guest in Go takes 3 ms.
func (i *Instance) Load(c *Checkpoint) error {
	i.own()
	defer i.disown()
	if i.gone {
		return ErrDead
	}
	if err := i.fits(c); err != nil {
		return fmt.Errorf("load checkpoint: %w", err)
	}
	if i.worn || len(c.Memory) != i.memory.size {
		if err := i.renew(len(c.Memory)); err != nil {
			i.dead, i.worn = true, true
			return fmt.Errorf("load checkpoint: %w", err)
		}
	}
	i.copyState(i.memory.bytes(), c.Memory)
	for n, g := range i.globals {
		g.Set(c.Globals[n])
	}
	i.rearm()
	i.world.mono, i.world.seeded = c.Mono, false
	i.turn = i.module.ExportedFunction(abi.ExportTurn)
	i.dead = false
	return nil
}

// fits looks at a checkpoint that may come from a file.
func (i *Instance) fits(c *Checkpoint) error {
	switch size := len(c.Memory); {
	case size%page != 0 || size > len(i.memory.all) || size < int(i.code.module.Memory.Min)*page:
		return fmt.Errorf("its memory of %d bytes does not fit the module or its quota", size)
	case len(c.Globals) != len(i.globals):
		return fmt.Errorf("it has %d globals, the module %d", len(c.Globals), len(i.globals))
	}
	return nil
}

// copyState copies memory but for what belongs to the host.
func (i *Instance) copyState(to, from []byte) {
	at := 0
	for _, gap := range i.gaps {
		copy(to[at:gap[0]], from[at:gap[0]])
		at = gap[1]
	}
	copy(to[at:], from[at:])
}

// findGaps notes where event ring and receive area are, in order.
func (i *Instance) findGaps() {
	c := &i.control
	i.gaps = [2][2]int{
		{int(c.Events.Addr), int(c.Events.Addr) + int(c.Events.Cap)*abi.RecordSize},
		{int(c.Area.Addr), int(c.Area.Addr) + int(c.Area.Cap)},
	}
	if i.gaps[0][0] > i.gaps[1][0] {
		i.gaps[0], i.gaps[1] = i.gaps[1], i.gaps[0]
	}
}

// renew instantiates the module again in the same memory, which has size bytes
// afterwards. What they are is up to the caller.
func (i *Instance) renew(size int) error {
	defer i.quiet()()
	if err := i.module.Close(context.Background()); err != nil {
		return err
	}
	i.memory.restart(size)
	end := time.Now().Add(i.startTime)
	if err := i.instantiateModule(end); err != nil {
		return err
	}
	if more := size - i.memory.size; more > 0 {
		if _, ok := i.module.Memory().Grow(uint32(more / page)); !ok {
			return fmt.Errorf("%w: memory does not grow to %d bytes again", ErrMemory, size)
		}
	}
	if i.memory.size != size {
		return fmt.Errorf("its memory of %d bytes is less than the module begins with", size)
	}
	i.dead, i.worn = true, false
	return nil
}

// againTimes is how many times as long a call may take that is repeated: it was in
// time once, and a machine that is busier now is no reason to give the guest up.
const againTimes = 10

// Again is [Instance.Turn] for a call that has been before: what the guest
// writes to its standard output and error was logged then and is dropped now, and
// it may take ten times as long.
func (i *Instance) Again(first, n int, h Header) (commands, consumed int, more bool, err error) {
	defer i.quiet()()
	return i.call(first, n, h, againTimes)
}

// quiet drops the guest's output until the function it returns is called.
func (i *Instance) quiet() func() {
	i.world.mute = true
	return func() { i.world.mute = false }
}

// mutable returns an exported global that the rewrite made sure of.
func (i *Instance) mutable(name string) api.MutableGlobal {
	return i.module.ExportedGlobal(name).(api.MutableGlobal)
}
