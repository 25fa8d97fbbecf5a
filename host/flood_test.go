package host_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// frames is the bytes of n frames of a client, made by f.
func frames(n int, f func(i int) rawws.Frame) (b []byte) {
	for i := range n {
		b = rawws.AppendFrame(b, f(i))
	}
	return b
}

// What comes above a rate ends the session with 1008, and no other.
func TestRates(t *testing.T) { eachTransport(t, testRates) }

func testRates(t *testing.T, on transport) {
	tests := []struct {
		name   string
		limits host.Limits
		frame  func(i int) rawws.Frame
		send   int
		pass   int // how many are answered before the close frame, at least; of pings perhaps only the newest
		most   int // and at most: some time passes meanwhile
		reason string
	}{
		{"pings", host.Limits{}, func(int) rawws.Frame { return rawws.Frame{Flags: 0x89} }, 100000, 1, 90, "too many control frames"},
		{"fewer pings", host.Limits{ControlRate: 2}, func(int) rawws.Frame { return rawws.Frame{Flags: 0x89} }, 1000, 1, 10, "too many control frames"},
		{"messages", host.Limits{MessageRate: 4}, func(int) rawws.Frame { return rawws.Frame{Flags: 0x82} }, 1000, 10, 20, "too many messages"},
		{"bytes", host.Limits{ByteRate: 4000, Message: 2000}, func(int) rawws.Frame { return rawws.Frame{Flags: 0x82, Payload: strings.Repeat("x", 1000)} },
			1000, 10, 20, "too many bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := on.serve(t, tt.limits, wat(t, "witness"))
			w := s.watch(t)
			p := s.open(t, "/witness")
			id := w.next(abi.EventConnect).ID
			flood := frames(tt.send, tt.frame)
			written := make(chan struct{})
			go func() { defer close(written); p.Write(flood) }() // cut short by the host
			passed := 0
			f := p.frame()
			for ; f.Flags != 0x88; f = p.frame() {
				passed++
			}
			if want := rawws.ClosePayload(1008, tt.reason); f.Payload != want {
				t.Errorf("got %v, want close 1008 %s", f, tt.reason)
			}
			if passed < tt.pass || passed > tt.most {
				t.Errorf("answered: got %d, want %d to %d", passed, tt.pass, tt.most)
			}
			if e := w.closeOf(id); e.Code != 1008 || e.Flags != abi.WhoHost {
				t.Errorf("got %v, want 1008 by the host", e)
			}
			w.alive()
			p.Close()
			<-written
		})
	}
}

// A peer that pings without reading is answered later, and only the newest of
// its pings: nothing piles up.
func TestUnreadPongs(t *testing.T) { eachTransport(t, testUnreadPongs) }

func testUnreadPongs(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{ControlRate: 1 << 20, Queue: 1 << 20, WriteTime: time.Minute}, wat(t, "counts"))
	p := s.open(t, "/counts")
	p.SetReadBuffer(256 << 10)
	const pings = 60000 // their pongs are more than the kernel keeps
	ping := func(i int) rawws.Frame { return rawws.Frame{Flags: 0x89, Payload: fmt.Sprintf("%0125d", i)} }
	for i := 0; i < pings; i += 1000 {
		p.write(frames(1000, func(j int) rawws.Frame { return ping(i + j) }))
	}
	pongs, last := 0, ""
	for last != ping(pings-1).Payload {
		f := p.frame()
		if f.Flags != 0x8a || f.Payload <= last {
			t.Fatalf("got %v after the pong to %s, want a later pong", f, last)
		}
		pongs, last = pongs+1, f.Payload
	}
	if pongs == pings {
		t.Errorf("got a pong to each of %d pings, want some left out: they waited", pings)
	}
	p.alive()
	p.leave()
}

// Peers that do not read are cut, and those who do never notice.
func TestSlowReaders(t *testing.T) { eachTransport(t, testSlowReaders) }

func testSlowReaders(t *testing.T, on transport) {
	slow, good, rounds := 1000, 20, 50
	if testing.Short() {
		slow = 100
	}
	s := on.serve(t, host.Limits{Queue: 128 << 10, WriteTime: time.Second, CloseTime: time.Second}, wat(t, "floods"), wat(t, "counts"))
	before := heap()
	ask := frames(4, func(int) rawws.Frame { return rawws.Frame{Flags: 0x81} }) // for a MiB
	var deaf []*peer
	for range slow {
		p := s.open(t, "/floods")
		p.SetReadBuffer(4 << 10)
		p.write(ask)
		deaf = append(deaf, p)
	}
	var all sync.WaitGroup
	for i := range good {
		p := s.open(t, "/counts")
		all.Go(func() {
			for n := range rounds {
				word := fmt.Sprint(i, " says ", n)
				if err := p.Send(0x81, word); err != nil {
					t.Errorf("good peer %d: %v", i, err)
					return
				}
				if f, err := p.ReadFrame(); err != nil || f.Payload != word {
					t.Errorf("good peer %d: got %v, %v, want %q", i, f, err, word)
					return
				}
			}
		})
	}
	all.Wait()
	if grown := heap() - before; grown > int64(slow)*(128+64)<<10+16<<20 { // a piece more than the queue each
		t.Errorf("the heap grew by %d MiB for %d peers whose queue is 128 KiB", grown>>20, slow)
	}
	for _, p := range deaf {
		p.wantReset()
		p.Close()
	}
}

// wantReset writes until that fails, and reads nothing: reading would make the
// peer one that takes something.
func (p *peer) wantReset() {
	p.t.Helper()
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for late := time.Now().Add(patience); ; <-retry.C {
		if _, err := p.Write([]byte{0x8a, 0x80, 0, 0, 0, 0}); err != nil {
			return
		}
		if time.Now().After(late) {
			p.t.Fatalf("peer: still connected after %v", patience)
		}
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What a header announces takes no memory until it comes.
func TestAnnounced(t *testing.T) { eachTransport(t, testAnnounced) }

func testAnnounced(t *testing.T, on transport) {
	const many = 200
	s := on.serve(t, host.Limits{}, inGo("pours", pours(0)))
	other := s.open(t, "/pours")
	var peers []*peer
	for range many {
		peers = append(peers, s.open(t, "/pours"))
	}
	before := allocated()
	for _, bytes := range []string{"\x81\xff\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00a", "b", "c"} { // of 1 MiB
		for _, p := range peers {
			p.write([]byte(bytes))
		}
		other.alive() // meanwhile the host has read them
	}
	for _, p := range peers {
		p.write([]byte("\xff")) // which is no text
		p.wantClose(1007)
	}
	if each := (allocated() - before) / many; each > 32<<10 {
		t.Errorf("a peer that sent 18 bytes of a message took %d bytes of memory", each)
	}
}
