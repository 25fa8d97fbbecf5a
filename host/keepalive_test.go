package host_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

var pinged = rawws.Frame{Flags: 0x89}

// A peer that answers no ping is cut, one that does may stay as long as it likes.
func TestKeepAlive(t *testing.T) { eachWaits(t, testKeepAlive) }

func testKeepAlive(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Ping: 100 * time.Millisecond, Pong: time.Second, MessageTime: time.Hour}, wat(t, "counts"), wat(t, "witness"))
	t.Run("answers", func(t *testing.T) {
		p := s.open(t, "/counts")
		for range 15 { // longer than a silent peer has
			p.want(pinged)
			p.send(0x8a, "")
		}
		p.text("still there")
		p.wantAfter(pinged, rawws.Frame{Flags: 0x81, Payload: "still there"})
		p.close(1000)
		p.wantAfter(pinged, rawws.Frame{Flags: 0x88, Payload: rawws.ClosePayload(1000, "")})
		p.Close()
	})
	t.Run("is silent", func(t *testing.T) {
		p := s.open(t, "/counts")
		p.want(pinged)
		if rest, err := p.Rest(); len(rest) > 0 || err != nil && !isReset(err) {
			t.Errorf("got %q, %v, want the end of the connection and no close frame", rest, err)
		}
	})
	t.Run("is in the middle of a frame", func(t *testing.T) {
		p := s.open(t, "/counts")
		f := rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: strings.Repeat("x", 40)})
		drip := time.NewTicker(10 * time.Millisecond)
		defer drip.Stop()
		for _, b := range f {
			p.write([]byte{b})
			<-drip.C
		}
		p.wantAfter(pinged, rawws.Frame{Flags: 0x81, Payload: strings.Repeat("x", 40)})
		p.Close()
	})
}

// wantAfter reads frames until one is want; those before it are like others.
func (p *peer) wantAfter(others, want rawws.Frame) {
	p.t.Helper()
	for got := p.frame(); got != want; got = p.frame() {
		if got != others {
			p.t.Fatalf("peer: got %v, want %v, after some like %v", got, want, others)
		}
	}
}

func isReset(err error) bool {
	return strings.Contains(err.Error(), "reset by peer") || errors.Is(err, io.ErrUnexpectedEOF)
}

// The guest of a silent peer hears one close event, which is the host's doing.
func TestKeepAliveEvent(t *testing.T) { eachWaits(t, testKeepAliveEvent) }

func testKeepAliveEvent(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Ping: 300 * time.Millisecond, Pong: 700 * time.Millisecond}, wat(t, "witness"))
	w := s.watch(t)
	s.open(t, "/witness")
	id := w.next(abi.EventConnect).ID
	for {
		f := w.frame()
		if f == pinged { // the monitor itself stays alive
			w.send(0x8a, "")
			continue
		}
		e, ok := parseHeard(f)
		if !ok || e.Kind != abi.EventClose || e.ID != id {
			t.Fatalf("monitor: got %v, want the close event", f)
		}
		if e.Code != 1006 || e.Flags != abi.WhoHost {
			t.Errorf("got %v, want 1006 by the host", e)
		}
		break
	}
	s.log.wait(t, "session closed: its peer is silent")
	w.Close()
}

// A session without data is closed with 1001 where the operator says so.
func TestIdleSession(t *testing.T) { eachWaits(t, testIdleSession) }

func testIdleSession(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Idle: 600 * time.Millisecond}, wat(t, "counts"))
	p := s.open(t, "/counts")
	began := time.Now()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for range 8 { // data keeps it open
		<-beat.C
		p.text("x")
		p.wantText("x")
	}
	p.wantClose(1001)
	if d := time.Since(began); d < 1300*time.Millisecond {
		t.Errorf("closed after %v, want 600ms after the last message", d)
	}
	p.close(1001)
	p.wantEOF()
}
