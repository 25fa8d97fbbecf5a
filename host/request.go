package host

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

const plainText = "text/plain; charset=utf-8"

// serveRequest answers a plain request: the plugin does, or the host for it.
func (p *plugin) serveRequest(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if r.ContentLength != 0 { // else net/http is reading already, to notice that the client leaves
		control.SetReadDeadline(time.Now().Add(p.host.cfg.Limits.MessageTime))
	}
	if !p.http {
		p.answerFor(w, r)
		return
	}
	limit := p.host.cfg.Limits.Body
	if r.ContentLength > limit {
		p.refuseBody(w, r, &http.MaxBytesError{Limit: limit})
		return
	}
	fields := appendRequest(make([]byte, 0, 1<<10), r, false)
	if len(fields) > mostFields {
		p.failed(largeHead, r)
		errFields.write(w)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	l := p.lane()
	x, err := l.Request(fields, r.ContentLength == 0)
	if err != nil {
		if r.ContentLength != 0 {
			leaveBody(w)
		}
		p.noAnswer(w, r, err)
		return
	}
	defer l.Leave(x)
	if err := sendBody(r, l, x); err != nil {
		p.refuseBody(w, r, err)
		return
	}
	control.SetReadDeadline(time.Time{})
	p.relay(w, r, x)
}

// answerFor answers a request to a plugin that has nothing to say to HTTP.
func (p *plugin) answerFor(w http.ResponseWriter, r *http.Request) {
	if err := p.down(); err != nil {
		p.noAnswer(w, r, err)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		p.failed(badMethod, r)
		errReadOnly.write(w)
		return
	}
	w.Header().Set("Content-Type", plainText)
	io.WriteString(w, "OK")
}

// errReadOnly is a request to do something that nobody does: RFC 9110 section 15.5.6.
var errReadOnly = &fault{http.StatusMethodNotAllowed, "only GET and HEAD are answered here", [2]string{"Allow", "GET, HEAD"}, badMethod}

// bodyChunk is how much of a request's body becomes one event, in bytes.
const bodyChunk = 32 << 10

func sendBody(r *http.Request, l *lane.Lane, x *lane.Exchange) error {
	if r.ContentLength == 0 {
		return nil
	}
	buf := make([]byte, bodyChunk)
	for {
		n, err := r.Body.Read(buf)
		last := errors.Is(err, io.EOF) // a body that is cut short has another error
		if err != nil && !last {
			return err
		}
		if err := l.Body(x, buf[:n], last); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

// leaveBody makes the answer go out before the request's body is there, and the
// connection end with it. Otherwise net/http first waits for the body.
func leaveBody(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	http.NewResponseController(w).SetReadDeadline(time.Now())
}

// refuseBody answers a request whose body has not come to its end.
func (p *plugin) refuseBody(w http.ResponseWriter, r *http.Request, err error) {
	o, status, text := badBody, http.StatusBadRequest, badBody.text()
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case isDown(err), errors.Is(err, lane.ErrBodies):
		leaveBody(w)
		p.noAnswer(w, r, err)
		return
	case errors.Is(err, os.ErrDeadlineExceeded):
		o, status, text = slowBody, http.StatusRequestTimeout, slowBody.text()
	case errors.As(err, &tooLarge):
		o, status = largeBody, http.StatusRequestEntityTooLarge
		text = "the body is larger than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes"
	}
	p.failed(o, r)
	leaveBody(w)
	http.Error(w, text, status)
}

// noAnswer answers a request in place of the plugin.
func (p *plugin) noAnswer(w http.ResponseWriter, r *http.Request, err error) {
	p.failed(outcomeOf(err), r)
	writeNoAnswer(w, err)
}

// relay copies the plugin's answer to the client as it comes.
func (p *plugin) relay(w http.ResponseWriter, r *http.Request, x *lane.Exchange) {
	ctx, cancel := context.WithTimeout(r.Context(), p.host.cfg.Limits.Answer)
	head, err := x.Next(ctx)
	cancel()
	if isDown(err) && !errors.As(err, new(*lane.DownError)) { // it was up, and heard of the request
		p.failed(answerFailed, r)
		http.Error(w, answerFailed.text(), http.StatusInternalServerError)
		return
	}
	if err != nil {
		p.noAnswer(w, r, err)
		return
	}
	writeHead(w, &head)
	for part := head; ; {
		if err := p.write(w, part.Body); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
			p.failed(brokenOff(err), r)
			return
		}
		if part.End {
			return
		}
		if part.Flush {
			http.NewResponseController(w).Flush()
		}
		if part, err = x.Next(r.Context()); err != nil {
			p.failed(brokenOff(err), r)
			panic(http.ErrAbortHandler) // the client must see that its answer is cut short
		}
	}
}

// brokenOff says why an answer has no end.
func brokenOff(err error) outcome {
	switch {
	case isDown(err):
		return answerFailed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return answerStuck
	}
	return outcomeOf(err)
}

// writeChunk is the most of an answer that is written under one deadline, in
// bytes: a client that takes this much in time is slow, not dead.
const writeChunk = 64 << 10

// write sends more of an answer. It fails when the client takes nothing.
func (p *plugin) write(w http.ResponseWriter, b []byte) error {
	control := http.NewResponseController(w)
	for {
		control.SetWriteDeadline(time.Now().Add(p.host.cfg.Limits.WriteTime)) // for the flush at the end too
		n := min(len(b), writeChunk)
		if _, err := w.Write(b[:n]); err != nil || n == len(b) {
			return err
		}
		b = b[n:]
	}
}

func writeHead(w http.ResponseWriter, head *lane.Part) {
	for name, value := range head.Fields.All() {
		w.Header().Add(string(name), string(value))
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", plainText)
	}
	if head.End && head.Status != http.StatusNoContent && head.Status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(head.Body)))
	}
	w.WriteHeader(head.Status)
}

// mostFields is the most bytes that a request may come to as fields: every guest
// has room for them. They can be many times what came in, for each field has its
// lengths, and each subprotocol of a list is one.
const mostFields = abi.MinArea

var errFields = &fault{status: http.StatusRequestHeaderFieldsTooLarge, reason: "the headers are more than the server passes on"}

// appendRequest describes r to the guest: see the connect and http request
// events in ABI.md. Offered subprotocols are given one by one if upgrade is set.
func appendRequest(dst []byte, r *http.Request, upgrade bool) []byte {
	b := abi.AppendFields(dst)
	add := func(name, value string) { b = abi.AppendField(b, 0, name, value) }
	add(abi.FieldMethod, r.Method)
	add(abi.FieldScheme, scheme(r))
	add(abi.FieldAuthority, r.Host)
	add(abi.FieldPath, r.RequestURI)
	add(abi.FieldRemote, r.RemoteAddr)
	if r.TLS != nil {
		add(abi.FieldTLSName, r.TLS.ServerName)
	}
	if upgrade {
		for _, line := range r.Header["Sec-Websocket-Protocol"] {
			for name := range strings.SplitSeq(line, ",") {
				if name = strings.TrimSpace(name); name != "" { // RFC 9110 section 5.6.1
					add(abi.FieldProtocol, name)
				}
			}
		}
	}
	for _, name := range sortedKeys(r.Header) {
		for _, value := range r.Header[name] {
			add(strings.ToLower(name), value)
		}
	}
	return b
}
