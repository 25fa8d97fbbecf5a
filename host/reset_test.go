package host_test

import (
	"fmt"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// The host knows who has reset its connection, though the kernel has forgotten.
func TestResetBeforeRequestIsRead(t *testing.T) { eachTransport(t, testResetBeforeRequestIsRead) }

func testResetBeforeRequestIsRead(t *testing.T, on transport) {
	remotes := make(chan string, 100)
	s := on.serve(t, host.Limits{PerAddress: 100}, inGo("slow", func(g *native, e abi.Event, payload string) {
		if e.Kind == abi.EventHTTPRequest {
			fields, _ := abi.ParseFields([]byte(payload))
			remote, _ := fields.Get(abi.FieldRemote)
			remotes <- string(remote)
		}
	}))
	peers := map[string]bool{}
	for _, request := range []string{"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n", "GET /slow HTTP/1.1\r\n\r\n"} { // one is refused
		for range 50 {
			p := s.dial(t)
			p.write([]byte(request))
			peers[p.LocalAddr().String()] = true
			p.Reset()
		}
	}
	s.until(t, func() bool { return s.total(t, "yimmo_connections") == 0 && s.total(t, "yimmo_http_requests") == 0 })
	s.stop(t, nil)
	close(remotes)
	for remote := range remotes {
		if !peers[remote] {
			t.Errorf("the plugin hears of %q, who is none of the clients", remote)
		}
	}
}

// A client that resets its connection during its upgrade is gone: that is how it is
// counted, its guest hears of one end if it heard of a beginning, and nothing of it
// stays.
func TestResetInUpgrade(t *testing.T) { eachTransport(t, testResetInUpgrade) }

func testResetInUpgrade(t *testing.T, on transport) {
	const accepted = `yimmo_ws_connections_total{plugin="slow",result="accepted"}`
	const gone = `yimmo_ws_connections_total{plugin="slow",result="gone"}`
	tests := []struct {
		name string
		want string
		code uint16
		who  uint8
		say  func(g *native, id uint64)
	}{
		{"accepted", gone, 1006, abi.WhoPeer, func(*native, uint64) {}},
		{"accepted, with a greeting", gone, 1006, abi.WhoPeer, func(g *native, id uint64) { g.send(id, 0x81, "hello") }},
		{"accepted, and closed", gone, 4000, abi.WhoGuest, func(g *native, id uint64) { g.do(abi.Command{Kind: abi.CommandClose, ID: id, Code: 4000}, "") }},
		{"held", gone, 1006, abi.WhoPeer, func(g *native, id uint64) { g.do(abi.Command{Kind: abi.CommandHold, ID: id}, "") }},
		{"refused", `yimmo_ws_connections_total{plugin="slow",result="plugin"}`, 0, 0, func(g *native, id uint64) {
			g.do(abi.Command{Kind: abi.CommandRefuse, ID: id, Code: 403}, "")
		}},
	}
	for _, tt := range tests {
		for _, early := range []string{"", string(rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: "early"}))} {
			t.Run(fmt.Sprintf("%s, %d bytes early", tt.name, len(early)), func(t *testing.T) {
				asked, proceed, ends := make(chan struct{}), make(chan struct{}), make(chan heard, 10)
				s := on.serveAdmin(t, func(c *host.Config) { c.Limits.PerAddress = 100 }, inGo("slow", func(g *native, e abi.Event, payload string) {
					switch e.Kind {
					case abi.EventConnect:
						asked <- struct{}{}
						<-proceed
						tt.say(g, e.ID)
					case abi.EventClose:
						ends <- heard{e, payload}
					}
				}))
				p := s.dial(t)
				p.write(append(rawws.Handshake("h", "/slow"), early...))
				<-asked
				p.Reset()
				close(proceed)
				s.wantSamples(t, map[string]float64{
					accepted: 0, gone: 0, tt.want: 1, `yimmo_ws_connections{plugin="slow"}`: 0,
				})
				s.until(t, func() bool { return s.total(t, "yimmo_connections") == 0 })
				s.stop(t, nil)
				close(ends)
				var got []heard
				for e := range ends {
					got = append(got, e)
				}
				switch {
				case tt.want != gone:
					if len(got) != 0 {
						t.Errorf("got %v, want no close event: it was refused", got)
					}
				case len(got) != 1 || got[0].Code != tt.code || got[0].Flags != tt.who:
					t.Errorf("got %v, want one close event, %d, %#02x", got, tt.code, tt.who)
				}
			})
		}
	}
}
