package host_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// reply is what a raw request is answered with.
type reply struct {
	method string // of the request
	status int
	body   string // part of it
}

// Plain HTTP as bytes: requests, well-formed and not, and what comes back. The
// plugin on "/" has nothing to say to HTTP, the one on "/witness" sends the body
// back.
func TestHTTP(t *testing.T) { eachTransport(t, testHTTP) }

func testHTTP(t *testing.T, on transport) {
	mute := wat(t, "trap_in_recv")
	mute.Route = "/"
	s := on.serve(t, host.Limits{Body: 4096}, mute, wat(t, "witness"), echo(t, ""))
	ok := reply{"GET", 200, "OK"}
	const end = "Host: h\r\n\r\n"
	post := func(headers, body string) string {
		return "POST /witness HTTP/1.1\r\n" + headers + end + body
	}
	tests := []struct {
		name    string
		request string
		replies []reply
		closed  bool // the host ends the connection then; else it takes another request
	}{
		{"1.0", "GET / HTTP/1.0\r\n\r\n", []reply{ok}, true},
		{"1.0, keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", []reply{ok}, false},
		{"1.1", "GET / HTTP/1.1\r\n" + end, []reply{ok}, false},
		{"1.1, close", "GET / HTTP/1.1\r\nConnection: close\r\n" + end, []reply{ok}, true},
		{"a plugin that answers", "GET /echo HTTP/1.1\r\n" + end, []reply{ok}, false},
		{"HEAD", "HEAD / HTTP/1.1\r\n" + end, []reply{{"HEAD", 200, ""}}, false},
		{"HEAD of a plugin", "HEAD /echo HTTP/1.1\r\n" + end, []reply{{"HEAD", 200, ""}}, false},
		{"HEAD, then GET", "HEAD /echo HTTP/1.1\r\n" + end + "GET / HTTP/1.1\r\n" + end, []reply{{"HEAD", 200, ""}, ok}, false},
		{"no host", "GET / HTTP/1.1\r\n\r\n", []reply{{"GET", 400, ""}}, true},
		{"another path", "GET /no/such HTTP/1.1\r\n" + end, []reply{ok}, false},

		{"three in a row", strings.Repeat("GET / HTTP/1.1\r\n"+end, 3), []reply{ok, ok, ok}, false},
		{"three of two plugins", "GET / HTTP/1.1\r\n" + end + post("Content-Length: 3\r\n", "two") + "GET /echo HTTP/1.1\r\n" + end,
			[]reply{ok, {"POST", 200, "two"}, ok}, false},
		{"body", post("Content-Length: 5\r\n", "hello"), []reply{{"POST", 200, "hello"}}, false},
		{"empty body", post("Content-Length: 0\r\n", ""), []reply{{"POST", 200, "content-length0"}}, false},
		{"largest body", post("Content-Length: 4096\r\n", strings.Repeat("b", 4096)), []reply{{"POST", 200, strings.Repeat("b", 4096)}}, false},
		{"body for a plugin that takes none", "POST / HTTP/1.1\r\nContent-Length: 5\r\n" + end + "hello", []reply{{"POST", 405, "GET"}}, false},
		{"chunked, then GET", post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n") + "GET / HTTP/1.1\r\n" + end,
			[]reply{{"POST", 200, "hello world"}, ok}, false},
		{"chunked, empty", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), []reply{{"POST", 200, ""}}, false},
		{"chunk that is none", post("Transfer-Encoding: chunked\r\n", "xyz\r\n"), []reply{{"POST", 400, ""}}, true},

		{"chunks too large", post("Transfer-Encoding: chunked\r\n", "1001\r\n"+strings.Repeat("b", 4097)+"\r\n0\r\n\r\n"), []reply{{"POST", 413, "4096"}}, true},
		{"100-continue", post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"), []reply{{"POST", 100, ""}, {"POST", 200, "hello"}}, false},

		{"two lengths", post("Content-Length: 3\r\nContent-Length: 5\r\n", "hello"), []reply{{"POST", 400, ""}}, true},
		{"negative length", post("Content-Length: -1\r\n", ""), []reply{{"POST", 400, ""}}, true},
		{"length that is none", post("Content-Length: 5x\r\n", "hello"), []reply{{"POST", 400, ""}}, true},
		{"unknown coding", post("Transfer-Encoding: gzip\r\n", ""), []reply{{"POST", 501, ""}}, true},

		{"method that is none", "g@t / HTTP/1.1\r\n" + end, []reply{{"GET", 400, ""}}, true},
		{"HTTP/2.0", "GET / HTTP/2.0\r\n" + end, []reply{{"GET", 505, ""}}, true},
		{"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []reply{{"GET", 400, ""}}, true},
		{"TLS", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", []reply{{"GET", 400, ""}}, true},
		{"line feeds alone", "GET / HTTP/1.1\nHost: h\n\n", []reply{ok}, false},
		{"header with an underscore", "GET / HTTP/1.1\r\nX_Y: 1\r\n" + end, []reply{ok}, false},
		{"space before a colon", "GET / HTTP/1.1\r\nX : 1\r\n" + end, []reply{{"GET", 400, ""}}, true},
		{"NUL in a header", "GET / HTTP/1.1\r\nX: a\x00b\r\n" + end, []reply{{"GET", 400, ""}}, true},
		{"headers of 8 KiB", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 8<<10) + "\r\n" + end, []reply{ok}, false},
		{"headers of 32 KiB", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 32<<10) + "\r\n" + end, []reply{{"GET", 431, ""}}, true},
		{"path of 8 KiB", "GET /" + strings.Repeat("x", 8<<10) + " HTTP/1.1\r\n" + end, []reply{ok}, false},
		{"h2c", "GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n" + end, []reply{ok}, false},
		{"upgrade to nothing known", "GET / HTTP/1.1\r\nUpgrade: foo/2\r\nConnection: Upgrade\r\n" + end, []reply{ok}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.dial(t)
			p.write([]byte(tt.request))
			for _, want := range tt.replies {
				a := p.answer(want.method)
				if a.Status != want.status || !strings.Contains(a.Body, want.body) || want.body == "" && want.status == 200 && a.Body != "" {
					t.Fatalf("got %s %.80q, want %d and %.80q", a.Line, a.Body, want.status, want.body)
				}
				if a.Header.Get("Date") == "" && a.Status == 200 {
					t.Error("no date, RFC 9110 section 6.6.1")
				}
			}
			if tt.closed {
				p.wantCut() // possibly by a reset, if not all of the request was read
				return
			}
			p.write([]byte("GET / HTTP/1.1\r\n" + end))
			if a := p.answer("GET"); a.Status != 200 {
				t.Errorf("next request: got %s, want 200", a.Line)
			}
		})
	}
}

