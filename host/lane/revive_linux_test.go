package lane_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// failing is a lane of polled sockets whose first instance fails at "trap".
type failing struct {
	*lane.Lane
	guests []*native
	peers  []int
	busy   func(meanwhile func()) // has all that is written meanwhile come in one go
}

func newFailing(t *testing.T, sessions, known int) *failing {
	t.Helper()
	f := &failing{}
	held, goOn := make(chan struct{}), make(chan struct{})
	trap := trapAt(new(func() { close(held); <-goOn }))
	f.Lane = newPollsWith(t, func() lane.Guest {
		g := newNative(func(g *native, e abi.Event, payload []byte) { trap(g, e, payload); echo(g, e, payload) })
		f.guests = append(f.guests, g)
		return g
	}, func(c *lane.Config) { c.Revive = true })
	fields := abi.AppendField(abi.AppendFields(nil), 0, abi.FieldPath, strings.Repeat("p", known))
	for range sessions {
		_, peer := pairOf(t, f.Lane, fields, nil)
		ask(t, peer, "hello") // it is in the set
		f.peers = append(f.peers, peer)
		t.Cleanup(func() { unix.Close(peer) })
	}
	f.busy = func(meanwhile func()) {
		unix.Write(f.peers[0], []byte(masked(0x82, "wait")))
		<-held
		meanwhile()
		close(goOn)
	}
	return f
}

// A turn that was to make room for what a socket has may leave a fresh instance
// with all that it has to be told of the sessions: the socket is read all the same.
func TestReadAfterRevival(t *testing.T) {
	f := newFailing(t, 8, 9290) // seven of them leave less than a frame
	f.busy(func() {
		unix.Write(f.peers[1], []byte(masked(0x82, "trap"+strings.Repeat("x", 60000))))
		unix.Write(f.peers[2], []byte(masked(0x82, "hello")))
	})
	b := make([]byte, 100)
	if n, err := unix.Read(f.peers[2], b); err != nil || string(b[:n]) != "\x82\x05hello" {
		t.Errorf("read: got %q, %v, want the echo of hello", b[:max(n, 0)], err)
	}
}
