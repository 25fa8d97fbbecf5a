package host_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// The limits of a message are those of the configuration.
func TestMessageLimits(t *testing.T) { eachTransport(t, testMessageLimits) }

func testMessageLimits(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Message: 1000, Frames: 4}, wat(t, "witness"))
	w := s.watch(t)
	tests := []struct {
		name string
		send []rawws.Frame
		more string // bytes of a header behind the frames
		code uint16 // 0: all come back
	}{
		{"largest", []rawws.Frame{{Flags: 0x82, Payload: strings.Repeat("x", 1000)}}, "", 0},
		{"largest in fragments", []rawws.Frame{{Flags: 0x02, Payload: strings.Repeat("x", 999)}, {Flags: 0x80, Payload: "x"}}, "", 0},
		{"a byte more, before it is there", nil, "\x82\xfe\x03\xe9", 1009},
		{"a byte more in a fragment", []rawws.Frame{{Flags: 0x02, Payload: strings.Repeat("x", 1000)}}, "\x80\x81", 1009},
		{"most frames", []rawws.Frame{{Flags: 0x01}, {}, {}, {Flags: 0x80}}, "", 0},
		{"a frame more", []rawws.Frame{{Flags: 0x01}, {}, {}, {}}, "\x80", 1008},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.open(t, "/witness")
			id := w.next(abi.EventConnect).ID
			var wire []byte
			for _, f := range tt.send {
				wire = rawws.AppendFrame(wire, f)
			}
			p.write(append(wire, tt.more...))
			p.want(tt.send...)
			if tt.code == 0 {
				p.alive()
				p.leave()
				w.closeOf(id)
				return
			}
			p.wantClose(tt.code)
			p.wantEOF()
			if e := w.closeOf(id); e.Code != tt.code || e.Flags != abi.WhoHost {
				t.Errorf("got %v, want code %d by the host", e, tt.code)
			}
		})
	}
}

// A message that trickles is cut short when its time has passed, whatever else
// the peer sends meanwhile.
func TestMessageTime(t *testing.T) {
	waits(t)
	for _, e := range echoes {
		t.Run(e.language, func(t *testing.T) {
			eachWaits(t, func(t *testing.T, on transport) { testMessageTime(t, on, e.echo) })
		})
	}
}

func testMessageTime(t *testing.T, on transport, echo echoPlugin) {
	s := on.serve(t, host.Limits{MessageTime: time.Second, ControlRate: 1 << 20}, echo(t, ""))
	tests := []struct {
		name  string
		begin string
		feed  func(p *peer) error // again and again, until the host has enough
	}{
		{"silent inside a message", "\x01\x80\x00\x00\x00\x00", nil},
		{"silent inside a frame", "\x82\x85\x00\x00\x00\x00a", nil},
		{"silent inside a header", "\x82", nil},
		{"silent inside a ping", "\x89\x85\x00\x00", nil},
		{"pings do not help", "\x01\x80\x00\x00\x00\x00", func(p *peer) error { return p.Send(0x89, "p") }},
		{"pongs do not help", "\x01\x80\x00\x00\x00\x00", func(p *peer) error { return p.Send(0x8a, "") }},
		{"fragments do not help", "\x02\x80\x00\x00\x00\x00", func(p *peer) error { return p.Send(0x00, "x") }},
		{"bytes do not help", "\x82\xfe\x04\x00\x00\x00\x00\x00", func(p *peer) error { _, err := p.Write([]byte("x")); return err }},
	}
	var all sync.WaitGroup // at the same time, for each takes a while
	for _, tt := range tests {
		p := s.open(t, "/echo")
		all.Go(func() {
			if err := p.trickleUntilClosed(tt.begin, tt.feed); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
	busy, quiet := s.open(t, "/echo"), s.open(t, "/echo")
	all.Go(func() { // each message has its own time
		for late := time.Now().Add(2 * time.Second); time.Now().Before(late); {
			for _, f := range []rawws.Frame{{Flags: 0x01, Payload: "a"}, {Flags: 0x80, Payload: "b"}} {
				if got, err := busy.exchange(f); err != nil || got != f {
					t.Errorf("message after message: got %v, %v, want %v", got, err, f)
					return
				}
			}
		}
	})
	all.Go(func() { // silence between messages is no message
		quiet.exchange(rawws.Frame{Flags: 0x81})
		quiet.Patience = 2 * time.Second
		if f, err := quiet.ReadFrame(); err == nil || !err.(net.Error).Timeout() {
			t.Errorf("silence: got %v, %v, want silence", f, err)
		}
	})
	all.Wait()
}

// trickleUntilClosed sends begin and then feeds the host until that has enough,
// which must be with 1008.
func (p *peer) trickleUntilClosed(begin string, feed func(p *peer) error) error {
	if _, err := p.Write([]byte(begin)); err != nil {
		return err
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	defer func() { close(stop); <-stopped }()
	go func() {
		defer close(stopped)
		drips := time.NewTicker(2 * time.Millisecond)
		defer drips.Stop()
		for feed != nil {
			select {
			case <-stop:
				return
			case <-drips.C:
			}
			if feed(p) != nil {
				return
			}
		}
	}()
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return err
		}
		if code, ok := closeCode(f); ok {
			if code != 1008 {
				return fmt.Errorf("got %v, want close 1008", f)
			}
			return nil
		}
	}
}

// exchange sends a frame and returns the next one.
func (p *peer) exchange(f rawws.Frame) (rawws.Frame, error) {
	if err := p.Send(f.Flags, f.Payload); err != nil {
		return rawws.Frame{}, err
	}
	return p.ReadFrame()
}

// A session whose peer does not read is closed when too much waits for it. Other
// sessions of the same instance go on.
func TestQueueFull(t *testing.T) { eachTransport(t, testQueueFull) }

func testQueueFull(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Queue: 1 << 20, WriteTime: 2 * time.Second}, wat(t, "floods"))
	const asked = 64 // for 256 KiB each, more than the kernel keeps
	var ask []byte
	for range asked {
		ask = rawws.AppendFrame(ask, rawws.Frame{Flags: 0x81})
	}
	other := s.open(t, "/floods")
	use := func() {
		other.text("")
		for range 4 {
			if f := other.frame(); f.Flags != 0x82 || len(f.Payload) != 64<<10 {
				t.Fatalf("got %v, want 64 KiB", f)
			}
		}
	}
	t.Run("reads too late", func(t *testing.T) {
		p := s.open(t, "/floods")
		p.write(ask)
		s.log.wait(t, "session closed: its peer does not read")
		use()
		frames := 0
		for f := p.frame(); f.Flags != 0x88; f = p.frame() {
			if f.Flags != 0x82 || len(f.Payload) != 64<<10 {
				t.Fatalf("got %v, want 64 KiB", f)
			}
			if frames++; frames == 4*asked {
				t.Fatal("got everything, want a close before the end")
			}
		}
		p.close(1008)
		p.wantEOF()
		p.Close()
	})
	t.Run("never reads", func(t *testing.T) {
		p := s.open(t, "/floods")
		p.SetReadBuffer(4 << 10)
		p.write(ask)
		use()
		p.Close() // TestPeerTakesNothing is about being cut
		use()
	})
	other.leave()
}

