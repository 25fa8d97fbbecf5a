package meter

import "errors"

// Why a module is not rewritten. The error says where in the file, and in which
// function if it is in one, counted as the module counts, imports first.
var (
	// ErrMalformed reports bytes that are no WebAssembly module.
	ErrMalformed = errors.New("malformed module")

	// ErrUnsupported reports a feature beyond WebAssembly 2.0 and tail calls:
	// threads, exceptions, several memories and so on.
	ErrUnsupported = errors.New("unsupported feature")

	// ErrLimit reports a module with more of something than [Options] allow.
	ErrLimit = errors.New("module is over a limit")

	// ErrReserved reports an export whose name begins with [Reserved].
	ErrReserved = errors.New("reserved export name")

	// ErrOptions reports options out of bounds: a mistake of the host.
	ErrOptions = errors.New("meter option out of bounds")
)
