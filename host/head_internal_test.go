package host

import (
	"bufio"
	"bytes"
	"net/http"
	"testing"
)

var heads = []struct {
	name    string
	in      string
	length  int // 0: not complete
	upgrade bool
}{
	{"nothing", "", 0, false},
	{"half a line", "GET / HTTP/1.1\r", 0, false},
	{"no end yet", "GET / HTTP/1.1\r\nHost: h\r\n", 0, false},
	{"carriage return alone", "GET / HTTP/1.1\r\nHost: h\r\n\r", 0, false},
	{"plain", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27, false},
	{"body behind it", "GET / HTTP/1.1\r\nHost: h\r\n\r\nbody", 27, false},
	{"line feeds alone", "GET / HTTP/1.1\nHost: h\n\n", 24, false},
	{"empty first line", "\r\nGET / HTTP/1.1\r\n\r\n", 2, false},
	{"handshake", "GET / HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n\x81", 40, true},
	{"handshake in capitals", "GET / HTTP/1.1\r\nSEC-WEBSOCKET-KEY:x\r\n\r\n", 39, true},
	{"handshake, not GET", "PUT / HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n", 40, false},
	{"key is empty", "GET / HTTP/1.1\r\nSec-WebSocket-Key:\r\n\r\n", 38, false},
	{"key before a blank line that is not empty", "GET / HTTP/1.1\r\nSec-WebSocket-Key: x\r\n \r\n\r\n", 41, false},
	{"TLS", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 0, false},
}

// Where a head ends, and whether it is worth reading as a handshake.
func TestHead(t *testing.T) {
	for _, tt := range heads {
		t.Run(tt.name, func(t *testing.T) {
			var h head
			if n := h.scan([]byte(tt.in)); n != tt.length || n > 0 && h.upgrade != tt.upgrade {
				t.Errorf("scan(%q): got %d, %v, want %d, %v", tt.in, n, h.upgrade, tt.length, tt.upgrade)
			}
		})
	}
}

// However a head is cut, the result is the same; and what is taken for a
// handshake is, for net/http, one request and nothing behind it.
func FuzzHead(f *testing.F) {
	for _, tt := range heads {
		f.Add([]byte(tt.in), 3)
	}
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		var whole head
		want := whole.scan(in)
		var cut head
		got := 0
		for end := 0; got == 0 && end < len(in); {
			end = min(len(in), end+max(1, step%17))
			got = cut.scan(in[:end])
		}
		if got != want || got > 0 && cut.upgrade != whole.upgrade {
			t.Fatalf("scan(%q): got %d, %v in pieces, want %d, %v", in, got, cut.upgrade, want, whole.upgrade)
		}
		if want == 0 {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(in)))
		here, fault := newHeadParser().parse(&whole, in[:want])
		if err != nil && here != nil {
			t.Fatalf("parse(%q): taken, but net/http says: %v", in[:want], err)
		}
		if err == nil && fault != nil && fault != errBothLengths {
			t.Fatalf("parse(%q): got %+v, but net/http takes it", in[:want], fault)
		}
		if here != nil && (here.RequestURI != r.RequestURI || here.Host != r.Host || len(here.Header) != len(r.Header)) {
			t.Fatalf("parse(%q): got %+v, net/http %+v", in[:want], here, r)
		}
	})
}
