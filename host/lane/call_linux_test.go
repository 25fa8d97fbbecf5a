package lane_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
	"github.com/yimmo-host/yimmo-host/host/poll"
	"github.com/yimmo-host/yimmo-host/internal/leak"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// booth is a lane that polls, with real sockets.
type booth struct {
	*lane.Lane
	t      *testing.T
	l      net.Listener
	guests []*native     // owned by the lane until it is done
	asked  chan struct{} // a token for each connect event
	closed atomic.Int32  // sockets
}

func newBooth(t *testing.T, limits lane.Limits, on func(g *native, e abi.Event, payload []byte)) *booth {
	t.Helper()
	leak.Check(t)
	b := &booth{t: t, asked: make(chan struct{}, 1000)}
	var err error
	if b.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.Lane, err = lane.New(lane.Config{
		Settings: func(int64) []byte { return abi.AppendFields(nil) }, Limits: limits, Poll: true,
		Log: slog.New(slog.DiscardHandler), SocketClosed: func(uint64) { b.closed.Add(1) },
		Start: func() (lane.Guest, error) {
			g := newNative(func(g *native, e abi.Event, payload []byte) {
				on(g, e, payload)
				if e.Kind == abi.EventConnect {
					b.asked <- struct{}{}
				}
			})
			b.guests = append(b.guests, g)
			return &fragile{g}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.end(b.Kill) })
	return b
}

// fragile is a guest that traps where it should go on with what it has to say.
type fragile struct{ *native }

func (g *fragile) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	commands, consumed, more, err = g.native.Turn(first, n, h)
	if more {
		g.trap = errTest
	}
	return commands, consumed, more, err
}

func (b *booth) end(how func()) {
	how()
	<-b.Done()
	b.l.Close()
}

var boothLimits = lane.Limits{
	Frames: frame.Limits{Message: 1 << 20, Frames: 100}, Queue: 1 << 16,
	MessageTime: time.Hour, WriteTime: time.Hour, CloseTime: time.Hour, Answer: time.Hour,
}

