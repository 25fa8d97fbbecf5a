package lane_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// repeater is a guest that publishes to all its sessions what one of them says, and
// allocates nothing for it.
type repeater struct{ *native }

func (g *repeater) Features() abi.Feature { return abi.FeatureTopics }

func (g *repeater) Turn(first, n int, _ guest.Header) (commands, consumed int, more bool, err error) {
	const topic = "what one of them says"
	name := abi.Command{Addr: uint32(len(g.mem) - nativeOut), Len: uint32(len(topic))}
	copy(g.mem[name.Addr:], topic)
	do := func(c abi.Command) {
		abi.PutCommand(g.Commands()[commands*abi.RecordSize:], &c)
		commands++
	}
	for i := first; i < n; i++ {
		e, _ := abi.ParseEvent(g.mem[i*abi.RecordSize:])
		switch e.Kind {
		case abi.EventConnect:
			do(abi.Command{Kind: abi.CommandSubscribe, ID: e.ID, Addr: name.Addr, Len: name.Len})
		case abi.EventRecv:
			do(abi.Command{Kind: abi.CommandPublish, Flags: e.Flags, Addr: name.Addr, Len: name.Len})
			do(abi.Command{Kind: abi.CommandPiece, Addr: e.Addr, Len: e.Len})
		}
	}
	return commands, n, false, nil
}

// A message that goes to many makes no garbage in the lane.
func TestFanOutAllocates(t *testing.T) {
	const sessions, payload = 10, "hello to all of you"
	l := newPolls(t, func() lane.Guest { return &repeater{newNative(nil)} })
	var peers []int
	for range sessions {
		_, peer := pair(t, l)
		defer unix.Close(peer)
		peers = append(peers, peer)
	}
	frame := []byte(masked(0x82, payload))
	b := make([]byte, 2+len(payload))
	got := testing.AllocsPerRun(200, func() {
		unix.Write(peers[0], frame)
		for _, peer := range peers {
			if n, err := unix.Read(peer, b); err != nil || string(b[2:n]) != payload {
				t.Fatalf("got %q, %v, want %q", b[:max(n, 0)], err, payload)
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations for a message to %d, want 0", got, sessions)
	}
}
