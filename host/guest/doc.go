// Package guest runs WebAssembly modules that speak the ABI of package abi.
//
// # Life of a module
//
//	Engine  one per host: owns the disk cache of compiled code
//	  Compile   admission, metering, then machine code (0.8 s for a Go guest, 40 ms when cached)
//	Code    one version of a plugin; any number of instances share it
//	  Start     memory, _initialize, yimmo_v1_init, control block checked
//	Instance
//	  Turn      events in, commands out, as often as there are events
//	  Close
//
// An [Engine] and a [Code] are safe for concurrent use. An [Instance] has one
// owner at a time; two goroutines in one instance are a bug of the host, and
// the second one panics.
//
// # Whom it trusts
//
// Nobody who wrote a module. What a file declares is checked by the walker of
// this package against what is there and against the bounds of limits.go, and its
// instructions are read by package meter, before wazero decodes it. Compiling can
// have a process of its own, with limits: see [Process]. After that, whatever a
// guest does ends as an error: a [*TrapError] says that the instance is dead, and it
// answers nothing but [ErrDead], because a trap leaves memory half written, until
// [Instance.Load] puts it back to a checkpoint.
//
// # Memory
//
// An instance reserves the address range of its whole quota and commits pages
// as the guest grows, so its memory never moves: the slices that [Instance]
// hands out stay good until [Instance.Close]. They alias guest memory outside
// the Go heap. Touching one after Close is a fault that no recover catches.
//
// # Time
//
// A module is rewritten before it is compiled (package meter): it counts what it
// does, comes to a safe point every so often and looks whether it is to stop. A
// watchdog sets that flag when a turn has passed its deadline (see deadline.go).
// Recursion ends by a count of nested calls, long before the engine's stack
// does.
//
// # What a guest sees of the world
//
// WASI preview 1, all functions of it, with nothing behind them but two clocks
// and random bytes, all three from the [Header] of the running turn, and two
// streams that become log lines. Files, sockets and arguments answer "bad file
// descriptor" or are empty; the environment has GOMEMLIMIT, from the memory quota.
// A guest that sleeps advances its own clocks and never waits. How much one call may
// ask for is bounded (wasi.go): the meter does not count it.
package guest
