package meter

import (
	"fmt"
	"math"
)

// Names of the mutable globals that a rewrite adds and exports. See the package
// comment for what the host does with them.
const (
	ExportSlice  = Reserved + "slice"  // i32: units left until the next safe point
	ExportBudget = Reserved + "budget" // i64: units left beyond the slice
	ExportStop   = Reserved + "stop"   // i32: not 0 = trap at the next safe point
	ExportDepth  = Reserved + "depth"  // i32: frames left
	ExportReason = Reserved + "reason" // i32: a [Reason], set before the meter traps
)

// Places of these globals behind the guest's own.
const (
	globalSlice = iota
	globalBudget
	globalStop
	globalDepth
	globalReason
)

// globals are the same in that order: all that is known of them.
var globals = [...]struct {
	name  string
	typ   byte
	start func(o *Options) int64 // what they begin with
}{
	globalSlice:  {ExportSlice, typeI32, func(o *Options) int64 { return int64(o.Slice) }},
	globalBudget: {ExportBudget, typeI64, func(*Options) int64 { return math.MaxInt64 }},
	globalStop:   {ExportStop, typeI32, nothing},
	globalDepth:  {ExportDepth, typeI32, func(o *Options) int64 { return int64(o.MaxDepth) }},
	globalReason: {ExportReason, typeI32, nothing},
}

func nothing(*Options) int64 { return 0 }

// global is the index of the global at that place.
func (w *writer) global(place int) uint32 { return uint32(len(w.m.globals) + place) }

// definitions writes all of them as elements of a global section.
func definitions(c code, o *Options) code {
	for _, g := range globals {
		if c = c.op(g.typ, 1); g.typ == typeI64 {
			c = c.i64(g.start(o))
		} else {
			c = c.i32(int32(g.start(o)))
		}
		c = c.op(opEnd)
	}
	return c
}

// A Global is what the host needs of a global: wazero's api.MutableGlobal.
type Global interface {
	Get() uint64
	Set(uint64)
}

// Globals are those of one instance of a rewritten module.
type Globals struct{ Slice, Budget, Stop, Depth, Reason Global }

// Find finds the globals of an instance. global returns an exported mutable
// global by name, or nil.
func Find(global func(name string) Global) (Globals, error) {
	var all Globals
	for place, to := range [...]*Global{
		globalSlice: &all.Slice, globalBudget: &all.Budget, globalStop: &all.Stop, globalDepth: &all.Depth, globalReason: &all.Reason,
	} {
		name := globals[place].name
		if *to = global(name); *to == nil {
			return all, fmt.Errorf("no mutable global %s: module was not rewritten", name)
		}
	}
	return all, nil
}