// A method that nobody answers is refused, with those that are, RFC 9110 section 15.5.6:
// nobody is to think that anything has been done.
func TestMethods(t *testing.T) { eachTransport(t, testMethods) }

func testMethods(t *testing.T, on transport) {
	s := on.serveAdmin(t, unchanged, wat(t, "trap_in_recv"), wat(t, "witness"))
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
	tests := []struct {
		method, path, lines string
		status              int
		allow               string
	}{
		{"GET", "/trap_in_recv", "", 200, ""},
		{"HEAD", "/trap_in_recv", "", 200, ""},
		{"POST", "/trap_in_recv", "Content-Length: 0\r\n", 405, "GET, HEAD"},
		{"PUT", "/trap_in_recv", "", 405, "GET, HEAD"},
		{"PATCH", "/trap_in_recv", "", 405, "GET, HEAD"},
		{"DELETE", "/trap_in_recv", "", 405, "GET, HEAD"},
		{"OPTIONS", "/trap_in_recv", "", 405, "GET, HEAD"},
		{"TRACE", "/trap_in_recv", "", 405, "GET, HEAD"},
		{"get", "/trap_in_recv", "", 405, "GET, HEAD"},
		{"POST", "/trap_in_recv", upgrade, 405, "GET"},
		{"HEAD", "/trap_in_recv", upgrade, 405, "GET"},
		{"GET", "/trap_in_recv", upgrade, 426, ""},
		{"POST", "/trap_in_recv", "Upgrade: h2c\r\nConnection: Upgrade\r\n", 405, "GET, HEAD"},
		{"DELETE", "/witness", "", 200, ""}, // it answers everything
		{"DELETE", "/witness", upgrade, 405, "GET"},
		{"POST", "/elsewhere", "", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			p := s.dial(t)
			p.write([]byte(tt.method + " " + tt.path + " HTTP/1.1\r\nHost: h\r\n" + tt.lines + "\r\n"))
			if a := p.answer(tt.method); a.Status != tt.status || a.Header.Get("Allow") != tt.allow {
				t.Errorf("got %s, Allow %q, want %d, %q", a.Line, a.Header.Get("Allow"), tt.status, tt.allow)
			}
		})
	}
	s.wantSamples(t, map[string]float64{
		`yimmo_http_requests_failed_total{plugin="trap_in_recv",reason="method"}`: 8,
		`yimmo_ws_connections_total{plugin="trap_in_recv",result="method"}`:       2,
		`yimmo_ws_connections_total{plugin="witness",result="method"}`:            1,
	})
	s.log.wait(t, `msg="request not answered: nobody answers this method" plugin=trap_in_recv`)
}

