package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// What a peer sent before it closed its half is answered, and then the guest
// hears that it is gone.
func TestHalfClose(t *testing.T) { eachTransport(t, testHalfClose) }

func testHalfClose(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"))
	w := s.watch(t)
	for _, words := range []int{1, 100} {
		p := s.open(t, "/witness")
		id := w.next(abi.EventConnect).ID
		for range words {
			p.text("last words")
		}
		p.CloseWrite()
		for range words {
			p.wantText("last words")
		}
		p.wantEOF()
		if e := w.closeOf(id); e.Code != 1006 || e.Flags != abi.WhoPeer {
			t.Errorf("got %v, want 1006 by the peer", e)
		}
	}
}

// A client that has nothing to add to its request, and says so, gets its answer.
func TestHalfCloseHTTP(t *testing.T) { eachTransport(t, testHalfCloseHTTP) }

func testHalfCloseHTTP(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"))
	const end = " /witness HTTP/1.1\r\nHost: h\r\n"
	for _, request := range []string{"GET" + end + "\r\n", "POST" + end + "Content-Length: 5\r\n\r\nhello"} {
		for range 100 { // it is a matter of microseconds
			p := s.dial(t)
			p.write([]byte(request))
			p.CloseWrite()
			if a := p.answer("GET"); a.Status != 200 {
				t.Fatalf("%.4s: got %s %q, want 200", request, a.Line, a.Body)
			}
			p.wantEOF()
			p.Close()
		}
	}
}

// So is what it sent before it read anything, which is more than its socket holds:
// only half of the connection is gone.
func TestHalfCloseUnread(t *testing.T) { eachTransport(t, testHalfCloseUnread) }

func testHalfCloseUnread(t *testing.T, on transport) {
	const messages = 60 // more than sockets take, less than the host stops reading at
	s := on.serve(t, host.Limits{}, echo(t, ""))
	for _, last := range []func(p *peer){
		func(p *peer) { p.CloseWrite() },
		func(p *peer) { p.close(1000); p.CloseWrite() },
	} {
		p := s.open(t, "/echo")
		for n := range messages {
			p.send(0x82, block(n)[:16<<10])
		}
		last(p)
		s.until(t, func() bool { return s.total(t, "yimmo_ws_connections") == 0 })
		for n := range messages {
			if f := p.frame(); f.Payload != block(n)[:16<<10] {
				t.Fatalf("message %d: got %.30v", n, f)
			}
		}
		if rest, err := p.Rest(); err != nil || len(rest) > 4 {
			t.Errorf("got %q, %v, want at most a close frame and the end", rest, err)
		}
	}
}

// A peer that takes no data is cut, and that is the host's doing.
func TestPeerTakesNothing(t *testing.T) { eachWaits(t, testPeerTakesNothing) }

func testPeerTakesNothing(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{WriteTime: 500 * time.Millisecond, MessageTime: time.Hour}, wat(t, "witness"))
	w := s.watch(t)
	p := s.open(t, "/witness")
	id := w.next(abi.EventConnect).ID
	p.SetReadBuffer(4 << 10)
	written := make(chan struct{})
	go func() {
		defer close(written)
		big := rawws.AppendFrame(nil, rawws.Frame{Flags: 0x82, Payload: strings.Repeat("x", 60<<10)})
		for { // until the host cuts
			if _, err := p.Write(big); err != nil {
				return
			}
		}
	}()
	if e := w.closeOf(id); e.Code != 1006 || e.Flags != abi.WhoHost {
		t.Errorf("got %v, want 1006, by the host", e)
	}
	<-written
}

// A connection whose session is over does not last longer than a closing
// handshake may, even if its peer never closes its half.
func TestPeerStays(t *testing.T) { eachWaits(t, testPeerStays) }

func testPeerStays(t *testing.T, on transport) {
	tests := []struct {
		name string
		act  func(p *peer)
	}{
		{"peer closed", func(p *peer) { p.close(1000); p.wantClose(1000) }},
		{"peer broke the protocol", func(p *peer) { p.send(0x83, ""); p.wantClose(1002) }},
		{"peer broke the protocol inside a message", func(p *peer) { p.send(0x01, ""); p.want(rawws.Frame{Flags: 0x01}); p.send(0x83, ""); p.wantClose(1002) }},
		{"guest closed", func(p *peer) { p.text("bye!"); p.wantClose(4000) }},
		{"guest closed, a frame is unfinished", func(p *peer) {
			p.write(append(rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: "bye!"}), 0x82, 0xfe))
			p.wantClose(4000)
		}},
	}
	s := on.serve(t, host.Limits{CloseTime: 50 * time.Millisecond, MessageTime: time.Hour}, wat(t, "witness"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.open(t, "/witness")
			tt.act(p)
			p.wantEOF()
			drips := time.NewTicker(time.Millisecond)
			defer drips.Stop()
			late := time.Now().Add(patience)
			for range drips.C { // a write fails once the host has let go of its socket
				if _, err := p.Write([]byte{0}); err != nil {
					return
				}
				if time.Now().After(late) {
					t.Fatalf("still connected after %v", patience)
				}
			}
		})
	}
}
