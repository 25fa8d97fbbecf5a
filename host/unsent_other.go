//go:build !linux

package host

import "net"

// boundUnsent has nothing to set here: what the kernel takes for a peer is the
// system's setting.
func boundUnsent(net.Conn) {}
