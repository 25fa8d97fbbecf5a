package host_test

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/leak"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// FuzzServer sends any bytes behind a handshake to a whole host, over each
// transport and cut in several ways, and compares what comes back and what the
// guest hears with a reader of RFC 6455 that knows no hurry.
//
// The first two bytes say how much comes in one segment with the handshake, and
// how the rest is cut.
func FuzzServer(f *testing.F) {
	files, err := filepath.Glob("testdata/wire/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("testdata/wire: got %d files, %v", len(files), err)
	}
	for _, file := range files {
		for i, v := range readVectors(f, "wire/"+filepath.Base(file)) {
			all := []byte{byte(i * 7), byte(i)}
			for _, step := range v.steps {
				all = append(all, step.send...)
			}
			f.Add(all[:min(len(all), fuzzMost)])
		}
	}
	leak.Check(f)
	var targets []*fuzzTarget
	for _, on := range []transport{host.TransportStream, host.TransportAuto} {
		targets = append(targets, on.fuzzTarget(f))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 || len(data) > fuzzMost {
			return
		}
		want := readAsRFC(data[2:])
		for _, target := range targets {
			target.try(t, data, &want)
		}
	})
}

const (
	fuzzMost    = 32 << 10 // bytes of an input
	fuzzMessage = 2000     // limits, low enough to be found
	fuzzFrames  = 8
)

// fuzzTarget is a host with a plugin that echoes and tells of each end.
type fuzzTarget struct {
	addr  string
	count atomic.Uint64

	mu     sync.Mutex
	tokens map[uint64]string // what a session's path ends with
	closes map[string]chan heard
	wrong  []heard // events that should not be
}

