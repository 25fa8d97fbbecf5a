package abitest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

func httpCases() []scenario {
	all := []scenario{
		{name: "request without a body", play: httpGet},
		{name: "request with a body", play: httpPost},
		{name: "large body in pieces", play: httpLarge},
		{name: "answer in parts", play: httpParts},
		{name: "head and body in one command", play: httpWhole},
		{name: "headers of the answer", play: httpHeaders},
		{name: "statuses", play: httpStatuses},
		{name: "refused", play: httpRefused},
		{name: "client leaves before the answer", play: httpGone},
		{name: "several requests at once", play: httpSeveral},
		{name: "never answered", play: func(s *stage) {
			done := s.ask("GET", "", nil, nil)
			e := s.next(abi.EventHTTPRequest)
			(<-done).wantStatus(s, http.StatusGatewayTimeout)
			s.event(abi.EventHTTPGone, e.ID)
			s.wantRefused(abi.StatusUnknownRequest, head(e.ID, 200, true))
		}},
		{name: "begun and never completed", play: func(s *stage) {
			ctx, leave := context.WithCancel(s.Context())
			defer leave()
			done := s.askUntil(ctx, "GET", "", nil, nil)
			e := s.next(abi.EventHTTPRequest)
			s.accepted(new(Script).Do(head(e.ID, 200, false), nil, []byte("half")))
			leave() // nobody else ends it: an answer may go on for ever
			if r := <-done; r.err == nil {
				s.Errorf("request: got %d %q as a whole answer, want none", r.StatusCode, r.body)
			}
			s.event(abi.EventHTTPGone, e.ID)
		}},
	}
	for i := range all {
		all[i].needs = abi.FeatureHTTP
	}
	return append(all, scenario{name: "without the feature the host answers", play: getOK,
		with: Plugin{Module: patched(patch{abi.OffsetWants, uint32(abi.FeatureHold)})}})
}

// reply is what became of a request.
type reply struct {
	*http.Response
	body string
	err  error
}

// ask sends a plain request in the background.
func (s *stage) ask(method, path string, body io.Reader, header http.Header) <-chan reply {
	s.Helper()
	return s.askUntil(s.Context(), method, path, body, header)
}

// askUntil is ask by a client that leaves when ctx is done.
func (s *stage) askUntil(ctx context.Context, method, path string, body io.Reader, header http.Header) <-chan reply {
	s.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.server.URL+path, body)
	if err != nil {
		s.Fatalf("request: %v", err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	done := make(chan reply, 1)
	go func() {
		client := http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       patience,
		}
		var r reply
		if r.Response, r.err = client.Do(req); r.err == nil {
			var b []byte
			b, r.err = io.ReadAll(r.Body)
			r.Body.Close()
			r.body = string(b)
		}
		done <- r
	}()
	return done
}

func (r reply) want(t testing.TB, status int, body string) {
	t.Helper()
	if r.err != nil {
		t.Fatalf("request: %v", r.err)
	}
	if r.StatusCode != status || r.body != body {
		t.Errorf("request: got %d %q, want %d %q", r.StatusCode, r.body, status, body)
	}
}

func (r reply) wantStatus(t testing.TB, status int) {
	t.Helper()
	if r.err != nil {
		t.Fatalf("request: %v", r.err)
	}
	if r.StatusCode != status {
		t.Errorf("request: got %d %q, want %d", r.StatusCode, r.body, status)
	}
}

func getOK(s *stage) {
	s.Helper()
	r := <-s.ask("GET", "/any", nil, nil)
	r.want(s, 200, "OK")
	if ct := r.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/plain") {
		s.Errorf("request: content type %q, want text/plain", ct)
	}
	s.quiet()
}

// hostHeaders are those that a guest may not set, ABI.md section 17.
var hostHeaders = []string{
	"connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade", "sec-websocket-accept",
	"sec-websocket-extensions", "sec-websocket-protocol", "sec-websocket-version",
	"Connection", "Sec-WebSocket-Accept",
}

func head(id uint64, status uint16, end bool) abi.Command {
	c := abi.Command{Kind: abi.CommandHTTPHead, ID: id, Code: status}
	if end {
		c.Flags = abi.FlagEnd
	}
	return c
}

