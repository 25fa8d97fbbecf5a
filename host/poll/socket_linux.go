package poll

import (
	"fmt"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Again says that a call would have had to wait.
const Again = unix.EAGAIN

// Recv reads what is there into p. 0 and no error is the end of the stream.
func Recv(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
	return count(n, errno)
}

// Send writes as much of p as the socket takes.
func Send(fd int, p []byte) (int, syscall.Errno) { return send(fd, p, 0) }

// SendMore is Send for what [HalfClose] or [Close] follows at once: it may leave
// together with the end of the stream.
func SendMore(fd int, p []byte) (int, syscall.Errno) { return send(fd, p, unix.MSG_MORE) }

func send(fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT|flags, 0, 0)
	return count(n, errno)
}

func count(n uintptr, errno syscall.Errno) (int, syscall.Errno) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// HalfClose says to the peer that nothing more will come.
func HalfClose(fd int) {
	syscall.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
}

// Close closes a socket; it leaves the sets it is in.
func Close(fd int) { syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// Abort closes a socket and has the kernel drop what it still holds for the peer,
// which it would otherwise go on offering for minutes.
func Abort(fd int) {
	linger := unix.Linger{Onoff: 1}
	syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER,
		uintptr(unsafe.Pointer(&linger)), unsafe.Sizeof(linger), 0)
	Close(fd)
}

// Take takes the descriptor out of a connection, which is closed but for that,
// and out of Go's netpoller. It reports false for anything but plain TCP; the
// connection is untouched then.
func Take(nc net.Conn) (fd int, ok bool, err error) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return -1, false, nil
	}
	fd, err = duplicate(tcp)
	if err != nil {
		return -1, true, err
	}
	tcp.Close() // of the original: the duplicate keeps the connection
	return fd, true, nil
}

// duplicate is a further descriptor for the same socket.
func duplicate(s syscall.Conn) (fd int, err error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("take descriptor: %w", err)
	}
	var dup uintptr
	var errno syscall.Errno
	err = raw.Control(func(s uintptr) {
		dup, _, errno = syscall.RawSyscall(unix.SYS_FCNTL, s, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil && errno != 0 {
		err = errno
	}
	if err != nil {
		return -1, fmt.Errorf("take descriptor: %w", err)
	}
	return int(dup), nil
}