// call makes a connection and lets the lane answer it. The answer is one line.
func (b *booth) call(early string) *rawws.Conn {
	b.t.Helper()
	c, err := rawws.Dial(b.l.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	c.Patience = 10 * time.Second
	nc, err := b.l.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	fd, ok, err := poll.Take(nc)
	if !ok || err != nil {
		b.t.Fatal(ok, err)
	}
	answers := 0
	b.ConnectSocket(&lane.Call{Fields: abi.AppendFields(nil), FD: fd, Early: []byte(early), Answer: func(dst []byte, d lane.Decision) []byte {
		if answers++; answers > 1 {
			b.t.Error("Answer was called again")
		}
		switch {
		case errors.Is(d.Err, lane.ErrDown):
			return append(dst, "503\n"...)
		case errors.Is(d.Err, context.DeadlineExceeded):
			return append(dst, "504\n"...)
		case d.Session == 0:
			return fmt.Appendf(dst, "%d %s\n", d.Status, d.Body)
		}
		return append(dst, "101\n"...)
	}})
	return c
}

func masked(flags byte, payload string) string {
	return string(rawws.AppendFrame(nil, rawws.Frame{Flags: flags, Payload: payload}))
}

var bye = masked(0x88, rawws.ClosePayload(1000, ""))

// What becomes of calls: all that the peer sees until the connection ends, and
// the close event that the plugin hears, if any.
func TestCall(t *testing.T) {
	hold := func(g *native, e abi.Event, _ []byte) {
		if e.Kind == abi.EventConnect {
			g.say(abi.Command{Kind: abi.CommandHold, ID: e.ID}, "")
		}
	}
	say := func(g *native, c abi.Command) {
		if c.Kind == abi.CommandSend || c.Kind == abi.CommandClose {
			g.say(c, "hi")
		} else {
			g.say(c, "")
		}
	}
	// onConnect answers a connect event with commands.
	onConnect := func(commands ...abi.Command) func(g *native, e abi.Event, payload []byte) {
		return func(g *native, e abi.Event, payload []byte) {
			echo(g, e, payload)
			if e.Kind == abi.EventConnect {
				for _, c := range commands {
					c.ID = e.ID
					say(g, c)
				}
			}
		}
	}
	accept := abi.Command{Kind: abi.CommandAccept}
	hi := abi.Command{Kind: abi.CommandSend, Flags: 0x81}
	leave := func(b *booth, c *rawws.Conn) { c.Write([]byte(bye)) }
	answered := func(b *booth, c *rawws.Conn) { <-b.asked }

	tests := []struct {
		name   string
		on     func(g *native, e abi.Event, payload []byte)
		limits func(l *lane.Limits)
		early  string
		act    func(b *booth, c *rawws.Conn)
		want   string
		code   uint16 // of the close event; 0: there is none
		flags  uint8
	}{
		{"accepted by silence", echo, nil, "", leave, "101\n\x88\x02\x03\xe8", 1000, abi.WhoPeer | abi.FlagClean},
		{"greeted", onConnect(hi), nil, "", leave, "101\n\x81\x02hi\x88\x02\x03\xe8", 1000, abi.WhoPeer | abi.FlagClean},
		{"closed at once", onConnect(hi, abi.Command{Kind: abi.CommandClose, Code: 4000}), nil, "",
			func(b *booth, c *rawws.Conn) { c.Write([]byte(masked(0x88, rawws.ClosePayload(4000, "")))) },
			"101\n\x81\x02hi\x88\x04\x0f\xa0hi", 4000, abi.WhoGuest | abi.FlagClean},
		{"refused", onConnect(abi.Command{Kind: abi.CommandRefuse, Code: 403}), nil, "", answered, "403 \n", 0, 0},
		{"decision that is not valid", onConnect(abi.Command{Kind: abi.CommandAccept, Code: 1}), nil, "", answered,
			"500 the plugin's answer was not valid\n\n", 0, 0},
		{"early frames", echo, nil, masked(0x81, "one") + masked(0x81, "two") + bye, answered,
			"101\n\x81\x03one\x81\x03two\x88\x02\x03\xe8", 1000, abi.WhoPeer | abi.FlagClean},
		{"half an early frame", echo, nil, masked(0x81, "halves")[:7],
			func(b *booth, c *rawws.Conn) { <-b.asked; c.Write([]byte(masked(0x81, "halves")[7:] + bye)) },
			"101\n\x81\x06halves\x88\x02\x03\xe8", 1000, abi.WhoPeer | abi.FlagClean},
		{"early frame that is broken", echo, nil, "\xff\xff", answered, "101\n\x88", 1002, abi.WhoHost},
		{"peer half-closed before", echo, nil, "", func(b *booth, c *rawws.Conn) { c.CloseWrite() }, "101\n", 1006, abi.WhoPeer},

		{"held, peer leaves", hold, nil, "", func(b *booth, c *rawws.Conn) { <-b.asked; c.CloseWrite() }, "", 1006, abi.WhoPeer},
		{"held, peer leaves after a frame", hold, nil, "", func(b *booth, c *rawws.Conn) {
			<-b.asked
			c.Write([]byte(masked(0x81, "anybody?")))
			c.CloseWrite()
		}, "", 1006, abi.WhoPeer},
		{"held too long", hold, func(l *lane.Limits) { l.Answer = time.Millisecond }, "", answered, "504\n", 1006, abi.WhoHost},
		{"held, the lane drains", hold, nil, "", func(b *booth, c *rawws.Conn) { <-b.asked; b.Drain(0) }, "503\n", 1001, abi.WhoHost},
		{"the lane has stopped", echo, nil, "", nil, "503\n", 0, 0},

		{"trap instead of a decision", func(g *native, e abi.Event, _ []byte) {
			if e.Kind == abi.EventConnect {
				g.trap = errTest
			}
		}, nil, "", answered, "503\n", 0, 0},
		{"trap while held", func(g *native, e abi.Event, payload []byte) {
			if len(g.heard) > 2 && e.Kind == abi.EventConnect {
				g.trap = errTest
			}
			hold(g, e, payload)
		}, nil, "", func(b *booth, c *rawws.Conn) { <-b.asked; d := b.call(""); <-b.asked; d.Close() }, "503\n", 0, 0},
		{"accepted, then a trap in the same turn", func(g *native, e abi.Event, _ []byte) {
			if e.Kind == abi.EventConnect {
				g.limit = 2
				for _, c := range []abi.Command{accept, hi, hi} {
					c.ID = e.ID
					say(g, c)
				}
			}
		}, nil, "", answered, "101\n\x81\x02hi\x88", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			limits := boothLimits
			if tt.limits != nil {
				tt.limits(&limits)
			}
			b := newBooth(t, limits, tt.on)
			if tt.act == nil {
				b.Drain(0)
				<-b.Done()
			}
			c := b.call(tt.early)
			if tt.act != nil {
				tt.act(b, c)
			}
			c.SetReadDeadline(time.Now().Add(c.Patience))
			got, err := io.ReadAll(c.TCPConn)
			if tt.want == "" && errors.Is(err, syscall.ECONNRESET) {
				err = nil // what it sent was not read
			}
			if n := len(tt.want); err != nil || n == 0 && len(got) > 0 || len(got) < n || string(got[:n]) != tt.want ||
				len(got) > n && tt.want[n-1] != 0x88 {
				t.Errorf("peer: got %q, %v, want %q", got, err, tt.want)
			}
			c.Close()
			b.end(func() { b.Drain(0) })
			var closes []abi.Event
			for _, e := range b.guests[0].heard {
				if e.Kind == abi.EventClose {
					closes = append(closes, e)
				}
			}
			switch {
			case tt.code == 0 && len(closes) == 0:
			case tt.code != 0 && len(closes) == 1 && closes[0].Code == tt.code && closes[0].Flags == tt.flags && closes[0].Seq > 0:
			default:
				t.Errorf("close events: got %+v, want one with code %d, flags %#x, or none for code 0", closes, tt.code, tt.flags)
			}
		})
	}
}

