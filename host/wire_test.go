package host_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// TestWire plays the scenarios of testdata/wire against the echo plugins. What
// comes back must not depend on how the bytes are cut.
func TestWire(t *testing.T) { eachEcho(t, testWire) }

func testWire(t *testing.T, on transport, echo echoPlugin) {
	files, err := os.ReadDir("testdata/wire")
	if err != nil {
		t.Fatal(err)
	}
	scenarios := 0
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), ".txt")
		if !ok {
			continue
		}
		vectors := readVectors(t, "wire/"+file.Name())
		scenarios += len(vectors)
		t.Run(name, func(t *testing.T) {
			s := on.serve(t, host.Limits{ControlRate: 1 << 20}, echo(t, ""))
			s.playAll(t, vectors)
		})
	}
	if scenarios < 100 {
		t.Errorf("testdata/wire: got %d scenarios, want more", scenarios)
	}
}

// playAll runs all scenarios, cut in all ways. lines are of the handshake.
func (s *server) playAll(t *testing.T, vectors []vector, lines ...string) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			for _, cut := range cuts {
				t.Run(cut.name, func(t *testing.T) { s.play(t, &v, cut.write, lines...) })
			}
		})
	}
}

// cuts are the ways in which a client's bytes may arrive. Only the first waits
// for the answers between the steps.
var cuts = []struct {
	name  string
	write func(p *peer, b []byte)
}{
	{"as written", nil},
	{"one segment", (*peer).write},
	{"byte by byte", (*peer).trickle},
}

// trickle writes b byte by byte, the middle of much in odd pieces.
func (p *peer) trickle(b []byte) {
	const ends, odd = 300, 1021
	for len(b) > 0 {
		n := 1
		if len(b) > 2*ends {
			n = min(odd, len(b)-ends)
		}
		if len(b) > ends && len(b)%2 == 0 {
			n = min(n, 7) // so that the pieces shift against the frames
		}
		p.write(b[:n])
		b = b[n:]
	}
}

// play runs a scenario on a session of its own.
func (s *server) play(t *testing.T, v *vector, write func(p *peer, b []byte), lines ...string) {
	p := s.open(t, "/echo", lines...)
	if write == nil {
		for _, step := range v.steps {
			p.write(step.send)
			p.expect(step.want)
		}
	} else {
		var all []byte
		var want []expected
		for _, step := range v.steps {
			all = append(all, step.send...)
			want = append(want, step.want...)
		}
		written := make(chan struct{})
		go func() { defer close(written); write(p, all) }() // while answers fill the other direction
		defer func() { <-written }()
		p.expect(want)
	}
	if v.end.alive {
		p.alive()
		p.leave()
		return
	}
	p.expectClose(&v.end)
}

// expect reads what is expected. Pongs may overtake data, RFC 6455 section 5.5.2.
func (p *peer) expect(frames []expected) {
	p.t.Helper()
	frames = slices.Clone(frames)
	for len(frames) > 0 {
		got := p.frame()
		next := slices.IndexFunc(frames, func(e expected) bool { return (e.Flags == 0x8a) == (got.Flags == 0x8a) })
		want := frames[max(0, next)]
		frames = slices.Delete(frames, max(0, next), max(0, next)+1)
		for want.message && got.Flags&0x80 == 0 {
			more := p.frame()
			if more.Flags&0x7f != 0 {
				p.t.Fatalf("got %v inside a message, want a continuation", more)
			}
			got = rawws.Frame{Flags: got.Flags | more.Flags, Payload: got.Payload + more.Payload}
		}
		if got != want.Frame {
			p.t.Fatalf("got %v, want %v", got, want.Frame)
		}
	}
}

// expectClose reads the close frame and the end that the host makes of the
// connection without waiting for the peer.
func (p *peer) expectClose(want *ending) {
	p.t.Helper()
	got := p.frame()
	code, ok := closeCode(got)
	if !ok || code != want.code || want.exact && got.Payload != rawws.ClosePayload(want.code, want.reason) {
		p.t.Fatalf("got %v, want close %d %q", got, want.code, want.reason)
	}
	p.wantEOF()
}
