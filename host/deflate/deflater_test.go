package deflate_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// A wire is what a client reads: frames without a mask.
type wire struct {
	flags   byte
	payload []byte
}

// parse cuts p into frames. It shares no code with package frame.
func parse(t testing.TB, p []byte) (all []wire) {
	t.Helper()
	for len(p) > 0 {
		size, head := int(p[1]), 2
		switch size {
		case 126:
			size, head = int(binary.BigEndian.Uint16(p[2:])), 4
		case 127:
			size, head = int(binary.BigEndian.Uint64(p[2:])), 10
		}
		if len(p) < head+size {
			t.Fatalf("frame of %d bytes in %d", head+size, len(p))
		}
		all = append(all, wire{p[0], p[head : head+size]})
		p = p[head+size:]
	}
	return all
}

// A client inflates what a Deflater sent, with the reference and with the
// standard library.
type client struct {
	t        testing.TB
	bits     int
	takeover bool
	past     []byte
	own      deflate.Inflater

	message  []byte // frames of the compressed message at hand
	packed   bool
	plain    []byte
	messages [][]byte // all that came
	shrunk   int      // how many of them were compressed
}

func newClient(t testing.TB, p deflate.Params) *client {
	mirror := deflate.Params{ClientBits: p.ServerBits, ClientTakeover: p.ServerTakeover}
	return &client{t: t, bits: p.ServerBits, takeover: p.ServerTakeover, own: deflate.NewPool(open).Inflater(mirror)}
}

func (c *client) read(p []byte) {
	c.t.Helper()
	for _, f := range parse(c.t, p) {
		if f.flags&0x08 != 0 {
			continue
		}
		if f.flags&0x0f != 0 {
			c.packed = f.flags&0x40 != 0
		} else if f.flags&0x40 != 0 {
			c.t.Fatal("RSV1 on a continuation")
		}
		c.message = append(c.message, f.payload...)
		if c.packed {
			if f.flags&0x80 == 0 {
				c.own.Add(f.payload)
				continue
			}
			var err error
			if c.plain, err = c.own.Append(nil, f.payload, wide); err != nil {
				c.t.Fatalf("Inflater(% x): %v", f.payload, err)
			}
		}
		if f.flags&0x80 != 0 {
			c.end()
		}
	}
}

func (c *client) end() {
	c.t.Helper()
	if c.packed {
		out, farthest, err := inflateMessage(c.message, c.past, 1<<c.bits)
		if err != nil {
			c.t.Fatalf("reference(window %d, % x): %v, back %d", c.bits, c.message, err, farthest)
		}
		std := flate.NewReaderDict(bytes.NewReader(append(slices.Clone(c.message), 0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff)), c.past)
		if got, err := io.ReadAll(std); err != nil || !bytes.Equal(got, out) {
			c.t.Fatalf("compress/flate: got %d bytes, %v, want %d", len(got), err, len(out))
		}
		if !bytes.Equal(c.plain, out) {
			c.t.Fatalf("Inflater: got %d bytes, want %d", len(c.plain), len(out))
		}
		if c.takeover {
			c.past = append(c.past, out...)
			c.past = c.past[max(0, len(c.past)-1<<15):]
		}
		c.message = out
		c.shrunk++
	}
	c.messages = append(c.messages, c.message)
	c.message, c.plain = nil, nil
}

// Every window, level and kind of context; whole messages and fragments, in one
// part and in many; compressible and not.
func TestDeflateRoundTrip(t *testing.T) {
	for bits := 8; bits <= 15; bits++ {
		for _, takeover := range []bool{false, true} {
			for _, level := range []int{1, 4, 9} {
				t.Run(fmt.Sprintf("window=%d/takeover=%t/level=%d", bits, takeover, level), func(t *testing.T) {
					roundTrip(t, bits, takeover, level)
				})
			}
		}
	}
}

func roundTrip(t *testing.T, bits int, takeover bool, level int) {
	r := rand.New(rand.NewPCG(uint64(bits), uint64(level)))
	policy := deflate.Policy{ContextTakeover: takeover, Level: level, Threshold: 1}
	p := session(bits, takeover)
	d := deflate.NewPool(policy).Deflater(p)
	c := newClient(t, p)
	var sent [][]byte
	sizes := []int{0, 1, 5, 20, 100, 127, 128, 300, 1 << bits, 1<<bits + 1, 2000}
	for i := range 40 {
		message := text(r.IntN(5), sizes[r.IntN(len(sizes))])
		if i == 20 {
			message = text(6, 36000)
		}
		if r.IntN(6) == 0 {
			message = noise(r, len(message)%3000)
		}
		sent = append(sent, message)
		flags := byte(0x01 + r.IntN(2))
		for frames := r.IntN(3); frames > 0; frames-- {
			cut := r.IntN(len(message) + 1)
			c.read(d.AppendFrame(nil, flags, message[:cut/2], message[cut/2:cut]))
			c.read(d.AppendFrame(nil, 0x89, []byte("ping")))
			message, flags = message[cut:], 0
		}
		c.read(d.AppendFrame(nil, flags|0x80, message))
	}
	for i, want := range sent {
		if !bytes.Equal(c.messages[i], want) {
			t.Fatalf("message %d: got %d bytes, want %d", i, len(c.messages[i]), len(want))
		}
	}
	if c.shrunk < 15 {
		t.Errorf("got %d of %d messages compressed, want most", c.shrunk, len(sent))
	}
}

