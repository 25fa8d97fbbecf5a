package host

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"

	"golang.org/x/net/http/httpguts"
)

// A head is the beginning of a request, up to the empty line, as far as it has
// come in. It decides nothing but who reads the request: see [door].
type head struct {
	at      int  // where the line under way begins
	first   int  // length of the first line, 0 while that is not complete
	upgrade bool // a GET with a line that only WebSocket handshakes have
	odd     bool // nothing that a WebSocket client writes
	length  bool // there is a Content-Length
	coding  bool // there is a Transfer-Encoding
}

// Beginnings of lines that matter. The first is one that each WebSocket handshake
// has, RFC 6455 section 4.1.
var (
	keyLine    = []byte("sec-websocket-key:")
	lengthLine = []byte("content-length:")
	codingLine = []byte("transfer-encoding:")
)

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
		h.at += n + 1
		if h.first == 0 {
			h.first = h.at
			h.odd = !bytes.HasPrefix(line, []byte("GET "))
		}
		if len(bytes.Trim(line, " \t")) == 0 {
			h.upgrade = h.upgrade && !h.odd && len(line) == 0
			return h.at
		}
		h.upgrade = h.upgrade || len(line) > len(keyLine) && begins(line, keyLine)
		h.length = h.length || begins(line, lengthLine)
		h.coding = h.coding || begins(line, codingLine)
	}
}

func begins(line, with []byte) bool {
	return len(line) >= len(with) && bytes.EqualFold(line[:len(with)], with)
}

// overlong says what is wrong with a head that has no end within size bytes, or
// its end behind them.
func (h *head) overlong(size int) *fault {
	if h.first == 0 || h.first > size {
		return &fault{status: http.StatusRequestURITooLong, reason: "the request line is longer than the server reads"}
	}
	return &fault{status: http.StatusRequestHeaderFieldsTooLarge, reason: "the headers are longer than the server reads"}
}

// errBothLengths is a request that two servers can read as two different ones:
// RFC 9112 section 6.1 lets it be refused, net/http would take it.
var errBothLengths = &fault{status: http.StatusBadRequest, reason: "Content-Length and Transfer-Encoding exclude each other"}

// headParser reads requests out of memory.
type headParser struct {
	in  bytes.Reader
	buf *bufio.Reader
}

func newHeadParser() *headParser { return &headParser{buf: bufio.NewReaderSize(nil, 4<<10)} }

// parse reads the request of a complete head. It returns it only if it is one
// that net/http would hand to a handler and that asks for a WebSocket in good
// form, and a fault if nobody is to read it. If it returns neither, net/http is
// to have the request.
func (p *headParser) parse(h *head, b []byte) (*http.Request, *fault) {
	if h.length && h.coding {
		return nil, errBothLengths
	}
	p.in.Reset(b)
	p.buf.Reset(&p.in)
	r, err := http.ReadRequest(p.buf)
	switch {
	case err != nil:
		if h.coding || errors.Is(err, io.ErrUnexpectedEOF) { // 501 perhaps; a head whose end is disputed
			return nil, nil
		}
		return nil, &fault{status: http.StatusBadRequest, reason: shorten(err.Error())}
	case !h.upgrade, p.in.Len()+p.buf.Buffered() > 0:
	case r.ProtoMajor != 1, r.RequestURI[0] != '/', r.Host == "", !httpguts.ValidHostHeader(r.Host):
	case r.Header["Expect"] != nil, !validHeaders(r.Header), !(webSocket{}).wanted(r):
	default:
		return r, nil
	}
	return nil, nil
}

// shorten keeps what a peer sent from filling its answer.
func shorten(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
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