// What is no request of HTTP/1.1, or not in time, and what the peer is told. Where
// lanes poll it is the host that says so, else net/http.
func TestBadRequests(t *testing.T) { eachTransport(t, testBadRequests) }

func testBadRequests(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{HeaderTime: 300 * time.Millisecond}, wat(t, "witness"))
	const end = "Host: h\r\n\r\n"
	const first = "GET /witness HTTP/1.1\r\n"
	const both = "POST /witness HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + end + "5\r\nhello\r\n0\r\n\r\n"
	tests := []struct {
		name    string
		request string
		status  int
		body    string // part of it
		other   int    // status of net/http; 0: perhaps none
		goesOn  bool   // the connection, with net/http
	}{
		{"length and chunked", both, 400, "exclude each other", 200, false},
		{"length and chunked, in capitals", strings.ToUpper(both), 400, "exclude each other", 404, false},
		{"path of 17 KiB", "GET /" + strings.Repeat("x", 17<<10) + " HTTP/1.1\r\n" + end, 414, "request line", 404, true},
		{"path of 64 KiB", "GET /" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\n" + end, 414, "request line", 431, false},
		{"headers of 17 KiB", first + "X: " + strings.Repeat("x", 17<<10) + "\r\n" + end, 431, "headers", 200, true},
		{"headers of 64 KiB", first + strings.Repeat("X: x\r\n", 8<<10) + end, 431, "headers", 431, false},
		{"no colon", first + "Hello\r\n" + end, 400, "Hello", 400, false},
		{"one word", "GET\r\n\r\n", 400, "malformed HTTP request", 400, false},
		{"one long word", strings.Repeat("x", 8<<10) + "\r\n\r\n", 400, "xxx...", 400, false},
		{"version that is none", "GET / HTTP/x\r\n" + end, 400, "malformed HTTP version", 400, false},
		{"path that is none", "GET /%zz HTTP/1.1\r\n" + end, 400, "%zz", 400, false},
		{"two lengths", "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n" + end, 400, "Content-Length", 400, false},
		{"half a line", first[:9], 408, "took too long", 0, false},
		{"half a head", first + "Host: h\r\n", 408, "took too long", 0, false},
		{"half a handshake", string(rawws.Handshake("h", "/witness"))[:60], 408, "took too long", 0, false},
	}
	var all sync.WaitGroup // at the same time, for some take a while
	for _, tt := range tests {
		p := s.dial(t)
		all.Go(func() {
			p.Write([]byte(tt.request)) // not all of it may be taken
			a, err := p.ReadAnswer("POST")
			if on != host.TransportStream {
				if err != nil || a.Status != tt.status || !strings.Contains(a.Body, tt.body) || a.Header.Get("Connection") != "close" {
					t.Errorf("%s: got %+v, %v, want %d and %q", tt.name, a, err, tt.status, tt.body)
				}
			} else if tt.other != 0 && (err != nil || a.Status != tt.other) {
				t.Errorf("%s: got %+v, %v, want %d", tt.name, a, err, tt.other)
			}
			if on != host.TransportStream || !tt.goesOn {
				p.wantCut()
			}
		})
	}
	all.Wait()
}

// On a connection that goes on, a request in chunks that may have had a length as
// well is the last: who believed the length takes the rest for a request.
func TestChunksAndLengths(t *testing.T) { eachTransport(t, testChunksAndLengths) }

