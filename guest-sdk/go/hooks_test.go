package guest_test

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

// hooks is a handler made of functions; a nil one does nothing.
type hooks struct {
	connect func(s guest.Session) error
	recv    func(s guest.Session, flags guest.Flags, data []byte) error
	close   func(s guest.Session, code uint16, reason string)
}

func (h *hooks) Connect(s guest.Session) error {
	if h.connect == nil {
		return nil
	}
	return h.connect(s)
}

func (h *hooks) Recv(s guest.Session, flags guest.Flags, data []byte) error {
	if h.recv == nil {
		return nil
	}
	return h.recv(s, flags, data)
}

func (h *hooks) Close(s guest.Session, code uint16, reason string) {
	if h.close != nil {
		h.close(s, code, reason)
	}
}

// native starts h on a machine with the smallest rings, where everything that
// can be too small is.
func native(t testing.TB, h guest.Handler) *guesttest.Guest {
	t.Helper()
	return guesttest.New(t, guesttest.NewNative(t, h, guesttest.Sizes{Events: 16, Commands: 16, Area: 64 << 10}))
}

// text makes the frames of whole text messages.
func text(messages ...string) []guesttest.Frame {
	var frames []guesttest.Frame
	for _, m := range messages {
		frames = append(frames, guesttest.Frame{Flags: guest.Text, Data: m})
	}
	return frames
}
