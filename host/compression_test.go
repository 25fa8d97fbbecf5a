package host_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// packing makes a host compress.
func packing(c host.Compression) func(*host.Config) {
	c.Enabled = true
	return func(all *host.Config) { all.Compression = c }
}

const (
	pmd = "permessage-deflate"
	// none is the answer of a host without takeover to an offer without wishes.
	none = pmd + "; server_no_context_takeover; client_no_context_takeover"
)

func offer(s string) string { return "Sec-WebSocket-Extensions: " + s }

// What clients offer, and the exact answer of the 101; and that what was agreed
// on is kept to.
func TestOffers(t *testing.T) { eachTransport(t, testOffers) }

func testOffers(t *testing.T, on transport) {
	hosts := map[string]func(*host.Config){
		"off":      func(*host.Config) {},
		"on":       packing(host.Compression{}),
		"takeover": packing(host.Compression{Takeover: true}),
		"small":    packing(host.Compression{Takeover: true, WindowBits: 10}),
	}
	tests := map[string][]struct{ offer, want string }{
		"off": {
			{pmd, ""},
			{pmd + "; client_max_window_bits", ""},
		},
		"on": {
			{"", ""},
			{pmd, none},
			{pmd + "; client_max_window_bits", none}, // Chromium, Firefox and Safari
			{pmd + "; server_no_context_takeover; client_no_context_takeover", none},
			{pmd + "; client_max_window_bits=9", none + "; client_max_window_bits=9"},
			{pmd + "; server_max_window_bits=9", none + "; server_max_window_bits=9"},
			{pmd + "; server_max_window_bits=8", none + "; server_max_window_bits=8"},
			{pmd + "; server_max_window_bits=15; client_max_window_bits=15", none + "; server_max_window_bits=15"},
			{pmd + "; server_max_window_bits=7", ""},
			{pmd + "; server_max_window_bits=16", ""},
			{pmd + "; server_max_window_bits", ""},
			{pmd + "; server_max_window_bits=99, " + pmd, none},
			{pmd + "; client_max_window_bits=7", ""},
			{pmd + "; unknown", ""},
			{pmd + "; server_no_context_takeover=1", ""},
			{pmd + "; server_no_context_takeover; server_no_context_takeover", ""},
			{"x-webkit-deflate-frame, " + pmd, none},
			{`foo; x="` + pmd + `"`, ""},
		},
		"takeover": {
			{pmd, pmd},
			{pmd + "; client_max_window_bits", pmd},
			{pmd + "; server_no_context_takeover", pmd + "; server_no_context_takeover"},
			{pmd + "; client_no_context_takeover; server_max_window_bits=11", pmd + "; client_no_context_takeover; server_max_window_bits=11"},
		},
		"small": {
			{pmd, pmd + "; client_no_context_takeover"},
			{pmd + "; client_max_window_bits", pmd + "; client_max_window_bits=10"},
			{pmd + "; client_max_window_bits=9", pmd + "; client_max_window_bits=9"},
		},
	}
	for name, change := range hosts {
		t.Run(name, func(t *testing.T) {
			s := on.serveWith(t, change, host.Limits{}, echo(t, ""))
			for _, tt := range tests[name] {
				p := s.dial(t)
				lines := []string{"X-Other: x"}
				if tt.offer != "" {
					lines = append(lines, offer(tt.offer))
				}
				a, err := p.Upgrade("/echo", nil, lines...)
				if err != nil {
					t.Fatalf("%s: %v", tt.offer, err)
				}
				if got := strings.Join(a.Header["Sec-Websocket-Extensions"], "\n"); got != tt.want {
					t.Errorf("%s: got %q, want %q", tt.offer, got, tt.want)
				}
				p.send(0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00") // RFC 7692 section 7.2.3.1
				if tt.want == "" {
					p.wantClose(1002)
					continue
				}
				p.wantText("Hello")
				p.leave()
			}
		})
	}
}

// TestCompressedWire plays the scenarios of testdata/deflate, whose format is that
// of testdata/wire.
func TestCompressedWire(t *testing.T) { eachTransport(t, testCompressedWire) }

func testCompressedWire(t *testing.T, on transport) {
	for _, tt := range []struct {
		file     string
		takeover bool
	}{{"plain", false}, {"takeover", true}} {
		t.Run(tt.file, func(t *testing.T) {
			change := packing(host.Compression{Takeover: tt.takeover, Threshold: 1 << 20})
			s := on.serveWith(t, change, host.Limits{ControlRate: 1 << 20}, echo(t, ""))
			s.playAll(t, readVectors(t, "deflate/"+tt.file+".txt"), offer(pmd))
		})
	}
}

// What is agreed on holds from the first frame, wherever the handshake was read:
// frames in its own segment, and behind a plain request on the same connection.
func TestCompressedEarly(t *testing.T) { eachTransport(t, testCompressedEarly) }

func testCompressedEarly(t *testing.T, on transport) {
	s := on.serveWith(t, packing(host.Compression{}), host.Limits{}, echo(t, ""))
	hello := rawws.AppendFrame(nil, rawws.Frame{Flags: 0xc1, Payload: "\xf2\x48\xcd\xc9\xc9\x07\x00"})
	for _, request := range []string{"", "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"} {
		for _, early := range [][]byte{nil, hello[:9], hello, slices.Concat(hello, hello)} {
			p := s.dial(t)
			if request != "" {
				p.write([]byte(request))
				p.answer("GET")
			}
			if _, err := p.Upgrade("/echo", early, offer(pmd)); err != nil {
				t.Fatal(err)
			}
			p.write(slices.Concat(hello, hello)[len(early):])
			p.wantText("Hello")
			p.wantText("Hello")
			p.leave()
		}
	}
}

// sentences is text of so many bytes that shrinks as JSON does.
func sentences(seed, size int) string {
	var b strings.Builder
	for r := rand.New(rand.NewPCG(uint64(seed), uint64(size))); b.Len() < size; {
		fmt.Fprintf(&b, `{"type":"message","id":%d,"room":"lobby-%d","user":"u%06d","text":"so it is %x","ts":%d}`,
			r.IntN(1e9), r.IntN(20), r.IntN(1e6), r.Uint64(), 1700000000000+r.Int64N(1e9))
	}
	return b.String()[:size]
}

// wholeSweep makes the sweep as long as that of Autobahn's cases 12 and 13.
var wholeSweep = flag.Bool("sweep", false, "1000 messages of each size in TestCompressedSweep")

// Every kind of offer with messages of every size, whole and cut as some client
// libraries do it, in every context: what Autobahn's cases 12 and 13 do.
func TestCompressedSweep(t *testing.T) { eachTransport(t, testCompressedSweep) }

func testCompressedSweep(t *testing.T, on transport) {
	offers := []string{
		pmd, pmd + "; client_max_window_bits", pmd + "; server_no_context_takeover", pmd + "; client_no_context_takeover",
		pmd + "; server_no_context_takeover; server_max_window_bits=9",
	}
	for bits := 8; bits <= 15; bits++ {
		offers = append(offers, fmt.Sprint(pmd, "; server_max_window_bits=", bits))
	}
	largest := 128 << 10
	if testing.Short() {
		offers, largest = offers[:5], 16<<10
	}
	s := on.serveWith(t, packing(host.Compression{Takeover: true, Threshold: 1}), host.Limits{}, echo(t, ""))
	for _, offered := range offers {
		t.Run(offered, func(t *testing.T) {
			p := s.openPacked(t, "/echo", offered)
			for size := 16; size <= largest; size *= 2 {
				count := max(2, min(20, 1<<15/size))
				if *wholeSweep {
					count = 1000
				}
				for i := range count {
					text, cut := sentences(i%50, size), []int{0, 256, 1 << 10, 4 << 10, 32 << 10}[i%5]
					p.say(1+byte(i%2), text, cut)
					p.hears(1+byte(i%2), text)
				}
			}
			if p.packed >= p.plain/2 {
				t.Errorf("%d bytes came as %d, want fewer than half", p.plain, p.packed)
			}
			p.leave()
		})
	}
}

// Messages of any size and opcode reach the guest as if nothing had been
// compressed, in both ways of delivery; those above its receive area of 256 KiB
// in pieces, or whole.
func TestCompressedDelivery(t *testing.T) { eachTransport(t, testCompressedDelivery) }

func testCompressedDelivery(t *testing.T, on transport) {
	noise := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	tests := []struct {
		name    string
		op      byte
		message string
		cut     int
	}{
		{"empty", 1, "", 0},
		{"empty in frames", 2, "", 0},
		{"small", 1, "Grüße, 世界 😀", 0},
		{"small in frames", 1, "Grüße, 世界 😀", 1},
		{"256 KiB", 1, sentences(1, 256<<10), 0},
		{"256 KiB and a byte", 1, sentences(1, 256<<10+1), 1000},
		{"1 MiB", 1, sentences(1, 1<<20), 0},
		{"1 MiB in frames", 2, sentences(1, 1<<20), 300},
		{"1 MiB that does not shrink", 2, string(noise), 0},
		{"1 MiB that does not shrink, in frames", 2, string(noise), 1100},
	}
	if testing.Short() {
		tests = tests[:7]
	}
	for _, delivery := range []string{host.DeliveryFrames, host.DeliveryMessages} {
		for _, takeover := range []bool{false, true} {
			if testing.Short() && takeover != (delivery == host.DeliveryFrames) {
				continue
			}
			t.Run(fmt.Sprintf("%s/takeover=%t", delivery, takeover), func(t *testing.T) {
				plugin := echo(t, "")
				plugin.Delivery = delivery
				s := on.serveWith(t, packing(host.Compression{Takeover: takeover}), host.Limits{}, plugin)
				p := s.openPacked(t, "/echo", pmd)
				for _, tt := range tests {
					p.say(tt.op, tt.message, tt.cut)
					p.hears(tt.op, tt.message)
				}
				var all []byte // at once, and with others in between
				for _, tt := range tests[:6] {
					all = p.frames(all, tt.op, tt.message, tt.cut)
					all = rawws.AppendFrame(all, rawws.Frame{Flags: 0x81, Payload: "between"})
				}
				written := make(chan struct{})
				go func() { defer close(written); p.write(all) }()
				for _, tt := range tests[:6] {
					p.hears(tt.op, tt.message)
					p.hears(1, "between")
				}
				<-written
				p.alive()
				p.leave()
			})
		}
	}
}

// The same without compression: a message of fragments that fills the receive
// area, with more behind its last one.
func TestGatheredMessageFillsArea(t *testing.T) { eachTransport(t, testGatheredMessageFillsArea) }

func testGatheredMessageFillsArea(t *testing.T, on transport) {
	plugin := echo(t, "")
	plugin.Delivery = host.DeliveryMessages
	s := on.serve(t, host.Limits{}, plugin)
	p := s.open(t, "/echo")
	want := sentences(1, 1<<20)
	for _, last := range []int{0, 1, 1000, 60000} {
		p.send(0x01, want[:1<<20-last])
		p.alive() // it has been read
		p.write(frames(4, func(i int) rawws.Frame {
			return []rawws.Frame{{Flags: 0x80, Payload: want[1<<20-last:]}, {Flags: 0x81, Payload: "a"}, {Flags: 0x01, Payload: "b"}, {Flags: 0x80, Payload: "c"}}[i]
		}))
		p.wantText(want)
		p.wantText("a")
		p.wantText("bc")
	}
	p.leave()
}

// 60 KB that would be 60 MB end the session with 1009, and cost no more memory
// than the limits allow.
func TestCompressedBomb(t *testing.T) { eachTransport(t, testCompressedBomb) }

var bomb = sync.OnceValue(func() string { return newPacker("").pack(strings.Repeat("\x00", 60<<20)) })

func testCompressedBomb(t *testing.T, on transport) {
	bomb := bomb()
	tests := []struct {
		name   string
		limits host.Limits
		cut    int // size of the frames it comes in
		reason string
		memory uint64 // for one
	}{
		{"at the default limit", host.Limits{}, len(bomb), "message is larger than this server accepts", 6 << 20},
		{"in frames", host.Limits{}, 100, "message is larger than this server accepts", 6 << 20},
		{"at a small limit", host.Limits{Message: 64 << 10}, len(bomb), "message is larger than this server accepts", 1 << 20},
		{"at the ratio", host.Limits{Message: 64 << 20}, len(bomb), "message inflates more than this server accepts", 48 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := on.serveWith(t, packing(host.Compression{}), tt.limits, wat(t, "witness"))
			w := s.watch(t)
			var wire []byte
			flags := byte(0x42)
			for rest := bomb; rest != ""; flags = 0 {
				n := min(tt.cut, len(rest))
				if n == len(rest) {
					flags |= 0x80
				}
				wire = rawws.AppendFrame(wire, rawws.Frame{Flags: flags, Payload: rest[:n]})
				rest = rest[n:]
			}
			const bombs = 5
			before := allocated()
			for range bombs {
				p := s.openPacked(t, "/witness", pmd)
				id := w.next(abi.EventConnect).ID
				p.write(wire)
				p.want(rawws.Frame{Flags: 0x88, Payload: rawws.ClosePayload(1009, tt.reason)})
				if e := w.closeOf(id); e.Code != 1009 || e.Flags != abi.WhoHost {
					t.Errorf("got %v, want 1009 by the host", e)
				}
				p.Close()
			}
			if got := (allocated() - before) / bombs; got > tt.memory {
				t.Errorf("a bomb allocates %d bytes, want at most %d", got, tt.memory)
			}
			w.alive()
		})
	}
}

