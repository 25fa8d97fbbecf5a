package poll

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Errors of [Accept] that pass by when somebody closes a descriptor.
const (
	TooMany       = unix.EMFILE // of this process
	TooManyOnHost = unix.ENFILE
)

// Silence makes a TCP listener refuse connections until [Listener] is called with
// it. Its address stays taken; a port that the kernel chose would not.
func Silence(l *net.TCPListener) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return fmt.Errorf("silence listener: %w", err)
	}
	var failed error
	if err := raw.Control(func(s uintptr) { failed = unix.Shutdown(int(s), unix.SHUT_RD) }); err != nil {
		failed = err
	}
	if failed != nil {
		return fmt.Errorf("silence listener: %w", failed)
	}
	return nil
}

// Listener returns a descriptor of its own for a TCP listener. It goes on
// listening when l is closed, which takes l out of Go's netpoller; both together
// would wake each other up.
//
// Connections accepted from it have what Go gives to connections: no delay of
// small writes, and keep-alive probes. Linux hands both down, so that it takes no
// system call for each. It keeps a connection to itself until the peer has sent
// something, though no longer than a second or two: most can be read at once then.
func Listener(l *net.TCPListener) (fd int, err error) {
	if fd, err = duplicate(l); err != nil {
		return -1, err
	}
	if err = handDown(fd); err == nil {
		err = unix.Listen(fd, 1<<16-1) // as many as the system allows
	}
	if err != nil {
		Close(fd)
		return -1, fmt.Errorf("listen: %w", err)
	}
	return fd, nil
}

// handDown sets the options that accepted connections take over.
func handDown(fd int) error {
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1), // seconds
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15), // seconds, as in package net
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9),
	)
}

// Accept takes the next connection from a listener that does not block, with
// the address of its peer. The new descriptor does not block either.
func Accept(listener int) (fd int, peer netip.AddrPort, errno syscall.Errno) {
	var sa unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(sa))
	n, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener),
		uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)),
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if errno != 0 {
		return -1, netip.AddrPort{}, errno
	}
	return int(n), addrPort(&sa), 0
}

func addrPort(sa *unix.RawSockaddrAny) netip.AddrPort {
	switch sa.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), bigEndian(in.Port))
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
		addr := netip.AddrFrom16(in.Addr).Unmap()
		if in.Scope_id != 0 {
			addr = addr.WithZone(zone(int(in.Scope_id)))
		}
		return netip.AddrPortFrom(addr, bigEndian(in.Port))
	}
	return netip.AddrPort{}
}

// bigEndian reads a port, which has the network's order in memory.
func bigEndian(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}

func zone(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}