// More sessions than the limit get 503; those that end make room.
func TestSessions(t *testing.T) { eachTransport(t, testSessions) }

func testSessions(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Sessions: 3}, echo(t, ""), wat(t, "trap_in_recv"))
	a, b, c := s.open(t, "/echo"), s.open(t, "/trap_in_recv"), s.open(t, "/echo")
	full := func(route string) bool {
		p := s.dial(t)
		defer p.Close()
		p.write(rawws.Handshake(s.addr, route))
		answer := p.answer("GET")
		if answer.Status == 503 && answer.Header.Get("Retry-After") == "" {
			t.Errorf("got %s without Retry-After", answer.Line)
		}
		if answer.Status == 101 {
			p.leave()
		}
		return answer.Status == 503
	}
	if !full("/echo") || !full("/trap_in_recv") {
		t.Fatal("got a fourth session, want 503")
	}
	p := s.dial(t) // plain requests do not count
	p.write([]byte("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"))
	if answer := p.answer("GET"); answer.Status != 200 {
		t.Errorf("plain request: got %s, want 200", answer.Line)
	}
	b.leave()
	for late := time.Now().Add(patience); full("/echo"); {
		if time.Now().After(late) {
			t.Fatal("503 although a session has ended")
		}
	}
	a.alive()
	c.alive()
}

// A message that is not complete because the host reads no further, for its answers
// are not taken, does not take too long.
func TestMessageTimeWhileNotRead(t *testing.T) { eachWaits(t, testMessageTimeWhileNotRead) }

func testMessageTimeWhileNotRead(t *testing.T, on transport) {
	const messages, size, queue, patient = 80, 16 << 10, 512 << 10, 3 * time.Second
	for _, name := range []string{"messages", "fragments"} {
		t.Run(name, func(t *testing.T) {
			waits(t)
			s := on.serve(t, host.Limits{MessageTime: patient, Message: 2 << 20, Queue: queue, WriteTime: time.Minute}, echo(t, ""))
			p := s.open(t, "/echo")
			var all []rawws.Frame
			for n := range messages {
				f := rawws.Frame{Flags: 0x82, Payload: block(n)[:size]}
				if name == "fragments" && n > 0 {
					f.Flags &^= 0x02
				}
				if name == "fragments" && n < messages-1 {
					f.Flags &^= 0x80
				}
				all = append(all, f)
			}
			go p.Write(frames(messages, func(n int) rawws.Frame { return all[n] }))
			s.until(t, func() bool { return s.queued(t) > queue/4 })
			<-time.After(patient * 3 / 2)
			p.want(all...)
			p.leave()
		})
	}
}
