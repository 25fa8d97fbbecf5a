// Package native is the door through which package guesttest reaches a handler
// that runs as ordinary Go: package guest sets New, guesttest calls it.
package native

// A Machine is a plugin in ordinary Go memory. Slices are views, valid until the
// next Turn. Not safe for concurrent use.
type Machine interface {
	Control() []byte // the control block, which the caller reads and writes
	Events() []byte
	Commands() []byte
	Area() (mem []byte, addr uint32)
	Memory() []byte
	Turn(first, n int) (commands int, err error)
}

// New makes a machine for a guest.Handler with rings of that many records and an
// area of that many bytes.
var New func(handler any, events, commands, area int) (Machine, error)
