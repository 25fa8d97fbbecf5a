package host

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/net/http/httpguts"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
	"github.com/yimmo-host/yimmo-host/host/poll"
	"github.com/yimmo-host/yimmo-host/host/stream"
)

// An upgrade handles requests to leave HTTP for another protocol.
type upgrade interface {
	// wanted says whether r asks for this protocol.
	wanted(r *http.Request) bool

	// serve answers r. It reports false, having written nothing, when r is to
	// be answered as a plain request after all.
	serve(w http.ResponseWriter, r *http.Request, p *plugin) bool
}

// ignored is the upgrade to anything else, h2c first of all: RFC 9110 section
// 7.8 lets a server answer in the protocol at hand.
type ignored struct{}

func (ignored) wanted(*http.Request) bool                              { return true }
func (ignored) serve(http.ResponseWriter, *http.Request, *plugin) bool { return false }

// webSocket is the opening handshake of RFC 6455 section 4.2.
type webSocket struct{ host *Host }

func (webSocket) wanted(r *http.Request) bool {
	return httpguts.HeaderValuesContainsToken(r.Header["Upgrade"], "websocket")
}

func (u webSocket) serve(w http.ResponseWriter, r *http.Request, p *plugin) bool {
	if fault := checkHandshake(r, p.cfg); fault != nil {
		if r.ContentLength != 0 {
			leaveBody(w)
		}
		p.came(fault.outcome, r.RemoteAddr)
		fault.write(w)
		return true
	}
	if u.host.sessions.Add(1) > int64(u.host.cfg.Limits.Sessions) {
		u.host.sessions.Add(-1)
		p.unavailable(w, r, tooManySessions)
		return true
	}
	if u.host.opening.Add(1) > int64(u.host.cfg.Limits.Handshakes) {
		u.host.opening.Add(-1)
		u.host.sessions.Add(-1)
		p.unavailable(w, r, tooManyHandshakes)
		return true
	}
	if !u.open(w, r, p) {
		u.host.sessions.Add(-1)
	}
	u.host.opening.Add(-1)
	return true
}

// open asks the plugin and, if it accepts, upgrades. It reports whether there
// is a session now, whose end takes it off the count.
func (u webSocket) open(w http.ResponseWriter, r *http.Request, p *plugin) bool {
	fields := appendRequest(make([]byte, 0, 1<<10), r, true)
	if len(fields) > mostFields {
		p.came(largeHead, r.RemoteAddr)
		errFields.write(w)
		return false
	}
	ctx, cancel := context.WithTimeout(r.Context(), u.host.cfg.Limits.Answer)
	defer cancel()
	l := p.lane()
	agreed, extension := p.agree(r)
	d, err := l.Connect(ctx, fields, agreed)
	if err != nil {
		p.came(outcomeOf(err), r.RemoteAddr)
		writeNoAnswer(w, err)
		return false
	}
	if d.Session == 0 {
		p.came(refusedByPlugin, r.RemoteAddr)
		writeRefusal(w, &d)
		return false
	}
	hw := &hijacker{ResponseWriter: w}
	conn, err := u.upgrader().Upgrade(hw, r, upgradeHeader(d.Fields, extension))
	if err != nil {
		p.log.Debug("upgrade failed", "peer", r.RemoteAddr, "err", err)
		p.came(clientLeft, r.RemoteAddr)
		l.Abort(d.Session)
		if hw.conn != nil {
			u.host.gate.leave(hw.conn)
		}
		return false
	}
	p.came(accepted, r.RemoteAddr)
	u.attach(conn.NetConn(), l, d.Session, hw.early, agreed != nil, p)
	return true
}

// attach hands the connection to the transport that can take it.
func (u webSocket) attach(nc net.Conn, l *lane.Lane, session uint64, early []byte, packed bool, p *plugin) {
	inner, rest := unwrap(nc)
	early = append(early, rest...)
	boundUnsent(inner)
	if l.Polls() {
		nc.SetDeadline(time.Time{}) // net/http's, and it stops its timers
		if fd, ok, err := poll.Take(inner); ok && err == nil {
			u.host.gate.moveIn(nc, p, session)
			l.AttachSocket(session, fd, early)
			return
		} else if err != nil {
			p.log.Debug("socket not polled", "peer", nc.RemoteAddr(), "err", err)
		}
	}
	u.host.conns.run(nc, func() {
		defer u.host.sessions.Add(-1)
		defer u.host.gate.leave(nc)
		stream.Serve(inner, l, session, early, packed, &p.stream)
	})
}

// polls says whether lanes are to read plain TCP sockets themselves.
func (h *Host) polls() bool {
	t := h.cfg.Transport
	return t == TransportPoll || t == TransportAuto && poll.Supported
}

func (u webSocket) upgrader() *websocket.Upgrader {
	return &websocket.Upgrader{
		HandshakeTimeout: u.host.cfg.Limits.WriteTime,
		CheckOrigin:      func(*http.Request) bool { return true }, // checkHandshake has
		WriteBufferPool:  discarded{},
		ReadBufferSize:   minBuffer,
		WriteBufferSize:  minBuffer,
	}
}