func httpGet(s *stage) {
	done := s.ask("GET", "/x/y?q=1&r=%2F", nil, http.Header{"X-Thing": {"first", "second"}})
	e := s.next(abi.EventHTTPRequest)
	if e.Flags != abi.FlagEnd || e.Code != 0 || e.User != 0 || e.ID>>63 != 1 {
		s.Errorf("http_request: got %v, want FlagEnd, code and user 0, top bit of the id set", e)
	}
	f, err := abi.ParseFields(e.Payload)
	if err != nil {
		s.Fatalf("http_request: payload %q: %v", e.Payload, err)
	}
	u, _ := url.Parse(s.server.URL)
	for name, want := range map[string]string{
		abi.FieldMethod: "GET", abi.FieldScheme: "http", abi.FieldAuthority: u.Host,
		abi.FieldPath: u.Path + "/x/y?q=1&r=%2F", "x-thing": "first",
	} {
		if v, ok := f.Get(name); !ok || string(v) != want {
			s.Errorf("http_request: field %s: got %q, want %q", name, v, want)
		}
	}
	remote, _ := f.Get(abi.FieldRemote)
	if ip, _, err := net.SplitHostPort(string(remote)); err != nil || !net.ParseIP(ip).IsLoopback() {
		s.Errorf("http_request: field %s: got %q, want a loopback address and port", abi.FieldRemote, remote)
	}
	if v, ok := f.Get(abi.FieldProtocol); ok {
		s.Errorf("http_request: field %s: got %q, want none", abi.FieldProtocol, v)
	}
	s.accepted(new(Script).Do(head(e.ID, 200, true), fields("content-type", "text/x-kit"), []byte("answer")))
	r := <-done
	r.want(s, 200, "answer")
	if ct := r.Header.Get("Content-Type"); ct != "text/x-kit" {
		s.Errorf("answer: content type %q, want text/x-kit", ct)
	}
	s.quiet()
}

func httpPost(s *stage) {
	done := s.ask("POST", "", strings.NewReader("question"), nil)
	e := s.next(abi.EventHTTPRequest)
	if e.Flags != 0 {
		s.Errorf("http_request with a body: flags %#02x, want 0", e.Flags)
	}
	if got := s.body(e.ID); string(got) != "question" {
		s.Errorf("http_body: got %q, want %q", got, "question")
	}
	s.accepted(new(Script).Do(head(e.ID, 201, true), nil, []byte("ans"), []byte("wer")))
	(<-done).want(s, 201, "answer")
}

// body reads the events of a request's body.
func (s *stage) body(id uint64) (body []byte) {
	s.Helper()
	for {
		e := s.event(abi.EventHTTPBody, id)
		if e.Flags&^abi.FlagEnd != 0 || e.Code != 0 || e.User != 0 {
			s.Errorf("http_body: got %v, want no flags but FlagEnd, code and user 0", e)
		}
		body = append(body, e.Payload...)
		if e.Flags&abi.FlagEnd != 0 {
			return body
		}
	}
}

func httpLarge(s *stage) {
	want := pattern(3*AreaCap + 5)
	done := s.ask("PUT", "/large", bytes.NewReader(want), nil)
	e := s.next(abi.EventHTTPRequest)
	if got := s.body(e.ID); !bytes.Equal(got, want) {
		s.Errorf("http_body: %d bytes are not the %d that were sent", len(got), len(want))
	}
	s.accepted(new(Script).Do(head(e.ID, 204, true)))
	(<-done).want(s, 204, "")
}

func httpParts(s *stage) {
	done := s.ask("GET", "", nil, nil)
	e := s.next(abi.EventHTTPRequest)
	part := func(flags byte, p ...string) *Script {
		var parts [][]byte
		for _, one := range p {
			parts = append(parts, []byte(one))
		}
		return new(Script).Do(abi.Command{Kind: abi.CommandHTTPBody, ID: e.ID, Flags: flags}, parts...)
	}
	s.accepted(new(Script).Do(head(e.ID, 200, false), fields("x-kit", "parts"), []byte("a")))
	s.accepted(part(0, "b", "c"))
	s.accepted(part(abi.FlagFlush, "d"))
	s.accepted(part(abi.FlagEnd, "e"))
	(<-done).want(s, 200, "abcde")
	s.quiet()
	s.wantRefused(abi.StatusUnknownRequest, abi.Command{Kind: abi.CommandHTTPBody, ID: e.ID}, []byte("late"))
}

func httpWhole(s *stage) {
	s.do(new(Script).Arm(abi.EventHTTPRequest, new(Script).Do(head(Self, 404, true), nil, []byte("no such thing"))))
	(<-s.ask("GET", "/nowhere", nil, nil)).want(s, 404, "no such thing")
	s.do(new(Script).Arm(abi.EventHTTPRequest, new(Script).Do(head(Self, 200, true), nil, []byte("not sent"))))
	(<-s.ask("HEAD", "/", nil, nil)).want(s, 200, "")
	s.do(new(Script).Arm(abi.EventHTTPRequest, new(Script).Do(head(Self, 200, false)).
		Do(abi.Command{Kind: abi.CommandHTTPBody, ID: Self}, []byte("one ")).
		Do(abi.Command{Kind: abi.CommandHTTPBody, ID: Self, Flags: abi.FlagEnd}, []byte("two"))))
	(<-s.ask("GET", "/", nil, nil)).want(s, 200, "one two")
}

