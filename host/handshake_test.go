package host_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// handshake is an upgrade request, line by line. Each change replaces the line
// that begins with the same word, or is added; "-Word" removes a line.
func handshake(changes ...string) string {
	lines := []string{
		"GET /echo HTTP/1.1", "Host: server.example.com", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + rawws.Key,
	}
	for _, change := range changes {
		word, _, _ := strings.Cut(change, ":")
		if i := strings.IndexByte(change, ' '); strings.Contains(change, " HTTP/") && i > 0 {
			lines[0] = change
			continue
		}
		found := false
		for i, line := range lines {
			name, _, _ := strings.Cut(line, ":")
			if strings.EqualFold(name, strings.TrimPrefix(word, "-")) && !strings.HasPrefix(change, "+") {
				lines[i], found = change, true
				if change[0] == '-' {
					lines = append(lines[:i], lines[i+1:]...)
				}
				break
			}
		}
		if !found {
			lines = append(lines, strings.TrimPrefix(change, "+"))
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// The opening handshake, RFC 6455 section 4.2: who gets 101, and what the others
// are told. The request is sent as it is; a session that opens is used.
func TestHandshake(t *testing.T) { eachTransport(t, testHandshake) }

func testHandshake(t *testing.T, on transport) {
	allows := echo(t, "")
	allows.Name, allows.Origins = "allows", []string{"https://app.example.com", "http://localhost:3000"}
	open := echo(t, "")
	open.Name, open.Origins = "open", []string{"*"}
	below := echo(t, "")
	below.Name, below.Route = "below", "/below/"
	pages := echo(t, "")
	pages.Name, pages.RequireOrigin = "pages", true
	s := on.serve(t, host.Limits{}, echo(t, ""), allows, open, below, pages)

	tests := []struct {
		name    string
		request string
		status  int
		reason  string // part of the body
		header  string // "Name: value" that the answer must have
	}{
		{"good", handshake(), 101, "", "Sec-WebSocket-Accept: " + rawws.Accept},
		{"good: upgrade", handshake(), 101, "", "Upgrade: websocket"},
		{"good: connection", handshake(), 101, "", "Connection: Upgrade"},
		{"several connection options", handshake("Connection: keep-alive, Upgrade"), 101, "", ""},
		{"connection options in two headers", handshake("Connection: keep-alive", "+Connection: upgrade"), 101, "", ""},
		{"any case", handshake("Upgrade: WebSocket", "Connection: upgrade"), 101, "", ""},
		{"h2c first, websocket second", handshake("Upgrade: h2c, websocket"), 101, "", ""},
		{"unknown headers", handshake("X-Under_score: 1", "Cookie: a=b"), 101, "", ""},
		{"subprotocols that are none", handshake("Sec-WebSocket-Protocol: " + strings.Repeat(",", 15<<10)), 101, "", ""},
		{"HTTP/1.2", handshake("GET /echo HTTP/1.2"), 101, "", ""},

		{"no key", handshake("-Sec-WebSocket-Key"), 400, "Sec-WebSocket-Key", ""},
		{"empty key", handshake("Sec-WebSocket-Key:"), 400, "Sec-WebSocket-Key", ""},
		{"key x", handshake("Sec-WebSocket-Key: x"), 400, "16 bytes", ""},
		{"key of 15 bytes", handshake("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"), 400, "16 bytes", ""},
		{"key of 200 characters", handshake("Sec-WebSocket-Key: " + strings.Repeat("A", 200)), 400, "16 bytes", ""},
		{"key that is not base64", handshake("Sec-WebSocket-Key: ************************"), 400, "base64", ""},
		{"two keys", handshake("+Sec-WebSocket-Key: " + rawws.Key), 400, "once", ""},

		{"more subprotocols than a guest has room for", handshake("Sec-WebSocket-Protocol: " + strings.Repeat("a,", 7<<10)), 431, "headers", ""},

		{"no version", handshake("-Sec-WebSocket-Version"), 426, "version 13", "Sec-WebSocket-Version: 13"},
		{"version 8", handshake("Sec-WebSocket-Version: 8"), 426, "version 13", "Sec-WebSocket-Version: 13"},
		{"version 99", handshake("Sec-WebSocket-Version: 99"), 426, "version 13", "Sec-WebSocket-Version: 13"},
		{"version 13, 8", handshake("Sec-WebSocket-Version: 13, 8"), 426, "version 13", "Sec-WebSocket-Version: 13"},
		{"two versions", handshake("+Sec-WebSocket-Version: 8"), 426, "version 13", "Sec-WebSocket-Version: 13"},

		{"HTTP/1.0", handshake("GET /echo HTTP/1.0"), 400, "HTTP/1.1", ""},
		{"no connection", handshake("-Connection"), 400, "Connection", ""},
		{"connection: keep-alive", handshake("Connection: keep-alive"), 400, "Connection", ""},
		{"no host", handshake("-Host"), 400, "", ""},
		{"two hosts", handshake("+Host: other.example.com"), 400, "", ""},
		{"POST", handshake("POST /echo HTTP/1.1"), 405, "GET", "Allow: GET"},
		{"PUT", handshake("PUT /echo HTTP/1.1"), 405, "GET", "Allow: GET"},
		{"no upgrade", handshake("-Upgrade"), 200, "OK", ""},
		{"upgrade to something else", handshake("Upgrade: foo"), 200, "OK", ""},

		{"another path", handshake("GET /elsewhere HTTP/1.1"), 404, "", ""},
		{"below the path", handshake("GET /echo/more HTTP/1.1"), 404, "", ""},
		{"query", handshake("GET /echo?room=1 HTTP/1.1"), 101, "", ""},
		{"below a route with a slash", handshake("GET /below/a/b HTTP/1.1"), 101, "", ""},

		{"no origin", handshake(), 101, "", ""},
		{"own origin", handshake("Origin: http://server.example.com"), 101, "", ""},
		{"own origin in capitals", handshake("Origin: http://SERVER.example.com"), 101, "", ""},
		{"another origin", handshake("Origin: http://evil.example.com"), 403, "origin", ""},
		{"own host, other scheme", handshake("Origin: https://server.example.com"), 403, "origin", ""},
		{"own host, other port", handshake("Origin: http://server.example.com:81"), 403, "origin", ""},
		{"own host as the beginning", handshake("Origin: http://server.example.com.evil.com"), 403, "origin", ""},
		{"origin null", handshake("Origin: null"), 403, "origin", ""},
		{"empty origin", handshake("Origin:"), 403, "origin", ""},
		{"two origins", handshake("Origin: http://server.example.com", "+Origin: http://evil.example.com"), 403, "origin", ""},
		{"listed", handshake("GET /allows HTTP/1.1", "Origin: https://app.example.com"), 101, "", ""},
		{"listed, second", handshake("GET /allows HTTP/1.1", "Origin: http://localhost:3000"), 101, "", ""},
		{"list: other scheme", handshake("GET /allows HTTP/1.1", "Origin: http://app.example.com"), 403, "origin", ""},
		{"list: own host is not on it", handshake("GET /allows HTTP/1.1", "Origin: http://server.example.com"), 403, "origin", ""},
		{"list: two of it", handshake("GET /allows HTTP/1.1", "Origin: https://app.example.com", "+Origin: http://localhost:3000"), 403, "origin", ""},
		{"required and there", handshake("GET /pages HTTP/1.1", "Origin: http://server.example.com"), 101, "", ""},
		{"required and missing", handshake("GET /pages HTTP/1.1"), 403, "origin", ""},
		{"all origins", handshake("GET /open HTTP/1.1", "Origin: http://evil.example.com"), 101, "", ""},
		{"all origins, null", handshake("GET /open HTTP/1.1", "Origin: null"), 101, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.dial(t)
			p.write([]byte(tt.request))
			a := p.answer("GET")
			if a.Status != tt.status || !strings.Contains(a.Body, tt.reason) {
				t.Fatalf("got %s %q, want %d and %q", a.Line, a.Body, tt.status, tt.reason)
			}
			if name, value, ok := strings.Cut(tt.header, ": "); ok && a.Header.Get(name) != value {
				t.Errorf("got %s: %q, want %q", name, a.Header.Get(name), value)
			}
			if a.Status == 101 {
				p.text("hello")
				p.wantText("hello")
				p.leave()
			}
		})
	}
}

// The 101 says no more than it must: nothing about a body, RFC 9110 section 8.6,
// and nothing that was not chosen.
func TestUpgradeAnswer(t *testing.T) { eachTransport(t, testUpgradeAnswer) }

func testUpgradeAnswer(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, echo(t, ""), wat(t, "chooses"))
	offer := []string{"Sec-WebSocket-Protocol: chat, superchat", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}
	for route, want := range map[string]string{"/echo": "", "/chooses": "chat"} {
		p := s.dial(t)
		a, err := p.Upgrade(route, nil, offer...)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Sec-Websocket-Protocol": want, "Sec-Websocket-Extensions": "",
			"Content-Length": "", "Transfer-Encoding": "", "Content-Type": ""} {
			if got := strings.Join(a.Header[name], ", "); got != value {
				t.Errorf("%s: got %s: %q, want %q", route, name, got, value)
			}
		}
		p.leave()
	}
}

