package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// The defects of libyimmo 0.2.4 that take more than bytes on one connection to
// show; the others are in testdata/wire/original.txt.
func TestDefectsOfTheOriginal(t *testing.T) { eachEcho(t, testDefectsOfTheOriginal) }

func testDefectsOfTheOriginal(t *testing.T, on transport, echo echoPlugin) {
	// What connect sends stayed in the queue until the client spoke.
	t.Run("greeting flush", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, echo(t, "Hello!"))
		p := s.open(t, "/echo")
		p.wantText("Hello!")
		p.leave()
	})

	// A handshake without a version crashed the server.
	t.Run("missing version", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, echo(t, ""))
		before := s.open(t, "/echo")
		p := s.dial(t)
		p.write([]byte(handshake("-Sec-WebSocket-Version")))
		if a := p.answer("GET"); a.Status != 426 || a.Header.Get("Sec-Websocket-Version") != "13" {
			t.Errorf("got %s with version %q, want 426 with 13", a.Line, a.Header.Get("Sec-Websocket-Version"))
		}
		before.alive()
		s.open(t, "/echo").leave()
	})

	// A client that kept its side open when the server had closed kept the whole
	// server busy.
	t.Run("idle freeze", func(t *testing.T) {
		s := on.serve(t, host.Limits{CloseTime: 200 * time.Millisecond}, echo(t, ""))
		other := s.open(t, "/echo")
		for _, end := range []func(p *peer){
			func(p *peer) { p.close(1000); p.wantClose(1000) },
			func(p *peer) { p.send(0x83, ""); p.wantClose(1002) },
		} {
			p := s.open(t, "/echo")
			end(p)
			p.wantEOF()
		}
		for range 1000 { // while both stay
			other.text("served")
			other.wantText("served")
		}
		other.leave()
	})

	// Whole messages had the length 0 and the opcode of their last frame, empty ones
	// were lost, and what was longer than 4096 bytes ended the process.
	t.Run("buffered length", func(t *testing.T) {
		plugin := echo(t, "")
		plugin.Delivery = host.DeliveryMessages
		s := on.serve(t, host.Limits{Message: 240000}, plugin)
		p := s.open(t, "/echo")
		part := strings.Repeat("x", 4000)
		for _, flags := range []byte{0x01, 0x02} {
			p.send(flags, part)
			for range 58 {
				p.send(0x00, part)
			}
			p.send(0x80, part)
			p.want(rawws.Frame{Flags: 0x80 | flags, Payload: strings.Repeat(part, 60)})
			p.send(flags, "")
			p.send(0x80, "")
			p.want(rawws.Frame{Flags: 0x80 | flags})
		}
		for range 60 {
			p.send(0x02, part)
			p.send(0x80, part)
			p.want(rawws.Frame{Flags: 0x82, Payload: part + part})
		}
		p.send(0x02, strings.Repeat("x", 240000))
		p.send(0x80, "x")
		p.wantClose(1009)
	})

	// What a client did not read was kept without a limit: 192 MiB of it.
	t.Run("slow reader cap", func(t *testing.T) {
		s := on.serve(t, host.Limits{Queue: 1 << 20, WriteTime: 200 * time.Millisecond}, echo(t, ""))
		other := s.open(t, "/echo")
		p := s.open(t, "/echo")
		p.SetReadBuffer(4 << 10)
		frame := rawws.AppendFrame(nil, rawws.Frame{Flags: 0x82, Payload: strings.Repeat("x", 64<<10)})
		const most = 24 << 20 // the queue, and all that both kernels may hold
		taken := 0
		for ; taken < 192<<20; taken += len(frame) {
			if _, err := p.Write(frame); err != nil {
				break
			}
		}
		if taken > most {
			t.Errorf("the host took %d bytes of a client that reads none, want at most %d", taken, most)
		}
		other.text("served")
		other.wantText("served")
		other.leave()
	})
}
