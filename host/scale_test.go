package host_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// Hundreds of sessions are served, and when all are killed at once the guest
// hears of each: as many closes as connects, and nothing is left behind. The
// program bench/scale does the same with thousands.
func TestScale(t *testing.T) { eachTransport(t, testScale) }

func testScale(t *testing.T, on transport) {
	const sessions, waves = 500, 3
	s := on.serve(t, host.Limits{}, wat(t, "counts"))
	for wave := 1; wave <= waves; wave++ {
		var peers []*peer
		for range sessions {
			peers = append(peers, s.open(t, "/counts"))
		}
		for i, p := range peers {
			p.text(fmt.Sprint("session ", i))
		}
		for i, p := range peers {
			p.wantText(fmt.Sprint("session ", i))
		}
		for i, p := range peers {
			switch i % 4 {
			case 0:
				p.Reset()
			case 1:
				p.Close()
			case 2: // with something unread
				p.text("unread")
				p.Close()
			case 3: // inside a frame
				p.write(rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: "cut"})[:7])
				p.Close()
			}
		}
		want := wave * sessions
		for late := time.Now().Add(patience); ; {
			connects, closes := s.counts(t)
			if connects != want || closes > connects {
				t.Fatalf("got %d connects and %d closes, want %d of each", connects, closes, want)
			}
			if closes == want {
				break
			}
			if time.Now().After(late) {
				t.Fatalf("got %d closes after %v, want %d", closes, patience, want)
			}
		}
	}
}

// counts asks the plugin.
func (s *server) counts(t testing.TB) (connects, closes int) {
	t.Helper()
	p := s.dial(t)
	defer p.Close()
	p.write([]byte("GET /counts HTTP/1.1\r\nHost: h\r\n\r\n"))
	recvs := 0
	a := p.answer("GET")
	if _, err := fmt.Sscanf(a.Body, "connects %d recvs %d closes %d", &connects, &recvs, &closes); err != nil {
		t.Fatalf("got %s %q: %v", a.Line, a.Body, err)
	}
	return connects, closes
}
