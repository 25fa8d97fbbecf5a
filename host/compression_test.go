package host_test

import (
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
)

// packing makes a host compress.
func packing(c host.Compression) func(*host.Config) {
	c.Enabled = true
	return func(all *host.Config) { all.Compression = c }
}

const (
	pmd = "permessage-deflate"
	// none is the answer of a host without takeover to an offer without wishes.
	none = pmd + "; server_no_context_takeover; client_no_context_takeover"
)

func offer(s string) string { return "Sec-WebSocket-Extensions: " + s }

// What clients offer, and the exact answer of the 101; and that what was agreed
// on is kept to.
func TestOffers(t *testing.T) { eachTransport(t, testOffers) }

func testOffers(t *testing.T, on transport) {
	hosts := map[string]func(*host.Config){
		"off":      func(*host.Config) {},
		"on":       packing(host.Compression{}),
		"takeover": packing(host.Compression{Takeover: true}),
		"small":    packing(host.Compression{Takeover: true, WindowBits: 10}),
	}
	tests := map[string][]struct{ offer, want string }{
		"off": {
			{pmd, ""},
			{pmd + "; client_max_window_bits", ""},
		},
		"on": {
			{"", ""},
			{pmd, none},
			{pmd + "; client_max_window_bits", none}, // Chromium, Firefox and Safari
			{pmd + "; server_no_context_takeover; client_no_context_takeover", none},
			{pmd + "; client_max_window_bits=9", none + "; client_max_window_bits=9"},
			{pmd + "; server_max_window_bits=9", none + "; server_max_window_bits=9"},
			{pmd + "; server_max_window_bits=8", none + "; server_max_window_bits=8"},
			{pmd + "; server_max_window_bits=15; client_max_window_bits=15", none + "; server_max_window_bits=15"},
			{pmd + "; server_max_window_bits=7", ""},
			{pmd + "; server_max_window_bits=16", ""},
			{pmd + "; server_max_window_bits", ""},
			{pmd + "; server_max_window_bits=99, " + pmd, none},
			{pmd + "; client_max_window_bits=7", ""},
			{pmd + "; unknown", ""},
			{pmd + "; server_no_context_takeover=1", ""},
			{pmd + "; server_no_context_takeover; server_no_context_takeover", ""},
			{"x-webkit-deflate-frame, " + pmd, none},
			{`foo; x="` + pmd + `"`, ""},
		},
		"takeover": {
			{pmd, pmd},
			{pmd + "; client_max_window_bits", pmd},
			{pmd + "; server_no_context_takeover", pmd + "; server_no_context_takeover"},
			{pmd + "; client_no_context_takeover; server_max_window_bits=11", pmd + "; client_no_context_takeover; server_max_window_bits=11"},
		},
		"small": {
			{pmd, pmd + "; client_no_context_takeover"},
			{pmd + "; client_max_window_bits", pmd + "; client_max_window_bits=10"},
			{pmd + "; client_max_window_bits=9", pmd + "; client_max_window_bits=9"},
		},
	}
	for name, change := range hosts {
		t.Run(name, func(t *testing.T) {
			s := on.serveWith(t, change, host.Limits{}, echo(t, ""))
			for _, tt := range tests[name] {
				p := s.dial(t)
				lines := []string{"X-Other: x"}
				if tt.offer != "" {
					lines = append(lines, offer(tt.offer))
				}
				a, err := p.Upgrade("/echo", nil, lines...)
				if err != nil {
					t.Fatalf("%s: %v", tt.offer, err)
				}
				if got := strings.Join(a.Header["Sec-Websocket-Extensions"], "\n"); got != tt.want {
					t.Errorf("%s: got %q, want %q", tt.offer, got, tt.want)
				}
				p.send(0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00") // RFC 7692 section 7.2.3.1
				if tt.want == "" {
					p.wantClose(1002)
					continue
				}
				p.wantText("Hello")
				p.leave()
			}
		})
	}
}
