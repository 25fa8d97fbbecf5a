package host

import (
	"bufio"
	"bytes"
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/yimmo-host/yimmo-host/host/lane"
)

// A visit is a WebSocket handshake between the door and the lane that answers it.
type visit struct {
	lane.Call
	plugin    *plugin
	addr      netip.Addr // whom the connection counts for
	req       *http.Request
	extension string // as the 101 names it
	out       answerWriter
}

// visits are to be used again.
var visits sync.Pool

func newVisit() *visit {
	if v, ok := visits.Get().(*visit); ok {
		return v
	}
	v := &visit{}
	v.Answer, v.Opened = v.answer, v.opened
	v.out.init()
	return v
}

// answer implements [lane.Call.Answer]. The visit is over then, unless it is to
// become a session.
func (v *visit) answer(dst []byte, d lane.Decision) []byte {
	w, p := &v.out, v.plugin
	w.begin(dst)
	defer p.host.leaveDoor(p, v.addr, v.Session)
	switch {
	case d.Err != nil:
		writeNoAnswer(w, d.Err)
		w.end()
		dst = w.dst
		v.over(outcomeOf(d.Err))
	case d.Session == 0:
		writeRefusal(w, &d)
		w.end()
		dst = w.dst
		v.over(refusedByPlugin)
	default:
		if _, err := inMemory.Upgrade(w, v.req, upgradeHeader(d.Fields, v.extension)); err != nil {
			p.log.Debug("upgrade failed", "peer", v.req.RemoteAddr, "err", err)
			return dst
		}
		dst = w.dst
	}
	return dst
}

// opened implements [lane.Call.Opened]: the visit is over.
func (v *visit) opened(left bool) {
	if left {
		v.over(clientLeft)
	} else {
		v.over(accepted)
	}
}

func (v *visit) over(o outcome) {
	v.plugin.came(o, v.req.RemoteAddr)
	v.plugin, v.req, v.out.dst = nil, nil, nil
	visits.Put(v)
}

// leaveDoor follows the decision about a handshake. session is 0 if there was
// none, else it is what socketClosed will be called with.
func (h *Host) leaveDoor(p *plugin, addr netip.Addr, session uint64) {
	h.opening.Add(-1)
	if session != 0 {
		h.gate.lodge(addr, p, session)
		return
	}
	h.sessions.Add(-1)
	h.gate.depart(addr)
}

// inMemory does the handshake without a connection. Its buffers are those of the
// [answerWriter].
var inMemory = websocket.Upgrader{
	CheckOrigin:     func(*http.Request) bool { return true }, // checkHandshake has
	WriteBufferPool: discarded{},
}

// receive begins a visit if the host takes a handshake. It reports false, having
// done nothing, if net/http is to answer it: whatever is refused is refused
// there. early is copied.
func (d *door) receive(c *caller, r *http.Request, early []byte) bool {
	h := d.host
	found, _ := h.mux.Handler(r)
	p, ok := found.(*plugin)
	if !ok || h.draining.Load() || len(p.lanes) == 0 || checkHandshake(r, p.cfg) != nil {
		return false
	}
	r.RemoteAddr = c.peer.String()
	v := newVisit()
	v.Fields = appendRequest(v.Fields[:0], r, true)
	l := p.lane()
	if len(v.Fields) > mostFields || !l.Polls() || !h.enterDoor() {
		visits.Put(v)
		return false
	}
	v.plugin, v.addr, v.req = p, c.addr, r
	v.Agreed, v.extension = p.agree(r)
	v.FD, v.Early = c.fd, bytes.Clone(early)
	l.ConnectSocket(&v.Call)
	return true
}

// enterDoor counts a handshake, if there is room for it.
func (h *Host) enterDoor() bool {
	if h.sessions.Add(1) > int64(h.cfg.Limits.Sessions) {
		h.sessions.Add(-1)
		return false
	}
	if h.opening.Add(1) > int64(h.cfg.Limits.Handshakes) {
		h.opening.Add(-1)
		h.sessions.Add(-1)
		return false
	}
	return true
}

// answerWriter collects the answer to a request. It is all that gorilla's
// Upgrader or a handler needs to see of a connection.
type answerWriter struct {
	dst    []byte // the answer, behind what there was before
	rw     *bufio.ReadWriter
	header http.Header // of an answer other than 101
	status int
	body   []byte
}

// handshakeBuffer has room for most answers, and is more than gorilla wants to
// see before it makes a buffer of its own.
const handshakeBuffer = 512

func (w *answerWriter) init() {
	w.rw = bufio.NewReadWriter(bufio.NewReaderSize(nothing{}, handshakeBuffer), bufio.NewWriterSize(nil, handshakeBuffer))
}

func (w *answerWriter) begin(dst []byte) {
	w.dst, w.header, w.status, w.body = dst, nil, 0, w.body[:0]
}

// Header implements [http.ResponseWriter].
func (w *answerWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader implements [http.ResponseWriter].
func (w *answerWriter) WriteHeader(status int) { w.status = status }

// Write implements [http.ResponseWriter].
func (w *answerWriter) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}

// end completes an answer other than 101. Nothing follows it on its connection.
func (w *answerWriter) end() {
	h := w.Header()
	h.Set("Connection", "close")
	if h.Get("Date") == "" {
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	if w.status == http.StatusNotModified {
		w.body = nil
	} else {
		h.Set("Content-Length", strconv.Itoa(len(w.body)))
	}
	var b bytes.Buffer
	code := strconv.Itoa(w.status)
	b.WriteString("HTTP/1.1 " + code + " " + cmp.Or(http.StatusText(w.status), "status code "+code) + "\r\n")
	h.Write(&b) // never fails into memory
	b.WriteString("\r\n")
	w.dst = append(append(w.dst, b.Bytes()...), w.body...)
}

// Hijack implements [http.Hijacker].
func (w *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return memoryConn{w}, w.rw, nil
}

// memoryConn is the connection that a handshake in memory is written to.
type memoryConn struct{ w *answerWriter }

func (c memoryConn) Write(p []byte) (int, error) {
	c.w.dst = append(c.w.dst, p...)
	return len(p), nil
}

func (memoryConn) Read([]byte) (int, error)         { return 0, net.ErrClosed }
func (memoryConn) Close() error                     { return nil }
func (memoryConn) LocalAddr() net.Addr              { return nil }
func (memoryConn) RemoteAddr() net.Addr             { return nil }
func (memoryConn) SetDeadline(time.Time) error      { return nil }
func (memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (memoryConn) SetWriteDeadline(time.Time) error { return nil }

// nothing is what a peer sends before it has the answer.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, net.ErrClosed }