func testChunksAndLengths(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"))
	const chunks = "Transfer-Encoding: chunked\r\nHost: h\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	const post = "POST /witness HTTP/1.1\r\n"
	for _, tt := range []struct {
		name   string
		second string
		closed bool
	}{
		{"no length", post + chunks, false},
		{"length", post + "Content-Length: 3\r\n" + chunks, true},
		{"length in capitals", post + "CONTENT-LENGTH: 3\r\n" + chunks, true},
		{"length in another's name", post + "X-Content-Length: 3\r\n" + chunks, false},
	} {
		for name, write := range map[string]func(p *peer, b []byte){"": (*peer).write, ", byte by byte": (*peer).trickle} {
			t.Run(tt.name+name, func(t *testing.T) {
				p := s.dial(t)
				p.write([]byte("GET /witness HTTP/1.1\r\nHost: h\r\n\r\n"))
				p.answer("GET")
				write(p, []byte(tt.second))
				if a := p.answer("POST"); a.Status != 200 || a.Body != "hello" {
					t.Fatalf("got %s %q, want 200 hello", a.Line, a.Body)
				}
				if tt.closed {
					p.wantCut()
					return
				}
				p.write([]byte(post + chunks))
				if a := p.answer("POST"); a.Status != 200 {
					t.Errorf("third: got %s, want 200", a.Line)
				}
			})
		}
	}
}

// HTTP/1.0 has no chunks, and who believed in them takes what follows for a body: it
// is not taken for a request.
func TestChunksOfOldHTTP(t *testing.T) { eachTransport(t, testChunksOfOldHTTP) }

func testChunksOfOldHTTP(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"))
	const get = "GET /witness HTTP/1.1\r\nHost: h\r\n\r\n"
	const old = "POST /witness HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, before := range map[string]string{"first": "", "second": get} {
		t.Run(name, func(t *testing.T) {
			p := s.dial(t)
			p.write([]byte(before + old + get))
			if before != "" {
				p.answer("GET")
			}
			if a := p.answer("POST"); a.Header.Get("Connection") == "keep-alive" {
				t.Errorf("got %+v, want the end of the connection", a)
			}
			if rest, _ := p.Rest(); len(rest) > 0 { // perhaps a reset, for not all of it was read
				t.Errorf("got %q behind the answer, want nothing", rest)
			}
		})
	}
}

// The answer of the host, in place of a plugin without a say in HTTP, byte by byte
// but for the date.
func TestOK(t *testing.T) { eachTransport(t, testOK) }

