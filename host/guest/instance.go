package guest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/meter"
)

// What a zero field of [Options] means.
const (
	DefaultMemory    = 64 << 20
	DefaultTurnTime  = 100 * time.Millisecond
	DefaultStartTime = 2 * time.Second
	DefaultHookTime  = 2 * time.Second
)

// MaxMemory is the largest memory quota: with one page more, sizes no longer
// fit 32 bits.
const MaxMemory = maxPages * page

// Options are what an instance is started with. A zero field means the default.
type Options struct {
	// Rings is the capacity proposed for the event and the command ring, in
	// records; the guest may choose another. Default [abi.DefaultRing].
	Rings int

	// Area is the capacity proposed for the receive area, in bytes; the guest
	// may choose another. Default [abi.DefaultArea].
	Area int

	// MemoryMax is the most memory the guest may have, in bytes, rounded down to
	// 64 KiB. Growth beyond it is refused: memory.grow answers -1. Default
	// [DefaultMemory], at most [MaxMemory].
	MemoryMax int64

	// Offered are the features that this host has for the guest. Default none.
	Offered abi.Feature

	// TurnTime is the longest one call of [Instance.Turn] may run. Default
	// [DefaultTurnTime].
	TurnTime time.Duration

	// StartTime is the longest that Start and the first Turn may run together;
	// the first Turn has at least TurnTime. Default [DefaultStartTime].
	StartTime time.Duration

	// HookTime is the longest one call of Turn may run whose first event is stop,
	// state_export or state_import; it has at least TurnTime. Default
	// [DefaultHookTime].
	HookTime time.Duration

	// Units is how much one call of Turn may do, in units of the meter, about one
	// for an instruction; starting and hooks may do [BudgetTimes] as much. With the same events and the same headers a guest ends at the
	// same instruction, which TurnTime cannot promise. Default 0: no budget.
	Units int64

	// Trapped hears of each [*TrapError] of this instance, on the goroutine that
	// runs the guest, before anyone else. May be nil.
	Trapped func(*TrapError)

	// Boot is what clocks and random bytes say until the first turn. The zero
	// Header is 1970 and always the same bytes: a Go guest then hashes its maps
	// with a key that anyone can know.
	Boot Header

	// Log takes the lines that the guest writes to standard output ([abi.LevelInfo])
	// and standard error ([abi.LevelWarn]): at most [abi.MaxLog] bytes each, valid
	// UTF-8, on the goroutine that runs the guest, whose time it uses. Default: the
	// output is dropped.
	Log func(level abi.Level, text string)
}