// The answer and what the plugin has said by then come in one piece.
func TestCallOneSegment(t *testing.T) {
	b := newBooth(t, boothLimits, func(g *native, e abi.Event, _ []byte) {
		if e.Kind == abi.EventConnect {
			g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: e.ID}, "hi")
		}
	})
	c := b.call("")
	var all [100]byte
	c.SetReadDeadline(time.Now().Add(c.Patience))
	n, err := c.TCPConn.Read(all[:])
	if got := string(all[:n]); err != nil || got != "101\n\x81\x02hi" {
		t.Errorf("first read: got %q, %v, want the answer and the greeting", got, err)
	}
}

// Held sessions are decided later, in any order; each socket is given back once.
func TestCallHeld(t *testing.T) {
	var held []uint64
	b := newBooth(t, boothLimits, func(g *native, e abi.Event, payload []byte) {
		switch {
		case e.Kind == abi.EventConnect && len(held) < 10:
			held = append(held, e.ID)
			g.say(abi.Command{Kind: abi.CommandHold, ID: e.ID}, "")
		case e.Kind == abi.EventConnect: // the eleventh decides about all
			for i, id := range held {
				if i%2 == 0 {
					g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: id}, fmt.Sprint("hi ", i))
				} else {
					g.say(abi.Command{Kind: abi.CommandRefuse, Code: 409, ID: id}, "")
				}
			}
		default:
			echo(g, e, payload)
		}
	})
	var conns []*rawws.Conn
	for range 10 {
		c := b.call("")
		c.Write([]byte(masked(0x81, "meanwhile"))) // waits in the socket
		<-b.asked
		conns = append(conns, c)
	}
	last := b.call("")
	for i, c := range conns {
		c.Write([]byte(bye))
		want := "409 \n"
		if i%2 == 0 {
			want = fmt.Sprintf("101\n\x81\x04hi %d\x81\x09meanwhile\x88\x02\x03\xe8", i)
		}
		c.SetReadDeadline(time.Now().Add(c.Patience))
		if got, err := io.ReadAll(c.TCPConn); string(got) != want || err != nil {
			t.Errorf("peer %d: got %q, %v, want %q", i, got, err, want)
		}
		c.Close()
	}
	last.Close()
	b.end(func() { b.Drain(0) })
	if n := b.closed.Load(); n != 11 {
		t.Errorf("SocketClosed: got %d calls, want 11", n)
	}
}

// A killed lane leaves no descriptor, whatever its calls are at.
func TestCallKilled(t *testing.T) {
	b := newBooth(t, boothLimits, func(g *native, e abi.Event, _ []byte) {
		if e.Kind == abi.EventConnect && len(g.heard)%3 == 0 {
			g.say(abi.Command{Kind: abi.CommandHold, ID: e.ID}, "")
		} else if e.Kind == abi.EventConnect && len(g.heard)%3 == 1 {
			g.say(abi.Command{Kind: abi.CommandRefuse, ID: e.ID, Code: 403}, "")
		}
	})
	for range 30 {
		b.call("")
	}
	b.end(b.Kill)
	if n := b.closed.Load(); n != 30 {
		t.Errorf("SocketClosed: got %d calls, want 30", n)
	}
}
