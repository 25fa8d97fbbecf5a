package host

import "net"

// ServeAlso serves a further listener until h is shut down.
func (h *Host) ServeAlso(l net.Listener) { h.server.Serve(l) }
