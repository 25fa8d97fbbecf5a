package lane_test

import (
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/bench"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/lane"
	"github.com/yimmo-host/yimmo-host/internal/leak"
)

// newPolls starts a lane that reads sockets. It is killed when t ends.
func newPolls(t *testing.T, start func() lane.Guest) *lane.Lane {
	t.Helper()
	return newPollsWith(t, start, func(*lane.Config) {})
}

// newPollsWith is newPolls for a configuration that change has had a say in.
func newPollsWith(t *testing.T, start func() lane.Guest, change func(*lane.Config)) *lane.Lane {
	t.Helper()
	leak.Check(t)
	c := lane.Config{
		Settings: func(int64) []byte { return abi.AppendFields(nil) }, Limits: boothLimits, Poll: true,
		Log: slog.New(slog.DiscardHandler), Start: func() (lane.Guest, error) { return start(), nil },
	}
	change(&c)
	l, err := lane.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Kill(); <-l.Done() })
	return l
}

// pair makes a session whose peer is a socket of this process, to be closed.
func pair(t *testing.T, l *lane.Lane) (session uint64, peer int) {
	t.Helper()
	return pairOf(t, l, abi.AppendFields(nil), nil)
}

// pairOf is pair for a session of which that much is known, and agreed.
func pairOf(t *testing.T, l *lane.Lane, fields []byte, agreed *deflate.Params) (session uint64, peer int) {
	t.Helper()
	d, err := l.Connect(t.Context(), fields, agreed)
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fds[0], true)
	}
	if err != nil {
		t.Fatal(err)
	}
	timeout := unix.NsecToTimeval(int64(10 * time.Second))
	unix.SetsockoptTimeval(fds[1], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout)
	l.AttachSocket(d.Session, fds[0], nil)
	return d.Session, fds[1]
}

// ask sends a frame and reads its echo.
func ask(t *testing.T, peer int, payload string) {
	t.Helper()
	if _, err := unix.Write(peer, []byte(masked(0x82, payload))); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2+len(payload))
	if n, err := unix.Read(peer, b); err != nil || string(b[2:n]) != payload {
		t.Fatalf("got %q, %v, want the echo of %q", b[:max(n, 0)], err, payload)
	}
}

// A session that has said something and is silent now costs its record, its
// link, and nothing else. The budget has room for neither a buffer nor a timer.
func TestIdleSessionMemory(t *testing.T) {
	const sessions, budget = 512, 200
	l := newPolls(t, bench.Echo)
	peers := make([]int, 0, 2*sessions)
	defer func() {
		for _, fd := range peers {
			unix.Close(fd)
		}
	}()
	round := func() {
		for range sessions {
			_, peer := pair(t, l)
			ask(t, peer, "hello")
			peers = append(peers, peer)
		}
	}
	live := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	round() // with what a lane needs but once
	before := live()
	round()
	got := (live() - before) / sessions
	t.Logf("%d bytes", got)
	if got > budget {
		t.Errorf("an idle session holds %d bytes, want at most %d", got, budget)
	}
}

// What a peer has sent is not looked for in the memory of an instance that has
// failed meanwhile: a frame of a plain message on a session with compression.
func TestFrameDoesNotOutlastInstance(t *testing.T) {
	var guests []*native
	l := newPollsWith(t, func() lane.Guest {
		guests = append(guests, newNative(echo))
		return &mortal{guests[len(guests)-1]}
	}, func(c *lane.Config) { c.Revive = true; packs(c) })
	_, peer := pairOf(t, l, abi.AppendFields(nil), agreed)
	defer unix.Close(peer)
	frames := masked(0x01, "x")
	for range ringSize/abi.RecordSize - 1 { // so that the next one needs a turn
		frames += masked(0x00, "x")
	}
	if _, err := unix.Write(peer, []byte(frames+masked(0x80, "last"))); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 64<<10); ; { // to the end, whatever there is
		if n, err := unix.Read(peer, b); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			break
		}
	}
	l.Kill()
	<-l.Done()
	if len(guests) != 2 {
		t.Fatalf("got %d instances, want 2", len(guests))
	}
	if got := guests[1].kinds(); !slices.Equal(got, []abi.EventKind{abi.EventStart, abi.EventConnect, abi.EventClose, abi.EventStop}) {
		t.Errorf("the second instance heard %v %q, want no frame", got, guests[1].payloads)
	}
}

// A peer that sends without end gets its share of each turn, not more: another
// does not wait for it.
func TestShareOfTurn(t *testing.T) {
	const share = 64 << 10 // what one read takes at most
	held, goOn := make(chan struct{}), make(chan struct{})
	var g *native
	l := newPolls(t, func() lane.Guest {
		g = newNative(func(_ *native, e abi.Event, payload []byte) {
			switch string(payload) {
			case "hello":
				echo(g, e, payload)
			case "hold":
				close(held)
				<-goOn
			}
		})
		return g
	})
	_, first := pair(t, l)
	busy, hog := pair(t, l)
	modest, other := pair(t, l)
	ask(t, other, "hello") // all of them are in the set
	if err := unix.SetsockoptInt(hog, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20); err != nil {
		t.Fatal(err)
	}
	unix.Write(first, []byte(masked(0x81, "hold")))
	<-held
	flood := strings.Repeat(masked(0x82, strings.Repeat("x", 1000)), 190)
	if n, err := unix.Write(hog, []byte(flood)); n != len(flood) || err != nil {
		t.Fatalf("flood: wrote %d of %d bytes, %v", n, len(flood), err)
	}
	unix.Write(other, []byte(masked(0x81, "my turn?")+bye))
	close(goOn)
	for b := make([]byte, 10); ; {
		if n, err := unix.Read(other, b); n <= 0 || err != nil || b[0] == 0x88 {
			break
		}
	}
	l.Drain(0)
	for _, fd := range []int{first, hog, other} {
		unix.Write(fd, []byte(bye))
		unix.Close(fd)
	}
	<-l.Done()
	flooded, before := 0, -1
	for _, e := range g.heard {
		switch {
		case e.Kind != abi.EventRecv:
		case e.ID == busy:
			flooded += int(e.Len)
		case e.ID == modest:
			before = flooded
		}
	}
	if before < 0 || before > share {
		t.Errorf("heard after %d bytes of the busy session, want at most %d", before, share)
	}
}
