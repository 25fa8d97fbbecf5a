package host_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A packer is a client's half of compression, by the standard library: it shares
// no code with the host.
type packer struct {
	w       *flate.Writer
	buf     bytes.Buffer
	keeps   bool   // it refers to what it sent before
	context []byte // of the host
	window  int    // how far the host may refer back, 0 = not at all
}

// newPacker reads what the host has answered to an offer.
func newPacker(answer string) *packer {
	c := &packer{keeps: !strings.Contains(answer, "client_no_context_takeover"), window: 1 << 15}
	c.w, _ = flate.NewWriter(&c.buf, 6)
	if _, bits, ok := strings.Cut(answer, "server_max_window_bits="); ok {
		n := 0
		fmt.Sscan(strings.Trim(bits, "; "), &n)
		c.window = 1 << n
	}
	if strings.Contains(answer, "server_no_context_takeover") {
		c.window = 0
	}
	return c
}

// pack returns the payload that a message becomes.
func (c *packer) pack(message string) string {
	c.buf.Reset()
	if !c.keeps {
		c.w.Reset(&c.buf)
	}
	io.WriteString(c.w, message)
	c.w.Flush()
	return strings.TrimSuffix(c.buf.String(), "\x00\x00\xff\xff")
}

// unpack returns the message that a payload stands for.
func (c *packer) unpack(payload string) (string, error) {
	wire := io.MultiReader(strings.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
	message, err := io.ReadAll(flate.NewReaderDict(wire, c.context))
	if err != nil {
		return "", err
	}
	if c.context = append(c.context, message...); len(c.context) > c.window {
		c.context = c.context[len(c.context)-c.window:]
	}
	return string(message), nil
}

// A packedPeer is a peer that compresses.
type packedPeer struct {
	*peer
	*packer
	packed, plain int // bytes of the compressed messages read, as they came and as they were meant
}

// openPacked makes a session on a plugin's route that has agreed on what is offered.
func (s *server) openPacked(t testing.TB, route, offered string) *packedPeer {
	t.Helper()
	p := s.dial(t)
	a, err := p.Upgrade(route, nil, offer(offered))
	if err != nil {
		t.Fatalf("upgrade on %s: %v", route, err)
	}
	answer := a.Header.Get("Sec-WebSocket-Extensions")
	if answer == "" {
		t.Fatalf("offer %q was declined", offered)
	}
	return &packedPeer{peer: p, packer: newPacker(answer)}
}

// say sends a message compressed, in frames of most bytes; 0 = one frame.
func (p *packedPeer) say(op byte, message string, most int) {
	p.t.Helper()
	p.write(p.frames(nil, op, message, most))
}

// frames appends those of a message to dst.
func (p *packedPeer) frames(dst []byte, op byte, message string, most int) []byte {
	payload := p.pack(message)
	flags := 0x40 | op
	for most > 0 && len(payload) > most {
		dst = rawws.AppendFrame(dst, rawws.Frame{Flags: flags, Payload: payload[:most]})
		flags, payload = 0, payload[most:]
	}
	return rawws.AppendFrame(dst, rawws.Frame{Flags: flags | 0x80, Payload: payload})
}

// data reads frames up to the next that is no ping.
func (p *packedPeer) data() rawws.Frame {
	p.t.Helper()
	f := p.frame()
	for f.Flags == 0x89 {
		f = p.frame()
	}
	return f
}

// message reads a message, compressed or not, in any number of frames.
func (p *packedPeer) message() (op byte, message string) {
	p.t.Helper()
	f := p.data()
	first, payload := f.Flags, f.Payload
	if first&0x3f != 1 && first&0x3f != 2 {
		p.t.Fatalf("got %v, want a message", f)
	}
	for f.Flags&0x80 == 0 {
		if f = p.data(); f.Flags&0x7f != 0 {
			p.t.Fatalf("got %v inside a message, want a continuation", f)
		}
		payload += f.Payload
	}
	if first&0x40 == 0 {
		return first & 0x0f, payload
	}
	message, err := p.unpack(payload)
	if err != nil {
		p.t.Fatalf("got a compressed message of %d bytes: %v", len(payload), err)
	}
	p.packed += len(payload)
	p.plain += len(message)
	return first & 0x0f, message
}

// hears reads a message, which must be this one.
func (p *packedPeer) hears(op byte, message string) {
	p.t.Helper()
	if gotOp, got := p.message(); gotOp != op || got != message {
		p.t.Fatalf("got message %x of %d bytes, %.60q, want %x of %d, %.60q", gotOp, len(got), got, op, len(message), message)
	}
}