func httpHeaders(s *stage) {
	s.do(new(Script).Arm(abi.EventHTTPRequest, new(Script).Do(head(Self, 200, true),
		fields("set-cookie", "a=1", "set-cookie", "b=2", "x-empty", ""), []byte("ok"))))
	r := <-s.ask("GET", "", nil, nil)
	r.want(s, 200, "ok")
	if got := r.Header["Set-Cookie"]; !slices.Equal(got, []string{"a=1", "b=2"}) {
		s.Errorf("answer: set-cookie: got %q, want both in order", got)
	}
}

func httpStatuses(s *stage) {
	for _, status := range []uint16{200, 301, 418, 500, 599} {
		s.do(new(Script).Arm(abi.EventHTTPRequest, new(Script).Do(head(Self, status, true), nil, []byte("x"))))
		(<-s.ask("GET", "", nil, nil)).want(s, int(status), "x")
	}
}

func httpRefused(s *stage) {
	done := s.ask("GET", "", nil, nil)
	e := s.next(abi.EventHTTPRequest)
	body := abi.Command{Kind: abi.CommandHTTPBody, ID: e.ID}
	with := func(c abi.Command, change func(*abi.Command)) abi.Command { change(&c); return c }
	ok := head(e.ID, 200, false)
	for _, r := range []struct {
		c     abi.Command
		parts [][]byte
		want  abi.Status
	}{
		{with(ok, func(c *abi.Command) { c.Code = 0 }), nil, abi.StatusBadCode},
		{with(ok, func(c *abi.Command) { c.Code = 101 }), nil, abi.StatusBadCode},
		{with(ok, func(c *abi.Command) { c.Code = 199 }), nil, abi.StatusBadCode},
		{with(ok, func(c *abi.Command) { c.Code = 600 }), nil, abi.StatusBadCode},
		{with(ok, func(c *abi.Command) { c.Flags = 0x40 }), nil, abi.StatusReserved},
		{with(ok, func(c *abi.Command) { c.Arg = 1 }), nil, abi.StatusReserved},
		{ok, [][]byte{fields("a b", "c")}, abi.StatusBadFields},
		{ok, [][]byte{fields("a", "b\nc")}, abi.StatusBadFields},
		{ok, [][]byte{fields(":status", "200")}, abi.StatusBadFields},
		{ok, [][]byte{[]byte("abc")}, abi.StatusBadFields},
		{body, [][]byte{[]byte("before the head")}, abi.StatusBadSequence},
		{with(body, func(c *abi.Command) { c.Flags = 0x40 }), nil, abi.StatusReserved},
		{with(body, func(c *abi.Command) { c.Code = 200 }), nil, abi.StatusReserved},
		{with(body, func(c *abi.Command) { c.Arg = 1 }), nil, abi.StatusReserved},
		{with(ok, func(c *abi.Command) { c.ID = e.ID + 1 }), nil, abi.StatusUnknownRequest},
		{with(body, func(c *abi.Command) { c.ID = s.id }), nil, abi.StatusUnknownRequest},
		{abi.Command{Kind: abi.CommandSend, Flags: textFrame, ID: e.ID}, nil, abi.StatusUnknownSession},
	} {
		s.wantRefused(r.want, r.c, r.parts...)
	}
	for _, name := range hostHeaders {
		s.wantRefused(abi.StatusBadFields, ok, fields(name, "1"))
	}
	s.accepted(new(Script).Do(ok))
	s.wantRefused(abi.StatusBadSequence, ok)
	s.accepted(new(Script).Do(abi.Command{Kind: abi.CommandHTTPBody, ID: e.ID, Flags: abi.FlagEnd}, []byte("done")))
	(<-done).want(s, 200, "done")
	s.wantRefused(abi.StatusUnknownRequest, ok)
}

func httpGone(s *stage) {
	u, _ := url.Parse(s.server.URL)
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		s.Fatalf("client: %v", err)
	}
	io.WriteString(conn, "GET "+u.Path+"/ HTTP/1.1\r\nHost: "+u.Host+"\r\n\r\n")
	e := s.next(abi.EventHTTPRequest)
	conn.Close()
	if gone := s.event(abi.EventHTTPGone, e.ID); len(gone.Payload) != 0 || gone.Flags != 0 || gone.Code != 0 {
		s.Errorf("http_gone: got %v, want nothing but the id", gone)
	}
	s.wantRefused(abi.StatusUnknownRequest, head(e.ID, 200, true))
}

func httpSeveral(s *stage) {
	one := s.ask("GET", "/one", nil, nil)
	first := s.next(abi.EventHTTPRequest)
	two := s.ask("GET", "/two", nil, nil)
	second := s.next(abi.EventHTTPRequest)
	if first.ID == second.ID {
		s.Fatalf("http_request: both have the id %#x", first.ID)
	}
	s.accepted(new(Script).Do(head(second.ID, 200, true), nil, []byte("2")))
	(<-two).want(s, 200, "2")
	s.accepted(new(Script).Do(head(first.ID, 200, true), nil, []byte("1")))
	(<-one).want(s, 200, "1")
}
