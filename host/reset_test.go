package host_test

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
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
