package host_test

import (
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// What is kept of messages that are not complete is bounded for all peers together:
// who is above that may try again later, who finishes does not notice, and what ends
// is counted no more.
func TestMessageTotal(t *testing.T) {
	tests := []struct {
		name  string
		begin []byte // 200 KiB of a message
		set   func(*host.Config)
		offer []string
	}{
		{"a frame", append([]byte("\x82\xff\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00"), make([]byte, 200<<10)...),
			func(*host.Config) {}, nil},
		{"fragments of a message", rawws.AppendFrame(nil, rawws.Frame{Flags: 0x02, Payload: strings.Repeat("x", 200<<10)}),
			func(c *host.Config) { c.Plugins[0].Delivery = host.DeliveryMessages }, nil},
		{"fragments of a compressed message", rawws.AppendFrame(nil, rawws.Frame{Flags: 0x42, Payload: strings.Repeat("x", 200<<10)}),
			func(c *host.Config) { c.Compression.Enabled = true }, []string{"Sec-WebSocket-Extensions: " + pmd}},
	}
	eachTransport(t, func(t *testing.T, on transport) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				s := on.serveAdmin(t, func(c *host.Config) {
					c.Limits.MessageTotal = 2 << 20
					tt.set(c)
				}, echo(t, ""))
				good := s.open(t, "/echo")
				const many = 20 // 4 MiB in all
				var peers []*peer
				for range many {
					p := s.open(t, "/echo", tt.offer...)
					p.write(tt.begin)
					peers = append(peers, p)
				}
				s.log.wait(t, "fault=message_total")
				if kept := s.samples(t)["yimmo_unfinished_message_bytes"]; kept > 3<<20 {
					t.Errorf("%v bytes are kept, want 2 MiB and one peer's at most", kept)
				}
				good.text("well")
				good.wantText("well")
				for _, p := range peers {
					p.Close()
				}
				s.until(t, func() bool { return s.samples(t)["yimmo_unfinished_message_bytes"] == 0 })
				closed := int(s.samples(t)[`yimmo_ws_closes_total{code="1013",plugin="echo"}`])
				if closed == 0 || closed == many {
					t.Errorf("%d of %d sessions were closed with 1013, want some", closed, many)
				}
			})
		}
	})
}
