package host

import (
	"crypto/tls"
	"net"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes the kernel takes for a peer beyond what is on its
// way. Left alone it takes some 4 MiB for each peer that reads nothing, and no
// queue of ours says no before that.
const unsent = 128 << 10

// boundUnsent sets that for a connection. It is no fault if that cannot be done.
func boundUnsent(nc net.Conn) {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent) })
	}
}
