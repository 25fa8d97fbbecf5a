package meter

import "fmt"

// Reserved begins the names of the exports that a rewrite adds. A module that
// uses it itself is refused.
const Reserved = "yimmo_meter_"

// ExportStart names the start function of a module that had one. It no longer
// runs by itself: the host calls it first of all, metered like the rest.
const ExportStart = Reserved + "start"

// exportGlobal begins the names of the guest's own mutable globals.
const exportGlobal = Reserved + "global_"

// A Reason says why the meter trapped. It is in the global [ExportReason].
type Reason uint32

// Reasons.
const (
	ReasonNone   Reason = iota // it did not: the guest trapped by itself, or not at all
	ReasonBudget               // the budget is used up
	ReasonStop                 // the host set [ExportStop]
	ReasonDepth                // calls are nested too deep
)

var reasonNames = [...]string{"none", "budget", "stop", "depth"}

// String returns one word, for logs and metrics.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason %d", uint32(r))
}

// Options bound what a guest does. A zero field means the default named in its
// comment, never "unlimited".
type Options struct {
	// Slice is how many units run between two safe points, at which the guest
	// leaves native code so that Go can stop the world, and looks at
	// [ExportStop]. Default 100 000: 10 to 50 µs, of which leaving takes 0.04.
	// From 1000 to 2^30.
	Slice int32

	// MaxDepth is how many calls may be nested. A function that is large or has
	// many locals counts as several. Default 50 000: up to 5 MB of stack with
	// real guests, 26 MB with the worst. From 1 to 2^17.
	MaxDepth int32

	// MaxTable is how many entries all tables together may grow to; table.grow
	// fails beyond. Tables that can grow have equal shares of what those that
	// begin with entries leave; a table that begins larger stays as it is.
	// Default 100 000. From 1 to 2^27.
	MaxTable int32

	// MaxNesting is how many blocks may be open at a time in one function.
	// Default 10 000. From 1 to 2^20.
	MaxNesting int32

	// MaxLabels is how many labels one br_table may have besides the default.
	// Default 30 000. From 1 to 2^20.
	MaxLabels int32
}

func (o Options) withDefaults() (Options, error) {
	set := func(v *int32, def, least, most int32) bool {
		if *v == 0 {
			*v = def
		}
		return *v >= least && *v <= most
	}
	switch {
	case !set(&o.Slice, 100_000, 1000, 1<<30):
		return o, fmt.Errorf("%w: Slice %d, from 1000 to 2^30", ErrOptions, o.Slice)
	case !set(&o.MaxDepth, 50_000, 1, 1<<17):
		return o, fmt.Errorf("%w: MaxDepth %d, from 1 to 2^17", ErrOptions, o.MaxDepth)
	case !set(&o.MaxTable, 100_000, 1, 1<<27):
		return o, fmt.Errorf("%w: MaxTable %d, from 1 to 2^27", ErrOptions, o.MaxTable)
	case !set(&o.MaxNesting, 10_000, 1, 1<<20):
		return o, fmt.Errorf("%w: MaxNesting %d, from 1 to 2^20", ErrOptions, o.MaxNesting)
	case !set(&o.MaxLabels, 30_000, 1, 1<<20):
		return o, fmt.Errorf("%w: MaxLabels %d, from 1 to 2^20", ErrOptions, o.MaxLabels)
	}
	return o, nil
}

// A Result is a rewritten module and what there is to know about it.
type Result struct {
	Wasm      []byte  // shares nothing with the input
	Options   Options // as they were, with the defaults filled in
	Loops     int     // loop headers, each with a check
	Functions int     // of the module itself, without imports

	// Globals are the export names of the guest's mutable globals of type i32,
	// i64, f32 and f64, by which the host can save and restore them.
	Globals []string

	// Unsaved lists what the guest can change besides its memory and Globals,
	// so that a checkpoint of those is not all of its state: tables that it
	// writes, globals of other types, imported globals, segments it drops.
	// Empty for what compilers make today.
	Unsaved []string
}

// Rewrite returns wasm with a meter in it. Time and memory are linear in its
// length: 20 ms and 5 MB for a Go guest of 3.3 MB.
//
// It does not validate wasm: an invalid module may come out as a rewritten
// invalid module, which wazero refuses. But it never makes a valid module out
// of one that is not. Errors wrap [ErrMalformed], [ErrUnsupported], [ErrLimit],
// [ErrReserved] or [ErrOptions].
func Rewrite(wasm []byte, opt Options) (*Result, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := parse(wasm)
	if err != nil {
		return nil, err
	}
	m.opt = &opt
	w := newWriter(m, opt)
	if err := w.bodies(); err != nil {
		return nil, err
	}
	return &Result{
		Wasm:      w.module(),
		Options:   opt,
		Loops:     w.loops,
		Functions: len(m.code),
		Globals:   w.names,
		Unsaved:   m.hidden,
	}, nil
}
