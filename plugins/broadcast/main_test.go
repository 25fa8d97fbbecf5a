package main

import (
	"slices"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/plugins/plugintest"
)

func newBroadcast() guest.Handler { return broadcast{} }

// Everybody else hears a message as it was sent; who has left hears no more.
func TestBroadcast(t *testing.T) {
	plugintest.Run(t, newBroadcast, func(t *testing.T, g *guesttest.Guest) {
		speaker, listener, left := g.Connect(guesttest.Request{}), g.Connect(guesttest.Request{}), g.Connect(guesttest.Request{})
		left.Close(1000, "")
		left.Sent()
		speaker.RecvText("hear")
		speaker.Recv(guest.Binary, []byte{0, 1})
		want := []guesttest.Frame{{Flags: guest.Text, Data: "hear"}, {Flags: guest.Binary, Data: "\x00\x01"}}
		if got := listener.Sent(); !slices.Equal(got, want) {
			t.Errorf("the listener got %v, want %v", got, want)
		}
		for name, s := range map[string]*guesttest.Session{"the speaker": speaker, "who left": left} {
			if got := s.Sent(); len(got) > 0 {
				t.Errorf("%s got %v, want nothing", name, got)
			}
		}
		if r := g.Refusals(); r != nil {
			t.Errorf("refused: %v", r)
		}
	})
}
