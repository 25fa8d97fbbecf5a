package host

import (
	"bufio"
	"bytes"
	"net/http"

	"golang.org/x/net/http/httpguts"
)

// A head is the beginning of a request, up to the empty line, as far as it has
// come in. It decides nothing but who reads the request: see [door].
type head struct {
	at      int  // where the line under way begins
	upgrade bool // a GET with a line that only WebSocket handshakes have
	odd     bool // nothing that a WebSocket client writes
}

// keyLine begins the line that each WebSocket handshake has, RFC 6455 section 4.1.
var keyLine = []byte("sec-websocket-key:")

// scan looks at what is new in b, which begins where the request does and
// must begin with what the call before was given. It returns the length of the
// head, or 0 while that is not complete. A head ends where net/http lets it end:
// lines may do without a carriage return, and blanks alone are an empty line.
func (h *head) scan(b []byte) int {
	for {
		n := bytes.IndexByte(b[h.at:], '\n')
		if n < 0 {
			return 0
		}
		line := bytes.TrimSuffix(b[h.at:h.at+n], []byte("\r"))
		first := h.at == 0
		h.at += n + 1
		blank := len(bytes.Trim(line, " \t")) == 0
		h.odd = h.odd || first && !bytes.HasPrefix(line, []byte("GET ")) || blank && len(line) > 0
		if blank {
			h.upgrade = h.upgrade && !h.odd
			return h.at
		}
		if len(line) > len(keyLine) && bytes.EqualFold(line[:len(keyLine)], keyLine) {
			h.upgrade = true
		}
	}
}

// headParser reads requests out of memory.
type headParser struct {
	in  bytes.Reader
	buf *bufio.Reader
}

func newHeadParser() *headParser { return &headParser{buf: bufio.NewReaderSize(nil, 4<<10)} }

// handshake is the request of that head, if it is one that net/http would hand to
// a handler and that asks for a WebSocket in good form, else nil.
func (p *headParser) handshake(head []byte) *http.Request {
	p.in.Reset(head)
	p.buf.Reset(&p.in)
	r, err := http.ReadRequest(p.buf)
	switch {
	case err != nil, p.in.Len()+p.buf.Buffered() > 0:
	case r.ProtoMajor != 1, r.RequestURI[0] != '/', r.Host == "", !httpguts.ValidHostHeader(r.Host):
	case r.Header["Expect"] != nil, !validHeaders(r.Header), !(webSocket{}).wanted(r):
	default:
		return r
	}
	return nil
}

func validHeaders(h http.Header) bool {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return false
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return false
			}
		}
	}
	return true
}