func noise(r *rand.Rand, size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// What is sent as it is, and what is compressed.
func TestDeflateChoice(t *testing.T) {
	words := string(text(1, 400))
	random := string(noise(rand.New(rand.NewPCG(1, 1)), 400))
	noise300 := string(noise(rand.New(rand.NewPCG(2, 1)), 300))
	noise400 := string(noise(rand.New(rand.NewPCG(3, 1)), 400))
	type send struct {
		flags byte
		parts []string
	}
	tests := []struct {
		name   string
		policy deflate.Policy
		send   []send
		want   []byte // byte 0 of each frame
	}{
		{"above the threshold", deflate.Policy{}, []send{{0x81, []string{words}}}, []byte{0xc1}},
		{"at the default threshold", deflate.Policy{}, []send{{0x82, []string{words[:128]}}, {0x82, []string{words[:127]}}}, []byte{0xc2, 0x82}},
		{"with context", deflate.Policy{ContextTakeover: true},
			[]send{{0x81, []string{words}}, {0x81, []string{words[:32]}}, {0x81, []string{words[:31]}}}, []byte{0xc1, 0xc1, 0x81}},
		{"with context, level 6", deflate.Policy{ContextTakeover: true, Level: 6},
			[]send{{0x81, []string{words}}, {0x81, []string{words}}, {0x81, []string{words}}, {0x81, []string{words[:60]}}}, []byte{0xc1, 0xc1, 0xc1, 0xc1}},
		{"with context that begins", deflate.Policy{ContextTakeover: true},
			[]send{{0x81, []string{words[:60]}}, {0x81, []string{words[:60]}}}, []byte{0xc1, 0xc1}},
		{"with context of noise, until there is enough", deflate.Policy{ContextTakeover: true},
			[]send{{0x82, []string{random}}, {0x82, []string{random[:300]}}, {0x82, []string{noise300}}, {0x82, []string{noise300[:299]}}, {0x82, []string{noise400}}},
			[]byte{0xc2, 0xc2, 0xc2, 0xc2, 0x82}},
		{"at the threshold", deflate.Policy{Threshold: 300}, []send{{0x81, []string{words[:300]}}, {0x81, []string{words[:299]}}}, []byte{0xc1, 0x81}},
		{"parts count together", deflate.Policy{Threshold: 300}, []send{{0x81, []string{words[:150], "", words[150:300]}}}, []byte{0xc1}},
		{"no smaller", deflate.Policy{Threshold: 1}, []send{{0x82, []string{random}}, {0x81, []string{"short"}}, {0x81, []string{""}}}, []byte{0x82, 0x81, 0x81}},
		{"control frames", deflate.Policy{Threshold: 1}, []send{{0x89, []string{words[:125]}}, {0x8a, []string{words[:125]}}, {0x88, []string{words[:125]}}}, []byte{0x89, 0x8a, 0x88}},
		{"fragments", deflate.Policy{}, []send{{0x01, []string{words}}, {0x00, []string{"x"}}, {0x89, []string{"p"}}, {0x00, nil}, {0x80, []string{words}}},
			[]byte{0x41, 0x00, 0x89, 0x00, 0x80}},
		{"fragments of noise", deflate.Policy{}, []send{{0x02, []string{random}}, {0x80, []string{random}}}, []byte{0x42, 0x80}},
		{"fragments, the first small", deflate.Policy{}, []send{{0x01, []string{"x"}}, {0x80, []string{words}}, {0x81, []string{words}}}, []byte{0x01, 0x80, 0xc1}},
		{"fragments, the first empty", deflate.Policy{Threshold: 1}, []send{{0x01, nil}, {0x80, []string{words}}}, []byte{0x01, 0x80}},
	}
	for _, test := range tests {
		p := session(15, test.policy.ContextTakeover)
		d := deflate.NewPool(test.policy).Deflater(p)
		c := newClient(t, p)
		var out, got, want, have []byte
		for _, s := range test.send {
			var parts [][]byte
			for _, part := range s.parts {
				parts = append(parts, []byte(part))
				if s.flags&8 == 0 {
					want = append(want, part...)
				}
			}
			out = d.AppendFrame(out, s.flags, parts...)
		}
		for _, f := range parse(t, out) {
			got = append(got, f.flags)
		}
		c.read(out)
		have = slices.Concat(c.messages...)
		if !bytes.Equal(got, test.want) || !bytes.Equal(have, want) {
			t.Errorf("AppendFrame(%s): got frames % x with %d bytes, want % x with %d", test.name, got, len(have), test.want, len(want))
		}
	}
}

// The last frame of a message that has nothing more to say, section 7.2.3.6.
func TestDeflateEmptyEnd(t *testing.T) {
	d := deflate.NewPool(open).Deflater(session(15, false))
	d.AppendFrame(nil, 0x01, text(1, 100))
	if got := d.AppendFrame(nil, 0x00); !bytes.Equal(got, unhex("00 00")) {
		t.Errorf("AppendFrame(empty frame): got % x, want 00 00", got)
	}
	if got := d.AppendFrame(nil, 0x80); !bytes.Equal(got, unhex("80 01 00")) {
		t.Errorf("AppendFrame(empty last frame): got % x, want 80 01 00", got)
	}
}

// AppendFrame appends, and what is there stays.
func TestDeflateAppends(t *testing.T) {
	d := deflate.NewPool(open).Deflater(session(15, false))
	for _, p := range [][]byte{text(1, 500), noise(rand.New(rand.NewPCG(1, 1)), 500)} {
		for _, room := range []int{0, 8, 100, 4000} {
			got := d.AppendFrame(append(make([]byte, 0, 6+room), "before"...), 0x81, p)
			want := d.AppendFrame(nil, 0x81, p)
			if string(got[:6]) != "before" || !bytes.Equal(got[6:], want) {
				t.Errorf("AppendFrame(room of %d bytes): got % .20x, want before and % .20x", room, got, want)
			}
		}
	}
}

// One message for receivers of all kinds: each understands it, those of a kind
// get the same bytes, and what they are sent next refers to it rightly.
func TestMessage(t *testing.T) {
	policy := deflate.Policy{ContextTakeover: true}
	pool := deflate.NewPool(policy)
	var deflaters []*deflate.Deflater
	var clients []*client
	for bits := 8; bits <= 15; bits++ {
		for _, takeover := range []bool{true, false} {
			d := pool.Deflater(session(bits, takeover))
			deflaters = append(deflaters, &d)
			clients = append(clients, newClient(t, session(bits, takeover)))
		}
	}
	m := pool.Message()
	messages := [][]byte{
		text(1, 300), text(2, 20), text(1, 310), text(3, 5000), noise(rand.New(rand.NewPCG(1, 1)), 200),
		text(3, 5100), nil, text(4, 40000), text(4, 300),
	}
	for i, payload := range messages {
		kinds := map[string]*byte{}
		m.Reset(0x81, payload)
		for k, d := range deflaters {
			f := m.Frame(d)
			if f == nil {
				f = append(frame.AppendHeader(nil, 0x81, len(payload)), payload...)
				kinds["as it is"] = nil
				clients[k].read(f)
				clients[k].read(d.AppendFrame(nil, 0x82, text(k, 100), payload))
				continue
			}
			if was := kinds[string(f)]; was != nil && was != &f[0] {
				t.Errorf("Frame(message %d, receiver %d): encoded again", i, k)
			}
			kinds[string(f)] = &f[0]
			clients[k].read(f)
			clients[k].read(d.AppendFrame(nil, 0x82, text(k, 100), payload))
		}
		want := 1
		switch { // those for which the window is too small get one each
		case len(payload) == 300, len(payload) == 310:
			want = 2
		case len(payload) == 5000, len(payload) == 5100:
			want = 6
		case len(payload) == 40000:
			want = 8
		}
		if len(kinds) != want {
			t.Errorf("Frame(message %d of %d bytes): got %d encodings, want %d", i, len(payload), len(kinds), want)
		}
	}
	for k, c := range clients {
		for i, payload := range messages {
			if !bytes.Equal(c.messages[2*i], payload) || !bytes.Equal(c.messages[2*i+1], slices.Concat(text(k, 100), payload)) {
				t.Errorf("receiver %d, message %d: differs", k, i)
			}
		}
	}
}

// What an idle session keeps of what it sent.
func TestDeflateHeld(t *testing.T) {
	tests := []struct {
		name        string
		level, bits int
		takeover    bool
		size, most  int
	}{
		{"nothing sent", 1, 15, true, 0, 0},
		{"without context", 1, 15, false, 50000, 0},
		{"a small message", 1, 15, true, 300, 512},
		{"much", 1, 15, true, 50000, 8 << 10},
		{"a small window", 1, 10, true, 50000, 1 << 10},
		{"a higher level", 6, 15, true, 50000, 32 << 10},
	}
	for _, test := range tests {
		d := deflate.NewPool(deflate.Policy{Level: test.level, Threshold: 1}).Deflater(session(test.bits, test.takeover))
		for range 3 {
			if test.size > 0 {
				d.AppendFrame(nil, 0x82, text(1, test.size/3))
			}
		}
		if got := d.Held(); got > test.most || test.most > 0 && got < test.most/3 {
			t.Errorf("Deflater(%s): got %d bytes held, want up to %d", test.name, got, test.most)
		}
	}
}