func testOK(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "trap_in_recv"))
	p := s.dial(t)
	p.write([]byte("GET /trap_in_recv HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
	all, err := p.Rest()
	var lines []string
	for _, line := range strings.Split(string(all), "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			lines = append(lines, line)
		}
	}
	want := "HTTP/1.1 200 OK|Content-Type: text/plain; charset=utf-8|Content-Length: 2|Connection: close||OK"
	if got := strings.Join(lines, "|"); got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// A plugin learns all there is to know of a request.
func TestRequestFields(t *testing.T) { eachTransport(t, testRequestFields) }

func testRequestFields(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"))
	p := s.dial(t)
	p.write([]byte("DELETE /witness?a=b%20c HTTP/1.1\r\nHost: h:1\r\nX-B: 2\r\nx-a: 1\r\nX-B: 3\r\n\r\n"))
	a := p.answer("DELETE")
	fields, err := abi.ParseFields([]byte(a.Body))
	if a.Status != 200 || err != nil {
		t.Fatalf("got %s, %v", a.Line, err)
	}
	var got []string
	for name, value := range fields.All() {
		got = append(got, fmt.Sprintf("%s=%s", name, value))
	}
	for _, want := range []string{":method=DELETE", ":scheme=http", ":authority=h:1", ":path=/witness?a=b%20c",
		":remote=" + p.LocalAddr().String(), "x-a=1", "x-b=2", "x-b=3"} {
		if !strings.Contains("|"+strings.Join(got, "|")+"|", "|"+want+"|") {
			t.Errorf("fields: got %q, want %q among them", got, want)
		}
	}
}

// A body reaches the plugin while it comes, and the answer does not wait for its end.
func TestBodyStreams(t *testing.T) { eachTransport(t, testBodyStreams) }

func testBodyStreams(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"))
	p := s.dial(t)
	p.write([]byte("POST /witness HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"))
	body := strings.Repeat("0123456789", 100000)
	go p.Write([]byte(body))
	if a := p.answer("POST"); a.Status != 200 || a.Body != body {
		t.Errorf("got %s and %d bytes, want the %d that were sent", a.Line, len(a.Body), len(body))
	}
}

// gone gives a client the ways in which it can leave.
var gone = []struct {
	name string
	act  func(p *peer)
}{
	{"FIN", func(p *peer) { p.Close() }},
	{"reset", func(p *peer) { p.Reset() }},
}

// A plugin hears that a client went away before its answer was complete.
func TestClientGone(t *testing.T) { eachTransport(t, testClientGone) }

func testClientGone(t *testing.T, on transport) {
	for _, tt := range gone {
		t.Run(tt.name, func(t *testing.T) {
			s := on.serve(t, host.Limits{}, wat(t, "never_answers"))
			p := s.dial(t)
			p.write([]byte("GET /never_answers HTTP/1.1\r\nHost: h\r\n\r\n"))
			s.log.wait(t, "asked")
			tt.act(p)
			s.log.wait(t, "gone")
		})
	}
}

// A plugin that does not answer is answered for.
func TestNoAnswer(t *testing.T) { eachTransport(t, testNoAnswer) }

func testNoAnswer(t *testing.T, on transport) {
	waits(t)
	s := on.serve(t, host.Limits{Answer: 20 * time.Millisecond}, wat(t, "never_answers"), wat(t, "holds"))
	p := s.dial(t)
	p.write([]byte("GET /never_answers HTTP/1.1\r\nHost: h\r\n\r\n"))
	if a := p.answer("GET"); a.Status != 504 {
		t.Errorf("request: got %s, want 504", a.Line)
	}
	s.log.wait(t, "gone")
	p = s.dial(t)
	p.write(rawws.Handshake(s.addr, "/holds"))
	if a := p.answer("GET"); a.Status != 504 {
		t.Errorf("upgrade: got %s, want 504", a.Line)
	}
}

// Who does not send a request to its end is cut.
func TestSlowHeaders(t *testing.T) { eachTransport(t, testSlowHeaders) }

func testSlowHeaders(t *testing.T, on transport) {
	waits(t)
	s := on.serve(t, host.Limits{HeaderTime: 100 * time.Millisecond}, wat(t, "trap_in_recv"))
	t.Run("silent", func(t *testing.T) { s.dial(t).wantCut() })
	t.Run("half", func(t *testing.T) {
		p := s.dial(t)
		p.write([]byte("GET /trap_in_recv HTTP/1.1\r\nHost: "))
		p.wantCut()
	})
	t.Run("dripping", func(t *testing.T) {
		p := s.dial(t)
		p.write([]byte("GET /trap_in_recv HTTP/1.1\r\nHost: "))
		drips, stopped := time.NewTicker(time.Millisecond), make(chan struct{})
		defer drips.Stop()
		go func() {
			defer close(stopped)
			for range drips.C {
				if _, err := p.Write([]byte("h")); err != nil {
					return
				}
			}
		}()
		p.wantCut()
		p.Close()
		<-stopped
	})
	t.Run("slow handshake", func(t *testing.T) {
		p := s.dial(t)
		p.write(rawws.Handshake(s.addr, "/trap_in_recv")[:60])
		p.wantCut()
	})
}

// A plugin may take longer for its answer than a client for its body.
func TestSlowAnswer(t *testing.T) { eachTransport(t, testSlowAnswer) }

func testSlowAnswer(t *testing.T, on transport) {
	waits(t)
	s := on.serve(t, host.Limits{MessageTime: 200 * time.Millisecond, Answer: 400 * time.Millisecond}, wat(t, "never_answers"))
	p := s.dial(t)
	p.write([]byte("POST /never_answers HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"))
	if a := p.answer("POST"); a.Status != 504 {
		t.Errorf("got %s, want 504 when the time to answer has passed", a.Line)
	}
}

// A kept-alive connection that stays silent is closed.
func TestIdleHTTP(t *testing.T) { eachTransport(t, testIdleHTTP) }

func testIdleHTTP(t *testing.T, on transport) {
	waits(t)
	s := on.serve(t, host.Limits{HTTPIdle: 50 * time.Millisecond}, wat(t, "trap_in_recv"))
	p := s.dial(t)
	p.write([]byte("GET /trap_in_recv HTTP/1.1\r\nHost: h\r\n\r\n"))
	p.answer("GET")
	p.wantEOF()
}

// A session outlives the limits of HTTP.
func TestSessionOutlivesHTTPLimits(t *testing.T) { eachWaits(t, testSessionOutlivesHTTPLimits) }

func testSessionOutlivesHTTPLimits(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{HTTPIdle: 500 * time.Millisecond, HeaderTime: 500 * time.Millisecond}, wat(t, "trap_in_recv"))
	p := s.open(t, "/trap_in_recv")
	p.Patience = time.Second
	if f, err := p.ReadFrame(); err == nil || !err.(net.Error).Timeout() {
		t.Fatalf("got %v, %v, want silence", f, err)
	}
	p.Patience = patience
	p.alive()
	p.leave()
}
