package host

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/yimmo-host/yimmo-host/host/poll"
)

// listen takes the addresses that the host listens on and loads the certificate.
// Nothing is accepted yet. When it fails nothing stays open.
func (h *Host) listen(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			h.unlisten()
		}
	}()
	if h.cfg.TLS != (TLS{}) {
		if h.cert, err = newCertificate(h.cfg.TLS, h.log); err != nil {
			return err
		}
	}
	var lc net.ListenConfig
	if h.opens() {
		lc.SetMultipathTCP(false) // such a listener hands unsent down to nobody
	}
	if h.listener, err = lc.Listen(ctx, "tcp", h.cfg.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if _, port, _ := net.SplitHostPort(h.cfg.Listen); h.opens() && port != "" && port != "0" {
		if err = poll.Silence(h.listener.(*net.TCPListener)); err != nil {
			return err
		}
	}
	if h.cfg.Admin.Listen != "" {
		if h.admin, err = h.listenAdmin(ctx); err != nil {
			return err
		}
	}
	return nil
}

// opens says whether there is to be a [door].
func (h *Host) opens() bool { return h.polls() && h.cert == nil }

// unlisten undoes listen.
func (h *Host) unlisten() {
	if h.listener != nil {
		h.listener.Close()
	}
	h.cert.close()
	h.admin.close()
}

// public is the public listener as it is served.
func (h *Host) public() net.Listener {
	switch {
	case h.door != nil:
		return h.door.open()
	case h.cert == nil:
		return noting{h.listener.(*net.TCPListener)}
	}
	return tls.NewListener(h.listener, h.cert.config())
}

// Reload reads the certificate's files again, as SIGHUP asks for. On an error
// everything stays as it is. Safe for concurrent use.
func (h *Host) Reload() error {
	if h.cert == nil {
		return nil
	}
	return h.cert.reload()
}
