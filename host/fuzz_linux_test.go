package host_test

import (
	"errors"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yimmo-host/yimmo-host/host"
)

func init() {
	fuzzDials[host.TransportPoll] = func(_ *testing.F, h *host.Host) dial {
		return func(first []byte) (net.Conn, error) {
			ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return nil, err
			}
			near := os.NewFile(uintptr(ends[0]), "peer")
			defer near.Close() // of the original
			nc, err := net.FileConn(near)
			if err != nil {
				unix.Close(ends[1])
				return nil, err
			}
			if !h.TakeSocket(ends[1], first) {
				nc.Close()
				return nil, errors.New("the host does not take the handshake")
			}
			return nc, nil
		}
	}
}
