// Package meter rewrites a WebAssembly module so that its host can bound what
// it does and can save where it got to. The guest needs nothing for that: no
// import, no recompilation, no cooperation.
//
// # What a rewritten module has more
//
//   - It counts what it does in units, about one for an instruction. A charge
//     stands at each loop header, at the start of each function and wherever
//     code would go unpaid (scan.go). What takes longer has a weight of its
//     own, and bulk operations pay by their length.
//   - Units come off a slice. When that is used up, the guest takes another one
//     off its budget, leaves native code for a moment (memory.grow 0, the one
//     way out that needs no import), and looks whether the host wants it to
//     stop. Go cannot preempt native code: without that moment a busy guest
//     holds up the next garbage collection, and with it the whole process.
//   - Behind each call that may go to the host it looks, too, for what the host
//     does there may take longer than thousands of slices.
//   - It counts how deep calls are nested, in functions that call others.
//   - memory.fill and memory.copy of more than 1 MiB run in pieces, with a safe
//     point after each.
//   - Tables have a maximum.
//   - A start function does not run by itself but is exported ([ExportStart]):
//     nobody can set a budget or stop what runs while a module is instantiated.
//   - Its mutable globals are exported, so that the host can save and restore
//     them.
//
// All of that stands behind the guest's own functions, globals and types. No
// index changes, so the name section and with it stack traces stay true, and no
// guest can name what was added: the rewrite refuses a module whose indices
// reach that far. Debug sections go, since their offsets are others now.
//
// # What the host does
//
// [Controls] does all of it: before each call into the guest, set the slice and
// the budget; after a trap, read [ExportReason] and set it and the depth back.
// To stop a guest, a watchdog sets [ExportStop]; it traps within a slice. The
// instance is not closed by any of this. But a trap leaves memory as it was at
// that moment: restore a checkpoint, or drop the instance.
//
// With the same module, options, memory, globals, arguments and budget, a guest
// traps at the same instruction every time. A stop is as exact as a clock is.
//
// # What it does not do
//
// It does not validate: wazero does that with the rewritten module, which is
// valid only if the original was. It does not bound what compiling takes. What
// imports do is up to the host, which gets them called for 64 units whatever
// they are asked for. The depth is an estimate of the stack that errs on the
// safe side for all but code made to defeat it, which ends as wazero's own
// stack overflow. A memory that has grown does not shrink when a checkpoint is
// restored, and the guest can see that.
package meter
