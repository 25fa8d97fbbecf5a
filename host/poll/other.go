//go:build !linux

package poll

import (
	"net"
	"syscall"
)

// Supported says whether [New] can succeed.
const Supported = false

// Again says that a call would have had to wait.
const Again = syscall.EAGAIN

// Set is a set of sockets; there is none on this operating system.
type Set struct{}

// New fails with [ErrUnsupported].
func New(int) (*Set, error) { return nil, ErrUnsupported }

func (*Set) Close() error                         { return ErrUnsupported }
func (*Set) Wake()                                {}
func (*Set) Poll() []Event                        { return nil }
func (*Set) Wait() []Event                        { return nil }
func (*Set) Add(int, uint64) error                { return ErrUnsupported }
func (*Set) AddQuiet(int, uint64) error           { return ErrUnsupported }
func (*Set) Change(int, uint64, bool, bool) error { return ErrUnsupported }
func Recv(int, []byte) (int, syscall.Errno)       { return 0, syscall.ENOSYS }
func Send(int, []byte) (int, syscall.Errno)       { return 0, syscall.ENOSYS }
func SendMore(int, []byte) (int, syscall.Errno)   { return 0, syscall.ENOSYS }
func HalfClose(int)                               {}
func Close(int)                                   {}
func Abort(int)                                   {}
func Silence(*net.TCPListener) error              { return ErrUnsupported }
func Take(net.Conn) (fd int, ok bool, err error)  { return -1, false, nil }
