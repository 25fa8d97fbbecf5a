package guest

import (
	"errors"
	"fmt"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/meter"
)

// Why a module is not admitted. The errors of [Engine.Compile] and [Inspect]
// wrap one of them, or wazero's own when it rejects what admission let pass.
var (
	ErrNotWASM   = errors.New("not a WebAssembly module")
	ErrMalformed = meter.ErrMalformed
	ErrLimit     = meter.ErrLimit // of limits.go, or of [CompileLimits]
	ErrNoMemory  = errors.New(`module does not export a memory named "` + abi.ExportMemory + `"`)
	ErrNoExport  = errors.New("module lacks an export")
	ErrSignature = errors.New("wrong signature")
	ErrImport    = errors.New("import is not granted")

	// ErrVersion reports a guest of another major version, whether its export
	// names or its control block say so.
	ErrVersion = abi.ErrMajor
)

// Why an instance does not start, besides a [*TrapError] and what
// [abi.Control.Check] finds.
var (
	ErrMemory  = errors.New("memory quota")               // it begins with more than its quota, or the system has none left
	ErrRefused = errors.New("plugin refuses to start")    // its init returned zero
	ErrClosed  = errors.New("engine or code is closed")   // [Engine.Close], [Code.Close]
	ErrDead    = errors.New("instance is dead or closed") // [Instance.Turn] after a trap or Close
	ErrOptions = errors.New("start option out of bounds") // a host's mistake
)

// A Kind says what ended an instance.
type Kind uint8

// Kinds.
const (
	KindTrap     Kind = iota + 1 // a wasm trap: unreachable, out of bounds, division by zero ...
	KindDeadline                 // it ran longer than it may
	KindOverflow                 // its call stack did
	KindExit                     // it called proc_exit
	KindMistake                  // it returned, and broke the rules of the ABI
	KindMemory                   // it trapped or exited after its quota refused it memory
	KindBudget                   // it did more than it may
	Kinds                        // how many there are, and the zero
)

var kindNames = [...]string{
	KindTrap: "trap", KindDeadline: "deadline", KindOverflow: "overflow",
	KindExit: "exit", KindMistake: "mistake", KindMemory: "memory", KindBudget: "budget",
}

// String returns one word, for logs and metrics.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// A TrapError reports that a guest failed inside a call. Nothing of that call
// happened, and the instance is dead.
type TrapError struct {
	Kind     Kind
	Call     string // the export that was running, or "instantiate"
	Function string // in which the guest was, "" if it had returned; a name of its own choice
	Err      error  // what the runtime said, with the guest's stack when it has one
}

func (e *TrapError) Error() string {
	if e.Function == "" {
		return fmt.Sprintf("%s: %s: %v", e.Call, e.Kind, e.Err)
	}
	return fmt.Sprintf("%s: %s in %s: %v", e.Call, e.Kind, e.Function, e.Err)
}

func (e *TrapError) Unwrap() error { return e.Err }

// An UndoneError reports a call that failed and has been undone: nothing of it
// happened, and the instance, its ring and its receive area are as they were
// before it. One that asked for more, without which earlier ones are not complete,
// is undone together with them.
type UndoneError struct {
	Err  error // why it failed; a [*TrapError]
	Back int   // events before its first that earlier calls took in and the instance has not heard of now
	More bool  // the instance has more to say, as it had before the call
}

func (e *UndoneError) Error() string { return "undone: " + e.Err.Error() }

func (e *UndoneError) Unwrap() error { return e.Err }