// minBuffer keeps gorilla's buffers small: only its handshake is used.
const minBuffer = 256

// discarded is a pool of write buffers that are never needed.
type discarded struct{}

func (discarded) Get() any { return nil }
func (discarded) Put(any)  {}

// hijacker keeps what the peer sent right behind its request: gorilla refuses
// such a peer, though RFC 6455 section 4.1 forbids it only to the client.
type hijacker struct {
	http.ResponseWriter
	conn  net.Conn
	early []byte
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := rw.Peek(rw.Reader.Buffered())
	h.conn, h.early = nc, slices.Clone(early)
	rw.Discard(len(early))
	return nc, rw, nil
}

// A fault is a handshake that is refused, and how.
type fault struct {
	status int
	reason string
	header [2]string
	outcome
}

func (f *fault) write(w http.ResponseWriter) {
	if f.header[0] != "" {
		w.Header().Set(f.header[0], f.header[1])
	}
	http.Error(w, f.reason, f.status)
}

// checkHandshake judges the client's opening handshake, RFC 6455 section 4.2.1.
func checkHandshake(r *http.Request, p *Plugin) *fault {
	keys := r.Header["Sec-Websocket-Key"]
	versions := r.Header["Sec-Websocket-Version"]
	switch {
	case r.Method != http.MethodGet:
		return &fault{http.StatusMethodNotAllowed, "a WebSocket handshake is a GET request", [2]string{"Allow", "GET"}, badMethod}
	case !r.ProtoAtLeast(1, 1):
		return &fault{status: http.StatusBadRequest, reason: "a WebSocket handshake needs HTTP/1.1", outcome: badHTTPVersion}
	case !httpguts.HeaderValuesContainsToken(r.Header["Connection"], "upgrade"):
		return &fault{status: http.StatusBadRequest, reason: `the Connection header lacks "Upgrade"`, outcome: badConnection}
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return &fault{status: http.StatusBadRequest, reason: "a WebSocket handshake has no body", outcome: bodyOnUpgrade}
	case len(versions) != 1 || versions[0] != "13":
		return &fault{http.StatusUpgradeRequired, "only version 13 of the WebSocket protocol is spoken here",
			[2]string{"Sec-WebSocket-Version", "13"}, badVersion}
	case len(keys) != 1 || !validKey(keys[0]):
		return &fault{status: http.StatusBadRequest, reason: "Sec-WebSocket-Key must be 16 bytes in base64, once", outcome: badKey}
	case !originAllowed(r, p):
		return &fault{status: http.StatusForbidden, reason: "this origin may not open sessions here", outcome: badOrigin}
	}
	return nil
}

func validKey(key string) bool {
	nonce, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	return err == nil && len(nonce) == 16
}

// originAllowed judges the Origin header, RFC 6455 section 10.2: a browser
// always sends one, and other clients may claim anything anyway.
func originAllowed(r *http.Request, p *Plugin) bool {
	origin := r.Header["Origin"]
	switch {
	case len(origin) == 0:
		return !p.RequireOrigin
	case len(origin) > 1:
		return false
	case len(p.Origins) > 0:
		return slices.Contains(p.Origins, "*") ||
			slices.ContainsFunc(p.Origins, func(a string) bool { return strings.EqualFold(a, origin[0]) })
	}
	u, err := url.Parse(origin[0])
	return err == nil && u.Scheme == scheme(r) && strings.EqualFold(u.Host, r.Host)
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// responseHeader turns the fields of an accept command into headers of the 101.
func responseHeader(fields abi.Fields) http.Header {
	h := http.Header{}
	for name, value := range fields.All() {
		key := string(name)
		if key == abi.FieldProtocol {
			key = "Sec-WebSocket-Protocol"
		}
		h.Add(key, string(value))
	}
	return h
}

func writeRefusal(w http.ResponseWriter, d *lane.Decision) {
	for name, values := range responseHeader(d.Fields) {
		w.Header()[name] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", plainText)
	}
	w.WriteHeader(d.Status)
	w.Write(d.Body)
}

// outcomeOf says why a plugin did not answer.
func outcomeOf(err error) outcome {
	switch {
	case errors.Is(err, lane.ErrQuota):
		return tooManyOfPlugin
	case isDown(err):
		return pluginDown
	case errors.Is(err, context.DeadlineExceeded):
		return undecided
	case errors.Is(err, lane.ErrBehind):
		return answerBehind
	case errors.Is(err, lane.ErrBodies):
		return tooManyBodies
	case errors.Is(err, lane.ErrEnding):
		return draining
	}
	return clientLeft
}

// writeNoAnswer answers in place of a plugin that did not.
func writeNoAnswer(w http.ResponseWriter, err error) {
	o := outcomeOf(err)
	status := http.StatusServiceUnavailable
	if o == undecided {
		status = http.StatusGatewayTimeout
	} else {
		down := &lane.DownError{}
		errors.As(err, &down)
		retryAfter(w, down.After)
	}
	http.Error(w, o.text(), status)
}