// allocated is how many bytes have ever been.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// The rate of bytes counts what messages inflate to.
func TestCompressedByteRate(t *testing.T) { eachTransport(t, testCompressedByteRate) }

func testCompressedByteRate(t *testing.T, on transport) {
	s := on.serveWith(t, packing(host.Compression{}), host.Limits{ByteRate: 4000, Message: 2000}, wat(t, "witness"))
	w := s.watch(t)
	p := s.openPacked(t, "/witness", pmd)
	id := w.next(abi.EventConnect).ID
	var all []byte
	for range 100 {
		all = p.frames(all, 1, strings.Repeat("x", 1000), 0) // 12 bytes
	}
	p.write(all)
	f := p.frame()
	for f.Flags != 0x88 { // the guest echoes what it hears
		f = p.frame()
	}
	if want := rawws.ClosePayload(1008, "too many bytes"); f.Payload != want {
		t.Errorf("got %v, want close 1008 too many bytes", f)
	}
	heard := 0
	for e := w.event(); e.Kind != abi.EventClose; e = w.event() {
		heard++
	}
	if heard < 10 || heard > 20 {
		t.Errorf("session %x: got %d messages through, want 10 to 20", id, heard)
	}
}

// Sessions end in good order in the middle of a compressed message.
func TestCompressedEnds(t *testing.T) { eachTransport(t, testCompressedEnds) }

