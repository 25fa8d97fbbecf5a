package host_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/leak"
	"github.com/yimmo-host/yimmo-host/internal/memconn"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// FuzzServer sends any bytes behind a handshake to a whole host, over each
// transport, and compares what comes back and what the guest hears with a reader of
// RFC 6455 that knows no hurry. Connections are in memory, where the reader of a
// stream finds it cut as it was written, and do not run out of ports.
//
// Of the first three bytes, one says how much comes in one segment with the
// handshake, one how the rest is cut, and one the mode: whether messages are
// delivered whole, and whether the client offers compression.
func FuzzServer(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed)
	}
	leak.Check(f)
	var targets []*fuzzTarget
	for on, dial := range fuzzDials {
		targets = append(targets, newFuzzTarget(f, on, dial))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < fuzzHead || len(data) > fuzzMost {
			return
		}
		m := mode{messages: data[2]&1 != 0, packed: data[2]&2 != 0}
		want := readAsRFC(data[fuzzHead:], m)
		for _, target := range targets {
			target.try(t, data, m, &want)
		}
	})
}

const (
	fuzzHead    = 3
	fuzzMost    = 32 << 10 // bytes of an input
	fuzzMessage = 2000     // limits, low enough to be found
	fuzzFrames  = 8
)

// A dial connects to a host; first is there when the host looks for the first time.
type dial func(first []byte) (net.Conn, error)

// fuzzDials makes a dial for each transport there is.
var fuzzDials = map[transport]func(f *testing.F, h *host.Host) dial{
	host.TransportStream: func(f *testing.F, h *host.Host) dial {
		l := memconn.Listen()
		over := make(chan struct{})
		go func() { defer close(over); h.ServeAlso(l) }()
		f.Cleanup(func() { <-over })
		return func(first []byte) (net.Conn, error) {
			nc, err := l.Dial()
			if err == nil {
				nc.Write(first)
			}
			return nc, err
		}
	},
}

// fuzzTarget is a host with plugins that echo and tell of each end.
type fuzzTarget struct {
	on    transport
	dial  dial
	count atomic.Uint64

	mu     sync.Mutex
	tokens map[string]string // plugin and session: what the session's path ends with
	closes map[string]chan heard
	wrong  []heard // events that should not be
}

func newFuzzTarget(f *testing.F, on transport, dials func(*testing.F, *host.Host) dial) *fuzzTarget {
	x := &fuzzTarget{on: on, tokens: map[string]string{}, closes: map[string]chan heard{}}
	whole, frames := inGo("messages", x.hear("messages")), inGo("frames", x.hear("frames"))
	whole.Delivery = host.DeliveryMessages
	h, err := host.New(f.Context(), host.Config{
		Listen: "127.0.0.1:0", CacheDir: "off", Transport: string(on), Plugins: []host.Plugin{whole, frames}, Log: slog.New(slog.DiscardHandler),
		Limits: host.Limits{Message: fuzzMessage, Frames: fuzzFrames, ControlRate: 1 << 20}, Compression: host.Compression{Enabled: true},
	})
	if err != nil {
		f.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	x.dial = dials(f, h)
	f.Cleanup(func() {
		if err := h.Shutdown(f.Context()); err != nil && f.Context().Err() == nil {
			f.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			f.Errorf("Serve: %v", err)
		}
	})
	return x
}

// hear is a plugin.
func (x *fuzzTarget) hear(name string) reaction {
	return func(g *native, e abi.Event, payload string) {
		session := fmt.Sprint(name, e.ID)
		switch e.Kind {
		case abi.EventConnect:
			fields, _ := abi.ParseFields([]byte(payload))
			path, _ := fields.Get(abi.FieldPath)
			x.mu.Lock()
			defer x.mu.Unlock()
			_, x.tokens[session], _ = strings.Cut(string(path), "?")
		case abi.EventRecv:
			g.send(e.ID, e.Flags, payload)
		case abi.EventClose:
			x.mu.Lock()
			defer x.mu.Unlock()
			if heard := (heard{e, payload}); x.tokens[session] == "" {
				x.wrong = append(x.wrong, heard)
			} else {
				x.closes[x.tokens[session]] <- heard
			}
			delete(x.tokens, session)
		case abi.EventRefused:
			x.mu.Lock()
			defer x.mu.Unlock()
			x.wrong = append(x.wrong, heard{e, payload})
		}
	}
}

// try is one session: the handshake, the bytes, the end of what the peer sends.
func (x *fuzzTarget) try(t *testing.T, data []byte, m mode, want *outcome) {
	token := fmt.Sprint(x.count.Add(1))
	closes := make(chan heard, 2)
	x.mu.Lock()
	x.closes[token] = closes
	x.mu.Unlock()

	got := x.session(t, data, m, token)
	if got.end != "EOF" || !slices.Equal(got.data, want.data) || !newest(got.pongs, want.pongs) || !slices.Equal(got.close, want.close) {
		t.Errorf("%s, %+v, %x:\ngot  %v\nwant %v", x.on, m, data[fuzzHead:], got, *want)
	}
	select {
	case e := <-closes:
		if e.Code != want.code || e.Flags != want.flags {
			t.Errorf("%s, %+v, %x: got %v, want code %d, flags %#02x", x.on, m, data[fuzzHead:], e, want.code, want.flags)
		}
	case <-time.After(patience):
		t.Errorf("%s, %+v, %x: no close event after %v", x.on, m, data[fuzzHead:], patience)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.closes, token)
	if len(closes) > 0 || len(x.wrong) > 0 {
		t.Errorf("%s, %+v, %x: events that should not be: %d closes, %v", x.on, m, data[fuzzHead:], len(closes), x.wrong)
		x.wrong = nil
	}
}

// session sends it all and returns what came back.
func (x *fuzzTarget) session(t *testing.T, data []byte, m mode, token string) (got outcome) {
	route, lines := "/frames?", []string(nil)
	if m.messages {
		route = "/messages?"
	}
	if m.packed {
		lines = []string{offer(pmd)}
	}
	wire := data[fuzzHead:]
	early := min(int(data[0]), len(wire))
	nc, err := x.dial(append(rawws.Handshake("h", route+token, lines...), wire[:early]...))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetReadDeadline(time.Now().Add(patience))
	in := bufio.NewReader(nc)
	if a, err := rawws.ReadAnswer(in, "GET"); err != nil || a.Status != 101 {
		t.Fatalf("handshake: got %v, %v", a, err)
	}
	for rest, piece := wire[early:], 1+int(data[1])*int(data[1]); len(rest) > 0; {
		n := min(piece, len(rest))
		if _, err := nc.Write(rest[:n]); err != nil {
			t.Fatalf("write: %v", err)
		}
		rest = rest[n:]
		piece += 1 + len(wire)/16
	}
	nc.(interface{ CloseWrite() error }).CloseWrite()
	for u := (unpacker{}); ; {
		f, err := rawws.ReadFrame(in)
		if err != nil {
			got.end = err.Error()
			return got
		}
		if m.packed {
			f = u.frame(f)
		}
		got.add(f)
	}
}
