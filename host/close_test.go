package host_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A close event reaches the guest once, whichever side closes first and however,
// and says who and why: the table of ABI.md, section 11.
func TestCloseOnce(t *testing.T) { eachWaits(t, testCloseOnce) }

func testCloseOnce(t *testing.T, on transport) {
	const byPeer, byGuest, byHost, clean = abi.WhoPeer, abi.WhoGuest, abi.WhoHost, abi.FlagClean
	guestCloses := func(p *peer) {
		p.text("bye!")
		p.want(rawws.Frame{Flags: 0x88, Payload: rawws.ClosePayload(4000, "bye")})
	}
	tests := []struct {
		name   string
		act    func(p *peer)
		code   uint16
		flags  uint8
		reason string // "?" = any but none
	}{
		{"peer closes", func(p *peer) { p.leave() }, 1000, byPeer | clean, ""},
		{"peer closes with a reason", func(p *peer) {
			p.send(0x88, rawws.ClosePayload(4999, "wörk done"))
			p.wantClose(4999)
			p.wantEOF()
		}, 4999, byPeer | clean, "wörk done"},
		{"peer closes without a code", func(p *peer) { p.close(0); p.wantClose(0); p.wantEOF() }, 1005, byPeer | clean, ""},
		{"peer closes inside a message", func(p *peer) {
			p.send(0x01, "fra")
			p.close(1001)
			p.want(rawws.Frame{Flags: 0x01, Payload: "fra"})
			p.wantClose(1001)
		}, 1001, byPeer | clean, ""},
		{"peer closes and stays", func(p *peer) { p.close(1000); p.wantClose(1000); p.wantEOF() }, 1000, byPeer | clean, ""},

		{"reset", func(p *peer) { p.Reset() }, 1006, byPeer, ""},
		{"FIN", func(p *peer) { p.Close() }, 1006, byPeer, ""},
		{"FIN inside a frame", func(p *peer) { p.write([]byte{0x81, 0x85, 1, 2}); p.Close() }, 1006, byPeer, ""},
		{"half-close", func(p *peer) { p.CloseWrite(); p.wantEOF() }, 1006, byPeer, ""},

		{"guest closes, peer answers", func(p *peer) { guestCloses(p); p.close(4000); p.wantEOF() }, 4000, byGuest | clean, ""},
		{"guest closes, peer answers otherwise", func(p *peer) {
			guestCloses(p)
			p.send(0x88, rawws.ClosePayload(1001, "so be it"))
			p.wantEOF()
		}, 1001, byGuest | clean, "so be it"},
		{"guest closes, peer answers without a code", func(p *peer) { guestCloses(p); p.close(0); p.wantEOF() }, 1005, byGuest | clean, ""},
		{"guest closes, peer still sends", func(p *peer) {
			guestCloses(p)
			p.text("not for you")
			p.send(0x89, "nor this")
			p.close(4000)
			p.wantEOF()
		}, 4000, byGuest | clean, ""},
		{"guest closes, peer is silent", func(p *peer) { guestCloses(p); p.wantEOF() }, 4000, byGuest, "bye"},
		{"guest closes, peer resets", func(p *peer) { guestCloses(p); p.Reset() }, 4000, byGuest, "bye"},
		{"guest closes, peer half-closes", func(p *peer) { guestCloses(p); p.CloseWrite(); p.wantEOF() }, 4000, byGuest, "bye"},

		{"peer breaks the protocol", func(p *peer) { p.send(0x83, ""); p.wantClose(1002); p.wantEOF() }, 1002, byHost, "?"},
		{"peer breaks the protocol and goes", func(p *peer) { p.send(0x83, ""); p.Close() }, 1002, byHost, "?"},
		{"peer breaks the protocol and stays", func(p *peer) { p.send(0xff, "x") }, 1002, byHost, "?"},
		{"close frame of one byte", func(p *peer) { p.send(0x88, "x"); p.wantClose(1002) }, 1002, byHost, "?"},
		{"close reason that is not UTF-8", func(p *peer) { p.send(0x88, "\x03\xe8\xff"); p.wantClose(1007) }, 1007, byHost, "?"},
		{"text that is not UTF-8", func(p *peer) { p.text("\xff"); p.wantClose(1007) }, 1007, byHost, "?"},
		{"message too big", func(p *peer) { p.write([]byte{0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0}); p.wantClose(1009) }, 1009, byHost, "?"},
		{"error after the guest closed", func(p *peer) { guestCloses(p); p.send(0x83, ""); p.wantEOF() }, 4000, byGuest, "bye"},
	}
	s := on.serve(t, host.Limits{CloseTime: 500 * time.Millisecond}, wat(t, "witness"))
	w := s.watch(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.open(t, "/witness")
			id := w.next(abi.EventConnect).ID
			tt.act(p)
			e := w.closeOf(id)
			if e.Code != tt.code || e.Flags != tt.flags || e.payload != tt.reason && (tt.reason != "?" || e.payload == "") {
				t.Errorf("got %v, want code %d, flags %#02x, reason %q", e, tt.code, tt.flags, tt.reason)
			}
			p.Close()
		})
	}
	t.Run("both at once", func(t *testing.T) {
		p := s.open(t, "/witness")
		id := w.next(abi.EventConnect).ID
		both := rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: "bye!"})
		p.write(rawws.AppendFrame(both, rawws.Frame{Flags: 0x88, Payload: rawws.ClosePayload(4001, "")}))
		sent, _ := closeCode(p.frame())
		e := w.closeOf(id)
		if e.Code != 4001 || e.Flags != byPeer|clean && e.Flags != byGuest|clean || sent != 4000 && sent != 4001 {
			t.Errorf("got %v and close %d on the wire, want 4001, clean", e, sent)
		}
		p.wantEOF()
	})
	w.leave()
	s.stop(t, nil)
	s.log.balanced(t, len(tests)+2)
}

// closeOf returns the close event of a session; other events are dropped.
func (w *watch) closeOf(id uint64) heard {
	w.t.Helper()
	for {
		if e := w.event(); e.Kind == abi.EventClose && e.ID == id {
			return e
		}
	}
}

var lifeLine = regexp.MustCompile(`msg=(0[35])[0-9a-f]{6} .*session=([0-9a-f]{16})`)

// balanced checks that the log of witness has one close for each of n connects.
func (b *logbook) balanced(t testing.TB, n int) {
	t.Helper()
	connects, closes := map[string]int{}, map[string]int{}
	for _, m := range lifeLine.FindAllStringSubmatch(b.String(), -1) {
		if m[1] == "03" {
			connects[m[2]]++
		} else {
			closes[m[2]]++
		}
	}
	if len(connects) != n || len(closes) != n {
		t.Errorf("log: got %d connects and %d closes, want %d of each", len(connects), len(closes), n)
	}
	for id, times := range closes {
		if times != 1 || connects[id] != 1 {
			t.Errorf("log: session %s: got %d connects and %d closes, want one of each", id, connects[id], times)
		}
	}
}