func testCompressedEnds(t *testing.T, on transport) {
	tests := []struct {
		name  string
		act   func(t *testing.T, s *server, p *packedPeer)
		code  uint16
		flags uint8
	}{
		{"peer closes", func(t *testing.T, s *server, p *packedPeer) { p.leave() }, 1000, abi.WhoPeer | abi.FlagClean},
		{"peer vanishes", func(t *testing.T, s *server, p *packedPeer) { p.Close() }, 1006, abi.WhoPeer},
		{"peer takes too long", func(t *testing.T, s *server, p *packedPeer) { p.wantClose(1008); p.wantEOF() }, 1008, abi.WhoHost},
		{"peer breaks the protocol", func(t *testing.T, s *server, p *packedPeer) { p.send(0xc0, ""); p.wantClose(1002); p.wantEOF() }, 1002, abi.WhoHost},
	}
	waits(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			waits(t)
			s := on.serveWith(t, packing(host.Compression{Takeover: true}), host.Limits{MessageTime: 200 * time.Millisecond}, wat(t, "witness"))
			w := s.watch(t)
			p := s.openPacked(t, "/witness", pmd)
			id := w.next(abi.EventConnect).ID
			p.send(0x41, p.pack(sentences(1, 10000))[:1000])
			p.alive()
			tt.act(t, s, p)
			if e := w.closeOf(id); e.Code != tt.code || e.Flags != tt.flags {
				t.Errorf("got %v, want code %d and flags %#x", e, tt.code, tt.flags)
			}
		})
	}
	t.Run("drain", func(t *testing.T) {
		s := on.serveWith(t, packing(host.Compression{Takeover: true}), host.Limits{}, echo(t, ""))
		p := s.openPacked(t, "/echo", pmd)
		whole := p.pack(sentences(1, 10000))
		p.send(0x41, whole[:1000])
		p.alive()
		stopped := make(chan struct{})
		go func() { defer close(stopped); s.stop(t, nil) }()
		p.wantClose(1001)
		p.send(0x80, whole[1000:]) // nobody hears it any more
		p.close(1001)
		p.wantEOF()
		p.Close()
		<-stopped
	})
}

// What is counted of compressed messages, and what of others is not.
func TestCompressedMetrics(t *testing.T) {
	s := auto.serveWith(t, packing(host.Compression{}), host.Limits{}, echo(t, ""))
	p := s.openPacked(t, "/echo", pmd)
	message := sentences(1, 1000)
	payload := p.pack(message)
	p.send(0xc1, payload)
	p.hears(1, message)
	p.text("short")
	p.wantText("short")
	p.say(1, "short", 0)
	p.wantText("short")
	p.alive()
	want := map[string]float64{
		"in plain": 1005, "in wire": float64(len(payload) + len(p.pack("short"))),
		"out plain": 1000, "out wire": float64(p.packed),
		"in": 1010, "out": 1010,
	}
	all, err := s.Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range all {
		if name := family.GetName(); name != "yimmo_ws_compressed_bytes_total" && name != "yimmo_ws_bytes_total" {
			continue
		}
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				if l.GetName() != "plugin" {
					labels = append(labels, l.GetValue())
				}
			}
			got[strings.Join(labels, " ")] = m.Counter.GetValue()
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