func (on transport) fuzzTarget(f *testing.F) *fuzzTarget {
	target := &fuzzTarget{tokens: map[uint64]string{}, closes: map[string]chan heard{}}
	plugin := inGo("fuzz", target.hear)
	h, err := host.New(f.Context(), host.Config{
		Listen: "127.0.0.1:0", CacheDir: "off", Transport: string(on), Plugins: []host.Plugin{plugin}, Log: slog.New(slog.DiscardHandler),
		Limits: host.Limits{Message: fuzzMessage, Frames: fuzzFrames, ControlRate: 1 << 20},
	})
	if err != nil {
		f.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	f.Cleanup(func() {
		if err := h.Shutdown(f.Context()); err != nil && f.Context().Err() == nil {
			f.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			f.Errorf("Serve: %v", err)
		}
	})
	target.addr = h.Addr().String()
	return target
}

// hear is the plugin.
func (x *fuzzTarget) hear(g *native, e abi.Event, payload string) {
	switch e.Kind {
	case abi.EventConnect:
		fields, _ := abi.ParseFields([]byte(payload))
		path, _ := fields.Get(abi.FieldPath)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.tokens[e.ID] = strings.TrimPrefix(string(path), "/fuzz?")
	case abi.EventRecv:
		g.send(e.ID, e.Flags, payload)
	case abi.EventClose:
		x.mu.Lock()
		defer x.mu.Unlock()
		if heard := (heard{e, payload}); x.tokens[e.ID] == "" {
			x.wrong = append(x.wrong, heard)
		} else {
			x.closes[x.tokens[e.ID]] <- heard
		}
		delete(x.tokens, e.ID)
	case abi.EventRefused:
		x.mu.Lock()
		defer x.mu.Unlock()
		x.wrong = append(x.wrong, heard{e, payload})
	}
}

// try is one session: the handshake, the bytes, the end of what the peer sends.
func (x *fuzzTarget) try(t *testing.T, data []byte, want *outcome) {
	token := fmt.Sprint(x.count.Add(1))
	closes := make(chan heard, 2)
	x.mu.Lock()
	x.closes[token] = closes
	x.mu.Unlock()

	c, err := rawws.From(x.addr, fmt.Sprintf("127.0.%d.1", x.count.Load()/8192%256)) // else ports run out
	if err != nil {
		t.Fatal(err)
	}
	defer c.Reset()
	c.Patience = patience
	wire := data[2:]
	early := min(int(data[0]), len(wire))
	if _, err := c.Upgrade("/fuzz?"+token, wire[:early]); err != nil {
		t.Fatal(err)
	}
	for rest, piece := wire[early:], 1+int(data[1])*int(data[1]); len(rest) > 0; {
		n := min(piece, len(rest))
		if _, err := c.Write(rest[:n]); err != nil {
			t.Fatalf("write: %v", err)
		}
		rest = rest[n:]
		piece += 1 + len(wire)/16
	}
	c.CloseWrite()
	got := outcome{}
	for {
		f, err := c.ReadFrame()
		if err != nil {
			got.end = fmt.Sprint(err)
			break
		}
		got.add(f)
	}
	if got.end != "EOF" || !slices.Equal(got.data, want.data) || !newest(got.pongs, want.pongs) || !slices.Equal(got.close, want.close) {
		t.Errorf("%x:\ngot  %v\nwant %v", wire, got, *want)
	}
	e := <-closes
	if e.Code != want.code || e.Flags != want.flags {
		t.Errorf("%x: got %v, want code %d, flags %#02x", wire, e, want.code, want.flags)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.closes, token)
	if len(closes) > 0 || len(x.wrong) > 0 {
		t.Errorf("%x: events that should not be: %d closes, %v", wire, len(closes), x.wrong)
		x.wrong = nil
	}
}

// outcome is what a peer gets and the guest hears last.
type outcome struct {
	data, pongs, close []rawws.Frame // close frames without their reasons
	end                string

	code  uint16
	flags uint8
}

func (o *outcome) add(f rawws.Frame) {
	switch f.Flags {
	case 0x88:
		f.Payload = f.Payload[:min(len(f.Payload), 2)] // the host's words are its own
		o.close = append(o.close, f)
	case 0x8a:
		o.pongs = append(o.pongs, f)
	default:
		o.data = append(o.data, f)
	}
}

// newest says whether got are some of want, in order, and the last among them.
func newest(got, want []rawws.Frame) bool {
	if len(want) > 0 && (len(got) == 0 || got[len(got)-1] != want[len(want)-1]) {
		return false
	}
	for _, f := range want {
		if len(got) > 0 && got[0] == f {
			got = got[1:]
		}
	}
	return len(got) == 0
}

// readAsRFC is what RFC 6455 and the limits make of b, which a peer sends before
// it closes its half. It reads rule by rule, a frame at a time, with copies.
func readAsRFC(b []byte) (o outcome) {
	var open byte      // opcode of the message at hand
	var message []byte // what is there of it
	frames, announced := 0, uint64(0)
	for {
		h := readHeader(b)
		op, data := h.flags&15, h.flags&8 == 0
		switch {
		case len(b) == 0:
			return o.cut()
		case h.flags&0x70 != 0, op > 2 && op < 8, op > 10, !data && h.flags < 0x80: // 5.2, 5.5
			return o.fail(1002)
		case op == 0 && open == 0, data && op > 0 && open > 0: // 5.4
			return o.fail(1002)
		case data && frames == fuzzFrames:
			return o.fail(1008)
		case len(b) > 1 && h.bad, !data && h.size > 125: // 5.1, 5.2, 5.5
			return o.fail(1002)
		case data && h.size > fuzzMessage-announced:
			return o.fail(1009)
		case !h.whole:
			return o.cut()
		}
		payload := h.unmask(b)
		whole := uint64(len(payload)) == h.size
		b = b[h.length+len(payload):]
		if data {
			if frames == 0 {
				open = op
			}
			frames, announced, message = frames+1, announced+h.size, append(message, payload...)
			if open == 1 && !utf8Prefix(message) {
				return o.fail(1007)
			}
		}
		if !whole {
			return o.cut()
		}
		switch {
		case data:
			if h.flags >= 0x80 {
				if open == 1 && !utf8.Valid(message) {
					return o.fail(1007)
				}
				open, frames, announced, message = 0, 0, 0, nil
			}
			o.data = append(o.data, rawws.Frame{Flags: h.flags, Payload: string(payload)})
		case op == 9:
			o.pongs = append(o.pongs, rawws.Frame{Flags: 0x8a, Payload: string(payload)})
		case op == 8:
			return o.closed(payload)
		}
	}
}

// header is what of a frame's header is there.
type header struct {
	flags  byte
	size   uint64
	length int  // of the header
	bad    bool // not masked, or a length not in its shortest form
	whole  bool
}

func readHeader(b []byte) (h header) {
	b = append(slices.Clone(b), 0, 0)[:max(len(b), 2)]
	h.flags, h.size, h.length, h.bad = b[0], uint64(b[1]&0x7f), 6, b[1] < 0x80
	switch least := uint64(126); {
	case h.size == 127 && len(b) >= 10:
		h.size, h.length, least = binary.BigEndian.Uint64(b[2:]), 14, 1<<16
		h.bad = h.bad || h.size < least || h.size>>63 == 1
	case h.size == 126 && len(b) >= 4:
		h.size, h.length = uint64(binary.BigEndian.Uint16(b[2:])), 8
		h.bad = h.bad || h.size < least
	case h.size > 125 && h.flags&8 == 0: // there is more to come
		h.size, h.length = 0, len(b)+1
	}
	h.whole = len(b) >= h.length
	return h
}

// unmask is what is there of the payload.
func (h *header) unmask(b []byte) []byte {
	key, p := b[h.length-4:h.length], b[h.length:]
	p = slices.Clone(p[:min(uint64(len(p)), h.size)])
	for i := range p {
		p[i] ^= key[i%4]
	}
	return p
}

// utf8Prefix says whether p begins some text.
func utf8Prefix(p []byte) bool {
	for len(p) > 0 && utf8.FullRune(p) {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			return false
		}
		p = p[n:]
	}
	return true
}

// cut is the end of a peer that closed its half without a close frame.
func (o outcome) cut() outcome {
	o.code, o.flags = 1006, abi.WhoPeer
	return o
}

// fail is the end of a peer that broke a rule.
func (o outcome) fail(code uint16) outcome {
	o.code, o.flags = code, abi.WhoHost
	o.close = []rawws.Frame{{Flags: 0x88, Payload: rawws.ClosePayload(code, "")}}
	return o
}

// closed is the end of a peer that sent a close frame, RFC 6455 sections 5.5.1 and 7.4.
func (o outcome) closed(payload []byte) outcome {
	o.code, o.flags = 1005, abi.WhoPeer|abi.FlagClean
	answer := ""
	if len(payload) == 1 {
		return o.fail(1002)
	}
	if len(payload) > 1 {
		o.code = binary.BigEndian.Uint16(payload)
		if o.code < 1000 || o.code >= 1004 && o.code < 1007 || o.code > 1014 && o.code < 3000 || o.code > 4999 {
			return o.fail(1002)
		}
		if !utf8.Valid(payload[2:]) {
			return o.fail(1007)
		}
		answer = string(payload[:2])
	}
	o.close = []rawws.Frame{{Flags: 0x88, Payload: answer}}
	return o
}