func (o Options) withDefaults() (Options, error) {
	fill(&o.Rings, abi.DefaultRing)
	fill(&o.Area, abi.DefaultArea)
	fill(&o.MemoryMax, DefaultMemory)
	fill(&o.TurnTime, DefaultTurnTime)
	fill(&o.StartTime, DefaultStartTime)
	fill(&o.HookTime, DefaultHookTime)
	switch {
	case o.Rings < abi.MinRing || o.Rings > abi.MaxRing:
		return o, fmt.Errorf("%w: Rings %d, allowed %d to %d", ErrOptions, o.Rings, abi.MinRing, abi.MaxRing)
	case o.Area < abi.MinArea || o.Area > abi.MaxArea:
		return o, fmt.Errorf("%w: Area %d, allowed %d to %d", ErrOptions, o.Area, abi.MinArea, abi.MaxArea)
	case o.MemoryMax < page || o.MemoryMax > MaxMemory:
		return o, fmt.Errorf("%w: MemoryMax %d, allowed %d to %d", ErrOptions, o.MemoryMax, page, int64(MaxMemory))
	case o.TurnTime < 0 || o.StartTime < 0 || o.HookTime < 0 || o.Units < 0:
		return o, fmt.Errorf("%w: negative TurnTime, StartTime, HookTime or Units", ErrOptions)
	}
	return o, nil
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// An Instance is one running copy of a plugin. It has one owner at a time: its
// methods are not safe for concurrent use.
//
// The slices it hands out alias guest memory and are good until Close. Between
// turns the guest does not run, so they are the owner's alone.
type Instance struct {
	// Set by Start, never changed.
	code                *Code
	memory              *memory
	world               *world
	context             context.Context // of all its calls: that of its world
	dog                 *watchdog
	module              api.Module
	control             abi.Control
	block               []byte // the control block in guest memory
	header              [guestHeader]byte
	events              []byte
	commands            []byte
	area                []byte
	turnTime, startTime time.Duration
	hookTime            time.Duration
	units               int64 // of a turn; 0 = no budget
	trapped             func(*TrapError)

	gaps    [2][2]int           // event ring and receive area: offsets of first byte and end
	globals []api.MutableGlobal // the guest's own
	meter   meterGlobals

	turn  api.Function
	stack [3]uint64     // parameters and result of a call, reused
	spare time.Duration // of StartTime, for the first turn
	begun bool          // the first turn has been
	dead  bool
	worn  bool        // dead, and the module has to be instantiated anew
	gone  bool        // closed
	busy  atomic.Bool // a goroutine is inside; see own
}

// Start makes an instance: it instantiates the module, calls _initialize if
// there is one, then yimmo_v1_init with the proposed capacities, checks the
// control block and writes the granted features into it. The start event is the
// caller's to send.
//
// A guest that fails on the way gives a [*TrapError], one that returns zero
// [ErrRefused], one that begins with more memory than its quota [ErrMemory], and
// a control block that is not right one of the errors of [abi.Control.Check].
// It blocks for at most StartTime; ctx is looked at before that only.
func (c *Code) Start(ctx context.Context, o Options) (*Instance, error) {
	i, err := c.start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	return i, nil
}

func (c *Code) start(ctx context.Context, o Options) (_ *Instance, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	if err := c.hold(); err != nil {
		return nil, err
	}
	i := &Instance{code: c, dog: newWatchdog(), world: newWorld(o.Boot, o.Log), turnTime: o.TurnTime, startTime: o.StartTime,
		hookTime: o.HookTime, units: o.Units, trapped: o.Trapped}
	i.context = context.WithValue(context.Background(), worldKey{}, i.world)
	defer func() {
		if err != nil {
			err = errors.Join(err, i.Close())
		}
	}()
	if i.memory, err = c.newMemory(o.MemoryMax); err != nil {
		return nil, err
	}
	end := time.Now().Add(o.StartTime)
	if err := i.instantiate(end); err != nil {
		return nil, err
	}
	if err := i.init(end, o); err != nil {
		return nil, err
	}
	i.turn = i.module.ExportedFunction(abi.ExportTurn)
	i.spare = time.Until(end)
	return i, nil
}

// newMemory reserves the quota, or less when the module declares less.
func (c *Code) newMemory(quota int64) (*memory, error) {
	least, most := int64(c.module.Memory.Min)*page, quota/page*page
	if least > most {
		return nil, fmt.Errorf("%w: the plugin begins with %d bytes, it may have %d: raise its memory", ErrMemory, least, most)
	}
	if c.module.Memory.HasMax {
		most = min(most, int64(c.module.Memory.Max)*page)
	}
	return newMemory(system, int(least), int(most))
}

func (i *Instance) instantiate(end time.Time) error {
	if err := i.instantiateModule(end); err != nil {
		return err
	}
	if err := i.startUp(instantiation, meter.ExportStart, end); err != nil {
		return err
	}
	return i.startUp(abi.ExportInitialize, abi.ExportInitialize, end)
}

// instantiation is what a [TrapError] calls the start of a module that is no
// export of its own, its start function included.
const instantiation = "instantiate"

// startUp calls an export that takes and returns nothing, if there is one.
func (i *Instance) startUp(call, export string, end time.Time) error {
	f := i.module.ExportedFunction(export)
	if f == nil {
		return nil
	}
	return i.guarded(call, time.Until(end), func(ctx context.Context) error {
		return f.CallWithStack(ctx, nil)
	})
}

// instantiateModule makes the module, of which nothing runs.
func (i *Instance) instantiateModule(end time.Time) error {
	return i.guarded(instantiation, time.Until(end), func(ctx context.Context) (err error) {
		ctx = experimental.WithMemoryAllocator(ctx, i.memory)
		i.module, err = i.code.machine.runtime.InstantiateModule(ctx, i.code.machine.compiled, i.world.config().WithEnv(memoryLimit, i.heapLimit()))
		if err == nil {
			i.connectGlobals()
		}
		return err
	})
}

// memoryLimit is the one variable in a guest's environment. Go's runtime collects
// garbage sooner, the nearer its memory comes to it; without it a heap of a third
// of the quota grows beyond that.
const memoryLimit = "GOMEMLIMIT"

// heapLimit is what the guest's memory may grow by beyond what it began with, less
// an eighth: the limit is not a hard one. It depends on the quota and the module
// alone, so that an instance sees the same whenever its events are repeated.
func (i *Instance) heapLimit() string {
	room := len(i.memory.all) - int(i.code.module.Memory.Min)*page
	return strconv.Itoa(room - room/8)
}

// meterGlobals are those of the meter that the host sets, see package meter.
type meterGlobals struct {
	meter.Globals
	fullSlice, fullDepth uint64
}

// connectGlobals finds the globals of a module that has just been instantiated
// and lets the watchdog stop it.
func (i *Instance) connectGlobals() {
	i.globals = i.globals[:0]
	for _, name := range i.code.globals {
		i.globals = append(i.globals, i.mutable(name))
	}
	found, err := meter.Find(func(name string) meter.Global { return i.mutable(name) })
	if err != nil {
		panic(err) // the rewrite made sure of them
	}
	m := meterGlobals{Globals: found, fullSlice: uint64(i.code.slice), fullDepth: found.Depth.Get()}
	i.meter = m
	i.rearm()
	i.dog.stops(func(flag uint32) { m.Stop.Set(uint64(flag)) })
}

// rearm makes the meter ready for the next call, whatever ended the last one.
func (i *Instance) rearm() {
	i.meter.Budget.Set(math.MaxInt64)
	i.meter.Depth.Set(i.meter.fullDepth)
	i.meter.Reason.Set(uint64(meter.ReasonNone))
}

// BudgetTimes is how many times the budget of a turn a call has that may take limit
// where a turn may take that long: as many, rounded up.
func BudgetTimes(limit, turn time.Duration) int {
	return int(max(1, min((limit+turn-1)/max(turn, 1), math.MaxUint16)))
}

// arm gives the next call its budget, if there are any.
func (i *Instance) arm(limit time.Duration) {
	if i.units == 0 || i.meter.Budget == nil {
		return
	}
	units := uint64(min(float64(i.units)*float64(BudgetTimes(limit, i.turnTime)), math.MaxInt64/2))
	slice := min(units, i.meter.fullSlice)
	i.meter.Slice.Set(slice)
	i.meter.Budget.Set(units - slice)
}

// init calls the guest's init and takes over the control block.
func (i *Instance) init(end time.Time, o Options) error {
	f := i.module.ExportedFunction(abi.ExportInit)
	i.stack = [3]uint64{uint64(o.Rings), uint64(o.Rings), uint64(o.Area)}
	err := i.guarded(abi.ExportInit, time.Until(end), func(ctx context.Context) error {
		return f.CallWithStack(ctx, i.stack[:])
	})
	if err != nil {
		return err
	}
	addr, mem := uint32(i.stack[0]), i.memory.bytes()
	if addr == 0 {
		return ErrRefused
	}
	if uint64(addr) > uint64(len(mem)) {
		return abi.ErrShort
	}
	if i.control, err = abi.ParseControl(mem[addr:]); err != nil {
		return err
	}
	if err := i.control.Check(addr, uint64(len(mem)), o.Offered); err != nil {
		return err
	}
	i.control.Granted = (i.control.Needs | i.control.Wants) & o.Offered
	i.block = mem[addr:][:abi.ControlSize:abi.ControlSize]
	binary.LittleEndian.PutUint32(i.block[abi.OffsetGranted:], uint32(i.control.Granted))
	copy(i.header[:], i.block)
	i.events = span(mem, i.control.Events, abi.RecordSize)
	i.commands = span(mem, i.control.Commands, abi.RecordSize)
	i.area = span(mem, i.control.Area, 1)
	i.findGaps()
	return nil
}

func span(mem []byte, s abi.Span, unit uint64) []byte {
	end := uint64(s.Addr) + uint64(s.Cap)*unit
	return mem[s.Addr:end:end]
}

// Events is the event ring: capacity times [abi.RecordSize] bytes. Its place
// never changes. The host writes it between turns.
func (i *Instance) Events() []byte { return i.events }

// Commands is the command ring. Its place never changes. A turn leaves its
// commands at the front.
func (i *Instance) Commands() []byte { return i.commands }

// Area is the receive area and its address in guest memory. Its place never changes.
func (i *Instance) Area() ([]byte, uint32) { return i.area, i.control.Area.Addr }

// Memory is all of the guest's memory as large as it is now; only a turn makes
// it larger, and it never moves. Addresses in commands are indices into it.
func (i *Instance) Memory() []byte { return i.memory.bytes() }

// Features are the features in force.
func (i *Instance) Features() abi.Feature { return i.control.Granted }

// Control is the control block as it was after init, with the granted features.
func (i *Instance) Control() abi.Control { return i.control }

// own panics when another goroutine is inside: the caller is a bug of the host,
// and going on would corrupt the guest without a trace.
func (i *Instance) own() {
	if !i.busy.CompareAndSwap(false, true) {
		panic("guest: two goroutines in one instance")
	}
}

func (i *Instance) disown() { i.busy.Store(false) }

// Close ends the instance and gives its memory back. Nothing may touch the
// slices it handed out any more: that is a fault that ends the process. Close
// may be called again; it does not call the guest.
func (i *Instance) Close() error {
	i.own()
	defer i.disown()
	if i.gone {
		return nil
	}
	i.gone, i.dead = true, true
	i.dog.close()
	var errs []error
	if i.module != nil {
		errs = append(errs, i.module.Close(context.Background()))
	}
	i.module, i.turn = nil, nil
	i.block, i.events, i.commands, i.area = nil, nil, nil, nil
	if i.memory != nil {
		errs = append(errs, i.memory.release())
	}
	return errors.Join(append(errs, i.code.drop())...)
}
