// Package poll waits for many sockets on one goroutine and moves their bytes
// with single non-blocking system calls. It is Linux only; elsewhere [New]
// fails with [ErrUnsupported] and the caller uses another transport.
//
// The epoll set is itself parked in Go's netpoller, so that a waiting goroutine
// holds no thread and never delays a garbage collection. The calls on sockets do
// not tell the Go scheduler that they are system calls: they take microseconds
// and never block, and the runtime must not take the processor away meanwhile.
//
// A Set belongs to one goroutine, except for [Set.Wake].
package poll

import "errors"

// ErrUnsupported reports an operating system without this transport.
var ErrUnsupported = errors.New("polling sockets is not supported on this operating system")

// An Event says that something can be done with a socket.
type Event struct {
	ID       uint64 // as given to [Set.Add]
	Readable bool   // data, the end of it, or an error to be read
	Writable bool
}
