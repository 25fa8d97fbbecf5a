package guest

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// What one call of a WASI function may be asked for. The meter does not count what
// the host does, and nothing stops it there: beyond this a call is refused, with
// errnoInval. A guest that calls again and again is stopped between two calls.
const (
	// Bytes of one random_get: a millisecond. Runtimes ask for what their program
	// wants, keys and seeds.
	maxRandom = 1 << 20

	// Buffers of one fd_write or fd_read, as POSIX has it at least (IOV_MAX).
	// Runtimes use one or two.
	maxBuffers = 1024

	// Subscriptions of one poll_oneoff. Runtimes use one or two.
	maxSubscriptions = 1024
)

// Error numbers of preview 1.
const (
	errnoBadf   = 8
	errnoFault  = 21
	errnoInval  = 28
	errnoNotsup = 58
)

// worldKey is what the world of the guest that runs is called in its context.
type worldKey struct{}

// wasi instantiates preview 1. Most of it is wazero's. Our own are the functions
// whose work is as much as the guest asks for, and fd_close, for it would change
// something outside of the guest's memory, where no checkpoint has it: a guest
// that could close its output would go on otherwise when it is put back.
func wasi(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(b)
	own := map[string]wasiFunction{"random_get": randomGet, "fd_write": fdWrite, "fd_read": fdRead, "poll_oneoff": pollOneoff}
	for name := range wasiFunctions {
		if hasNothing(name) {
			own[name] = func(*world, api.Memory, []uint64) uint64 { return errnoBadf }
		}
	}
	for name, f := range own {
		params := make([]api.ValueType, strings.Count(wasiFunctions[name], "i")-1)
		for i, typ := range strings.Split(wasiFunctions[name], ",") {
			params[i] = api.ValueTypeI32
			if strings.HasPrefix(strings.Trim(typ, "( "), "i64") {
				params[i] = api.ValueTypeI64
			}
		}
		b.NewFunctionBuilder().WithGoModuleFunction(f, params, []api.ValueType{api.ValueTypeI32}).Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// hasNothing says whether a function works on what no guest has: a file, a
// directory or a socket.
func hasNothing(name string) bool {
	switch name {
	case "fd_close", "fd_pread", "fd_pwrite", "fd_readdir", "fd_renumber":
		return true
	}
	return strings.HasPrefix(name, "path_") || strings.HasPrefix(name, "sock_")
}

// A wasiFunction returns an error number, 0 for none.
type wasiFunction func(w *world, mem api.Memory, params []uint64) uint64

// Call is [api.GoModuleFunction].
func (f wasiFunction) Call(ctx context.Context, mod api.Module, stack []uint64) {
	w, _ := ctx.Value(worldKey{}).(*world)
	stack[0] = f(w, mod.Memory(), stack)
}

func randomGet(w *world, mem api.Memory, params []uint64) uint64 {
	p, ok := mem.Read(uint32(params[0]), uint32(params[1]))
	switch {
	case !ok:
		return errnoFault
	case len(p) > maxRandom:
		return errnoInval
	}
	w.Read(p)
	return 0
}

// fdWrite writes to standard output and error.
func fdWrite(w *world, mem api.Memory, params []uint64) uint64 {
	to := &w.out
	switch uint32(params[0]) {
	case 1:
	case 2:
		to = &w.err
	default:
		return errnoBadf
	}
	buffers, errno := array(mem, params[1], params[2], 8, maxBuffers)
	if errno != 0 {
		return errno
	}
	written := uint32(0)
	for ; len(buffers) > 0; buffers = buffers[8:] {
		p, ok := mem.Read(binary.LittleEndian.Uint32(buffers), binary.LittleEndian.Uint32(buffers[4:]))
		if !ok {
			return errnoFault
		}
		if to.log != nil {
			to.Write(p)
		}
		written += uint32(len(p))
	}
	return result(mem, params[3], written)
}

// fdRead reads from standard input, which is at its end.
func fdRead(_ *world, mem api.Memory, params []uint64) uint64 {
	if uint32(params[0]) != 0 {
		return errnoBadf
	}
	if _, errno := array(mem, params[1], params[2], 8, maxBuffers); errno != 0 {
		return errno
	}
	return result(mem, params[3], 0)
}

// A subscription of poll_oneoff and the event that answers it.
const (
	subscriptionSize = 48
	pollEventSize    = 32

	pollClock = 0
	pollRead  = 1
	pollWrite = 2
)

// pollOneoff sleeps until the earliest of some clocks. Every subscription has an
// event at once: the guest's own clock is all that moves.
func pollOneoff(w *world, mem api.Memory, params []uint64) uint64 {
	in, errno := array(mem, params[0], params[2], subscriptionSize, maxSubscriptions)
	if errno != 0 {
		return errno
	}
	n := len(in) / subscriptionSize
	out, ok := mem.Read(uint32(params[1]), uint32(n*pollEventSize))
	if !ok {
		return errnoFault
	}
	if n == 0 {
		return errnoInval
	}
	le := binary.LittleEndian
	sleep, sleeps := uint64(0), false
	var events []byte // apart, for the guest may have them overlap
	for ; len(in) > 0; in = in[subscriptionSize:] {
		kind, errno := in[8], uint16(0)
		switch fd := le.Uint32(in[16:]); {
		case kind == pollClock && le.Uint16(in[40:]) != 0:
			return errnoNotsup // an absolute time
		case kind == pollClock:
			if after := le.Uint64(in[24:]); !sleeps || after < sleep {
				sleep, sleeps = after, true
			}
		case kind > pollWrite:
			return errnoInval
		case fd > 2:
			errno = errnoBadf
		case kind == pollWrite:
			errno = errnoNotsup
		}
		var e [pollEventSize]byte
		copy(e[:8], in)
		le.PutUint16(e[8:], errno)
		e[10] = kind
		events = append(events, e[:]...)
	}
	copy(out, events)
	w.sleep(int64(min(sleep, 1<<63-1)))
	return result(mem, params[3], uint32(n))
}

// array is n records in guest memory of size bytes each, at most most of them.
func array(mem api.Memory, addr, n uint64, size, most uint32) (records []byte, errno uint64) {
	if uint32(n) > most {
		return nil, errnoInval
	}
	records, ok := mem.Read(uint32(addr), uint32(n)*size)
	if !ok {
		return nil, errnoFault
	}
	return records, 0
}

// result gives the guest a number.
func result(mem api.Memory, addr uint64, n uint32) (errno uint64) {
	if !mem.WriteUint32Le(uint32(addr), n) {
		return errnoFault
	}
	return 0
}
