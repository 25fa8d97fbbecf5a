package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// from is dial with a local address, of which loopback has many.
func (s *server) from(t testing.TB, local string) *peer {
	t.Helper()
	c, err := rawws.From(s.addr, local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.Patience = patience
	return &peer{c, t}
}

// tryUpgrade is what a handshake on a fresh connection is answered with.
func (p *peer) tryUpgrade(route string) (status int, body string) {
	p.t.Helper()
	p.Write(rawws.Handshake("h", route)) // who is turned away may not get that far
	a := p.answer("GET")
	return a.Status, a.Body
}

// opensAgain waits until a connection is let in again: the host learns from the
// kernel that another has ended.
func (s *server) opensAgain(t testing.TB, local, route string) *peer {
	t.Helper()
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for late := time.Now().Add(patience); time.Now().Before(late); <-retry.C {
		p := s.from(t, local)
		if status, _ := p.tryUpgrade(route); status == 101 {
			return p
		}
	}
	t.Fatalf("no connection is let in after %v", patience)
	return nil
}

// One address cannot have more than its share of connections, whatever they
// are; another address does not notice.
func TestPerAddress(t *testing.T) { eachTransport(t, testPerAddress) }

func testPerAddress(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{PerAddress: 3}, wat(t, "counts"))
	session, other := s.open(t, "/counts"), s.open(t, "/counts")
	plain := s.dial(t)
	plain.write([]byte("GET /counts HTTP/1.1\r\nHost: h\r\n\r\n"))
	plain.answer("GET")

	for range 20 {
		if status, body := s.dial(t).tryUpgrade("/counts"); status != 503 || !strings.Contains(body, "from this address") {
			t.Fatalf("fourth: got %d %q, want 503 and the reason", status, body)
		}
	}
	if n := strings.Count(s.log.String(), "connection refused: too many connections from this address"); n == 0 || n > 2 {
		t.Errorf("log: got %d lines for 20 refusals, want one a second", n)
	}
	neighbour := s.from(t, "127.0.0.2")
	if status, _ := neighbour.tryUpgrade("/counts"); status != 101 {
		t.Errorf("another address: got %d, want 101", status)
	}
	for _, end := range []func(){session.leave, func() { other.Reset() }, func() { plain.Close() }} {
		end()
		p := s.opensAgain(t, "", "/counts")
		p.text("in")
		p.wantText("in")
		if status, _ := s.dial(t).tryUpgrade("/counts"); status != 503 {
			t.Errorf("after one left and one came: got %d, want 503", status)
		}
	}
}

// All connections together are bounded too.
func TestConnections(t *testing.T) { eachTransport(t, testConnections) }

func testConnections(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Connections: 2}, wat(t, "counts"))
	first, second := s.open(t, "/counts"), s.open(t, "/counts")
	if status, body := s.dial(t).tryUpgrade("/counts"); status != 503 || !strings.Contains(body, "too many connections") {
		t.Errorf("third: got %d %q, want 503 and the reason", status, body)
	}
	first.leave()
	s.opensAgain(t, "127.0.0.3", "/counts").leave()
	second.leave()
}

// However many clients do not send a request, others get in: the slow ones lose
// their places, the oldest first.
func TestSlowHeads(t *testing.T) { eachWaits(t, testSlowHeads) }

func testSlowHeads(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Handshakes: 10, HeaderTime: time.Minute}, wat(t, "counts"))
	var slow []*peer
	for range 30 {
		p := s.dial(t)
		p.write([]byte("GET /counts HTTP/1.1\r\nHost: "))
		slow = append(slow, p)
	}
	p := s.open(t, "/counts")
	p.text("in")
	p.wantText("in")
	for _, cut := range slow[:20] {
		cut.wantCut()
	}
	s.log.wait(t, "too slow with its request")
	last := slow[29]
	last.write([]byte("h\r\n\r\n"))
	if a := last.answer("GET"); a.Status != 200 {
		t.Errorf("last of the slow: got %s, want 200", a.Line)
	}
	p.leave()
}

// A burst of honest clients is no attack: all of them get in.
func TestBurst(t *testing.T) { eachTransport(t, testBurst) }

func testBurst(t *testing.T, on transport) {
	const clients = 300
	s := on.serve(t, host.Limits{Handshakes: 5}, wat(t, "counts"))
	done := make(chan error, clients)
	for range clients {
		go func() {
			c, err := rawws.Dial(s.addr)
			if err == nil {
				defer c.Close()
				c.Patience = patience
				_, err = c.Upgrade("/counts", nil)
			}
			done <- err
		}()
	}
	busy := 0
	for range clients {
		if err := <-done; err != nil {
			if !strings.Contains(err.Error(), "too many handshakes") { // the plugin is asked by five at a time
				t.Errorf("got %v, want a session", err)
			}
			busy++
		}
	}
	if busy == clients {
		t.Error("nobody got in")
	}
}

// A plugin that takes its time to decide cannot be asked by everyone at once.
func TestHandshakes(t *testing.T) { eachTransport(t, testHandshakes) }

func testHandshakes(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Handshakes: 2}, wat(t, "holds"), wat(t, "counts"))
	for range 2 {
		p := s.dial(t)
		p.write(rawws.Handshake("h", "/holds"))
	}
	deadline := time.Now().Add(patience)
	for {
		p := s.dial(t)
		p.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		p.Patience = 0
		p.write(rawws.Handshake("h", "/holds"))
		a, err := p.ReadAnswer("GET")
		p.Close()
		if err == nil && a.Status == 503 && strings.Contains(a.Body, "too many handshakes") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %v, %v, want 503", a, err)
		}
	}
}