// What comes right behind the request, in the same segment, is not lost.
func TestEarlyFrames(t *testing.T) { eachEcho(t, testEarlyFrames) }

func testEarlyFrames(t *testing.T, on transport, echo echoPlugin) {
	s := on.serve(t, host.Limits{}, echo(t, ""))
	for _, n := range []int{1, 3, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var early []byte
			for i := range n {
				early = rawws.AppendFrame(early, rawws.Frame{Flags: 0x81, Payload: fmt.Sprint("early ", i)})
			}
			p := s.dial(t)
			if _, err := p.Upgrade("/echo", early); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				p.wantText(fmt.Sprint("early ", i))
			}
			p.alive()
			p.leave()
		})
	}
	t.Run("then half-closed", func(t *testing.T) {
		for range 100 { // it is a matter of microseconds
			p := s.dial(t)
			p.write(append(rawws.Handshake("h", "/echo"), rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: "last words"})...))
			p.CloseWrite()
			if a := p.answer("GET"); a.Status != 101 {
				t.Fatalf("got %s, want 101", a.Line)
			}
			p.wantText("last words")
			p.wantEOF()
			p.Close()
		}
	})
	t.Run("half a frame", func(t *testing.T) {
		f := rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: "in two halves"})
		p := s.dial(t)
		if _, err := p.Upgrade("/echo", f[:7]); err != nil {
			t.Fatal(err)
		}
		p.write(f[7:])
		p.wantText("in two halves")
		p.leave()
	})
	t.Run("close", func(t *testing.T) {
		p := s.dial(t)
		if _, err := p.Upgrade("/echo", rawws.AppendFrame(nil, rawws.Frame{Flags: 0x88})); err != nil {
			t.Fatal(err)
		}
		p.wantClose(0)
		p.wantEOF()
	})
	t.Run("broken", func(t *testing.T) {
		p := s.dial(t)
		if _, err := p.Upgrade("/echo", []byte{0xff, 0xff}); err != nil {
			t.Fatal(err)
		}
		p.wantClose(1002)
		p.wantEOF()
	})
	t.Run("8 KiB", func(t *testing.T) {
		long := strings.Repeat("x", 8<<10)
		p := s.dial(t)
		if _, err := p.Upgrade("/echo", rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: long})); err != nil {
			t.Fatal(err)
		}
		p.wantText(long)
		p.leave()
	})
}

// A greeting reaches a client that says nothing, each of many.
func TestGreeting(t *testing.T) { eachEcho(t, testGreeting) }

func testGreeting(t *testing.T, on transport, echo echoPlugin) {
	s := on.serve(t, host.Limits{}, echo(t, "Grüß Gott"))
	var peers []*peer
	for range 50 {
		peers = append(peers, s.open(t, "/echo"))
	}
	for _, p := range peers {
		p.wantText("Grüß Gott")
		p.alive()
		p.leave()
	}
}

// A plugin may refuse a session, with a status and a body of its own.
func TestRefused(t *testing.T) { eachTransport(t, testRefused) }

func testRefused(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "refuses"))
	p := s.dial(t)
	p.write(rawws.Handshake(s.addr, "/refuses"))
	if a := p.answer("GET"); a.Status != 403 || a.Body != "members only" {
		t.Errorf("got %s %q, want 403 members only", a.Line, a.Body)
	}
}
