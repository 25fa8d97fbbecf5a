package c_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/leak"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// strict is how the programs of TestServe are compiled: as the C standard has it,
// and no warning is let pass.
var strict = []string{"-std=c11", "-pedantic", "-Werror"}

// TestServe compiles whole programs in the original's style, main included, serves
// them with a real host over both transports, and comes with clients of two kinds.
func TestServe(t *testing.T) {
	leak.Check(t)
	for _, tt := range served {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := program(t, tt.name, strict...)
			for _, transport := range []string{host.TransportAuto, host.TransportStream} {
				t.Run(transport, func(t *testing.T) {
					s := serveProgram(t, transport, m, tt.config)
					tt.play(s)
					s.end()
					s.logged(tt.last...)
				})
			}
		})
	}
}

var served = []struct {
	name   string
	config map[string]string
	play   func(s *site)
	last   []string // in the log once the host is down
}{
	{"tally", nil, func(s *site) {
		p, r := s.page("/"), s.raw("/any?x=y")
		s.asks("GET", "/", "", 200, "2 live")
		s.asks("POST", "/", "x", 405, "")
		p.say("hello")
		p.hears("text 5 3610a686 5 hel      1 5.000000")
		r.sends(frame(0x82, "ab"), frame(0x02, ""), frame(0x80, "cde"))
		r.gets(frame(0x81, "binary 2 9e83486d 2 ab      0 2.000000"), frame(0x81, "binary 2 9e83486d 0       0 1.000000"),
			frame(0x81, "more 5 8587d865 3 cde      0 2.500000"))
		p.leave()
		r.sends(closing(1000, "bye"))
		r.gets(closing(1000, ""))
		s.logged(`"connect   |    2|(nil)|double"`, "the program asks for port 9000")
	}, []string{"nobody is left, last error 0", "over, 0 live"}},

	{"chains", nil, func(s *site) {
		var hundred strings.Builder
		for i := range 100 {
			hundred.WriteByte(byte('a' + i%26))
		}
		r, p := s.raw("/"), s.page("/")
		r.sends(frame(0x81, "prev"), frame(0x82, "append"), frame(0x81, "next"), frame(0x81, "part"), frame(0x81, "none"),
			frame(0x81, ""), frame(0x82, "abc"))
		r.gets(frame(0x81, "Hello, chainc!"), frame(0x82, hundred.String()), frame(0x81, "one two three"), frame(0x81, "-needle-"),
			frame(0x81, ""), frame(0x81, "|"), frame(0x82, "abc|abc"))
		big := strings.Repeat("0123456789", 20_000)
		r.sends(frame(0x82, big))
		r.gets(frame(0x82, big+"|"+big))
		p.say("page")
		p.hears("page|page")
		p.leave()
		s.asks("GET", "/prev", "", 200, "Hello, chainc!\n")
		s.asks("GET", "/append", "", 200, hundred.String()+"\n")
		s.logged("100 bytes, tail is elsewhere", "0 bytes, tail is elsewhere")
	}, nil},

	{"formats", nil, func(s *site) {
		s.asks("GET", "/", "", 200, formats)
		s.logged(`level=WARN msg="page at `, "main:", ": debug", ": trace 1", "100% as it is", `"out, 1"`, `"err 2"`)
	}, []string{"bye"}},

	{"rooms", nil, func(s *site) {
		s.asks("GET", "/", "", 204, "")
		a := s.page("/")
		b := s.raw("/")
		a.hears("#2: hi")
		a.say("/name ann-marie!")
		b.sends(frame(0x01, "hel"), frame(0x89, "?"), frame(0x80, "lo"))
		b.gets(frame(0x8a, "?"))
		a.hears("#2: hello")
		a.say("hey")
		b.gets(frame(0x81, "ANNMARIE: hey"))
		s.asks("GET", "/", "", 200, "#2\nANNMARIE\n")
		c := s.page("/")
		a.hears("#3: hi")
		b.gets(frame(0x81, "#3: hi"))
		c.WriteMessage(websocket.BinaryMessage, []byte("no"))
		c.isClosed(1003)
		a.hears("#3: bye")
		b.gets(frame(0x81, "#3: bye"))
		b.sends(frame(0x81, "/bye"))
		b.gets(closing(1000, "see you"))
		b.sends(closing(1000, ""))
		a.hears("#2: bye")
		a.say(strings.Repeat("x", 4096))
		a.say(strings.Repeat("x", 4097))
		a.isClosed(1009)
		s.logged("returned 95 (Operation not supported): session closed with 1003")
	}, []string{"3 came"}},

	{"router", nil, func(s *site) {
		if h := s.asks("GET", "/", "", 301, ""); h.Get("Location") != "/notes" {
			s.t.Errorf("headers: %v", h)
		}
		s.asks("POST", "/notes", "one", 415, "", "Content-Type", "application/json")
		s.asks("POST", "/notes", "", 400, "", "Content-Type", "text/plain")
		for i := range 8 {
			h := s.asks("POST", "/notes", fmt.Sprint("note ", i), 201, "", "Content-Type", "TEXT/plain")
			if got := h.Get("Location"); got != fmt.Sprint("/notes?n=", i) {
				s.t.Errorf("location: %s", got)
			}
		}
		if h := s.asks("POST", "/notes", "x", 503, "", "Content-Type", "text/plain"); h.Get("Retry-After") != "120" {
			s.t.Errorf("headers: %v", h)
		}
		s.asks("DELETE", "/notes?n=0", "", 204, "")
		s.asks("DELETE", "/notes?n=99", "", 404, "")
		s.asks("DELETE", "/notes", "", 404, "")
		if h := s.asks("GET", "/notes", "", 200, "note 1;note 2;note 3;note 4;note 5;note 6;note 7;"); h.Get("X-Total") != "7" {
			s.t.Errorf("headers: %v", h)
		}
		h := s.asks("GET", "/tea", "", 418, "")
		if got := fmt.Sprint(h["Set-Cookie"], h["X-Brew"]); got != "[pot=tea cup=empty] [yes]" {
			s.t.Errorf("headers: %s", got)
		}
		s.asks("GET", "/broken", "", 500, "")
		if h := s.asks("PUT", "/notes", "", 405, ""); h.Get("Allow") != "GET, POST, DELETE" {
			s.t.Errorf("headers: %v", h)
		}
		s.asks("GET", "/nowhere", "", 404, "")
		s.turnedAway("/", 501, "")
	}, []string{"20 requests"}},

	{"collect", nil, func(s *site) {
		r, p := s.raw("/"), s.page("/")
		s.turnedAway("/", 403, "")
		r.sends(frame(0x01, "fra"), frame(0x00, ""), frame(0x00, "gm"), frame(0x80, "ent"), frame(0x81, ""))
		r.gets(frame(0x81, "8:fragment"), frame(0x81, "0:"))
		p.say("grüße")
		p.hears("7:grüße")
		p.say(strings.Repeat("y", 1001))
		p.isClosed(1009)
		r.sends(frame(0x81, "code"))
		r.gets(closing(4321, ""))
		for _, tt := range []struct {
			flags byte
			text  string
			code  uint16
		}{{0x82, "binary", 1003}, {0x81, "quit", 1000}} {
			r := s.raw("/")
			r.sends(frame(tt.flags, tt.text), frame(0x81, "not heard any more"))
			r.gets(closing(tt.code, ""))
		}
		s.asks("GET", "/", "", 426, "")
		s.logged("number 3 is turned away")
	}, []string{"Loop exited. Shutting down!"}},

	{"calc", nil, func(s *site) {
		p := s.page("/")
		for _, tt := range [][2]string{
			{"add 1 2.5", "3.5"}, {"mul 3 1e3", "3000"}, {"div 1 3", "0.333333"}, {"div 1 0", "inf"}, {"sub 0 0.1", "-0.1"},
			{"sort 3, 0x10 -5 010", "-5 3 8 16"}, {"", "nothing"}, {"sort", ""},
		} {
			p.say(tt[0])
			p.hears(tt[1])
		}
		r := s.raw("/")
		r.sends(frame(0x01, "add "), frame(0x00, "2 "), frame(0x80, "2"))
		r.gets(frame(0x81, "4"))
		r.sends(frame(0x81, "what is this?"))
		r.gets(closing(1008, ""))
		p.say("sort 99999999999999999999")
		p.isClosed(1008)
		s.asks("GET", "/", "", 200, "")
	}, nil},

	{"slow", nil, func(s *site) {
		p := s.page("/")
		s.turnedAway("/", 503, "")
		s.asks("GET", "/?steps=0", "", 200, "at once\n")
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { s.asks("GET", "/?steps=3", "", 200, "2...1...done\n") })
		}
		all.Wait()
		p.hears("idle")
		p.leave()
	}, []string{"served for a while"}},

	{"twoways", nil, func(s *site) {
		p, q := s.page("/loud/er"), s.page("/back")
		p.say("shout, ünd now")
		p.hears("SHOUT, üND NOW")
		r := s.raw("/back")
		r.sends(frame(0x01, "abc"), frame(0x80, "def"))
		r.gets(frame(0x81, "fedcba"))
		q.say("live")
		q.hears("evil")
		r = s.raw("/loud")
		r.sends(frame(0x01, "abc"), frame(0x80, "def"))
		r.gets(frame(0x01, "ABC"), frame(0x80, "DEF"))
		s.turnedAway("/elsewhere", 404, "no such way")
		if h := s.asks("GET", "/", "", 200, "HTTP/1.1"); h.Get("X-Flags") != "1.1" {
			s.t.Errorf("headers: %v", h)
		}
	}, nil},

	{"stats", nil, func(s *site) {
		p, r := s.page("/"), s.raw("/")
		p.say("text")
		p.hears("text")
		var many []rawws.Frame
		for i := range 100 {
			many = append(many, frame(0x82, strings.Repeat("b", i)))
		}
		r.sends(many...)
		r.gets(many...)
		h := s.asks("GET", "/", "", 200, `{"open": 2, "frames": 101, "messages": 101, "bytes": 4954, "text": 1, "binary": 100}`)
		if h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" {
			s.t.Errorf("headers: %v", h)
		}
		p.leave()
		r.sends(closing(1000, ""))
		r.gets(closing(1000, ""))
	}, []string{"signal 15 (Terminated), events 0x400: breaking", "Totals:", "  frames:      101", "  bytes:      4954"}},

	{"upload", nil, func(s *site) {
		s.asks("PUT", "/", "", 411, "0 bytes, 00000000, headers")
		s.asks("PUT", "/", "abc", 201, "3 bytes, 00017862, headers")
		s.asks("PUT", "/", strings.Repeat("x", 100_000), 201, "100000 bytes, "+sum(strings.Repeat("x", 100_000))+", headers")
		s.asks("PUT", "/", strings.Repeat("x", 100_001), 413, "")
	}, nil},

	{"ticker", nil, func(s *site) {
		p, r := s.page("/"), s.raw("/")
		p.say("start")
		p.hears("tick 1", "tick 2", "tick 3")
		r.gets(frame(0x89, "beat"))
		r.sends(frame(0x81, "stop"))
		for {
			f, err := r.ReadFrame()
			if err != nil {
				s.t.Fatal(err)
			}
			if f.Flags == 0x88 {
				if f != closing(1002, "") {
					s.t.Errorf("got %v, want 1002", f)
				}
				break
			}
		}
		if h := s.asks("GET", "/", "", 200, ""); !strings.HasSuffix(h.Get("X-When"), " GMT") {
			s.t.Errorf("headers: %v", h)
		}
	}, []string{"some beats"}},

	{"kv", map[string]string{"motd": `"welcome"`}, func(s *site) {
		p, r := s.page("/"), s.raw("/")
		p.hears(`{"motd":"welcome"}`, "")
		r.gets(frame(0x81, `{"motd":"welcome"}`), frame(0x82, ""))
		p.say("a=1")
		p.hears(`{"a":1}`)
		p.say("a=22")
		p.say("b")
		p.hears(`{"a":22}`, `{"b":null}`)
		s.asks("PUT", "/b", "[true]", 201, "")
		s.asks("PUT", "/b", "[false]", 204, "")
		s.asks("GET", "/b", "", 200, "[false]")
		s.asks("GET", "/c", "", 404, "")
		r.sends(frame(0x81, "b"))
		r.gets(frame(0x81, `{"b":[false]}`))
		r.sends(frame(0x82, "b"))
		r.gets(closing(1003, ""))
	}, []string{"Loop exited with 3 entries. Shutting down!"}},
}

// sum is what the program upload makes of a body.
func sum(body string) string {
	v := uint32(0)
	for _, c := range []byte(body) {
		v = v*31 + uint32(c)
	}
	return fmt.Sprintf("%08x", v)
}

// formats is what the program of that name prints on other systems.
const formats = `-1 2 3 10 ff FF z %
[   42] [42   ] [00042] [+42] [ 42] [  042] []
-1 -2 -3 -4 -5 -6 -7
255 65535 3 18446744073709551615 5 1
0xbeef 0XBEEF 010 0000beef beef    | 0x0000beef
[abc] [       abc] [abc       ] [ab] [   abc] [abc   ] [a]
    42|42    |3.14|   3.142
1.500000 2 0.1000000000 1.234568e+04 1.200000E-04 1e-05 1E+20 100000
+1.00| 1.00|-0001.50|1.50    |3.
inf -inf   nan INF
(nil) 0xabc0
-9223372036854775808 4294967295 abcd FFFFFFFFFFFFFFFF
12345 and on
5 written, -2147483648 -2147483648
  a|b  |
pre|exact|tail
2.250000 1.23e+03
`
