package host_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// What [FuzzServer] compares a host with.

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

// A mode is what a session has agreed on, and how its guest wants its messages.
type mode struct{ messages, packed bool }

// readAsRFC is what RFC 6455, RFC 7692 and the limits make of b, which a peer sends
// before it closes its half. It reads rule by rule, a frame at a time, with copies.
func readAsRFC(b []byte, m mode) (o outcome) {
	now := message{mode: m}
	for {
		if len(b) == 0 {
			return o.cut()
		}
		h := readHeader(b)
		if fault := now.judge(&h, len(b)); fault != 0 {
			return o.fail(fault)
		}
		if !h.whole {
			return o.cut()
		}
		payload := h.unmask(b)
		whole := uint64(len(payload)) == h.size
		b = b[h.length+len(payload):]
		if h.data() && !now.add(&h, payload) {
			return o.fail(1007)
		}
		if !whole {
			return o.cut()
		}
		switch h.op() {
		case 8:
			return o.closed(payload)
		case 9:
			o.pongs = append(o.pongs, rawws.Frame{Flags: 0x8a, Payload: string(payload)})
		case 10:
		default:
			all, fault := now.take(&h, payload)
			if fault != 0 {
				return o.fail(fault)
			}
			o.data = append(o.data, all...)
		}
	}
}

// message is the message at hand.
type message struct {
	mode
	open      byte   // its opcode, 0: there is none
	packs     bool   // it is compressed
	payload   []byte // what is there
	frames    int
	announced uint64 // bytes
}

// judge says what is wrong with a header of which size bytes are there, or with what
// it announces; 0 = nothing so far.
func (m *message) judge(h *header, size int) uint16 {
	op, rsv, first := h.op(), h.flags&0x70, h.op() == 1 || h.op() == 2
	most := uint64(fuzzMessage)
	if rsv == 0x40 || m.packs && op == 0 {
		most += most/64 + 8<<10 // what does not shrink grows a little
	}
	switch {
	case rsv != 0 && !(rsv == 0x40 && m.packed && first): // 5.2, RFC 7692 section 6
		return 1002
	case op > 2 && op < 8, op > 10, !h.data() && h.flags < 0x80: // 5.2, 5.5
		return 1002
	case op == 0 && m.open == 0, first && m.open != 0: // 5.4
		return 1002
	case h.data() && m.frames == fuzzFrames:
		return 1008
	case size > 1 && h.bad, !h.data() && h.size > 125: // 5.1, 5.2, 5.5
		return 1002
	case h.data() && h.size > most-m.announced:
		return 1009
	}
	return 0
}

// add adds what is there of a frame. It reports false if that cannot become text.
func (m *message) add(h *header, payload []byte) bool {
	if m.frames == 0 {
		m.open, m.packs = h.op(), h.flags&0x40 != 0
	}
	m.frames++
	m.announced += h.size
	m.payload = append(m.payload, payload...)
	return m.open != 1 || m.packs || utf8Prefix(m.payload)
}

// take returns what the guest gets, and sends back, once a frame is there, or the code of
// what is wrong with the message.
func (m *message) take(h *header, payload []byte) (out []rawws.Frame, fault uint16) {
	last, joined := h.flags >= 0x80, m.messages || m.packs
	if !joined {
		out = []rawws.Frame{{Flags: h.flags, Payload: string(payload)}}
	}
	if !last {
		return out, 0
	}
	all := m.payload
	if m.packs {
		if all, fault = inflateAsRFC(all); fault != 0 {
			return nil, fault
		}
	}
	if m.open == 1 && !utf8.Valid(all) {
		return nil, 1007
	}
	if joined {
		out = []rawws.Frame{{Flags: 0x80 | m.open, Payload: string(all)}}
	}
	*m = message{mode: m.mode}
	return out, 0
}

// inflateAsRFC is RFC 7692 section 7.2.2, with blocks that are marked as the last
// wherever they stand.
func inflateAsRFC(b []byte) (all []byte, fault uint16) {
	if len(b) == 0 {
		return nil, 0 // some clients compress nothing to nothing
	}
	in := bytes.NewReader(slices.Concat(b, inflateTail))
	for range 64 {
		r := flate.NewReaderDict(in, all[max(0, len(all)-32<<10):])
		more, err := io.ReadAll(io.LimitReader(r, int64(fuzzMessage+1-len(all))))
		all = append(all, more...)
		switch left := in.Len(); {
		case len(all) > fuzzMessage:
			return nil, 1009
		case err != nil:
			return nil, 1007
		case left == 0 || left == 5 || left == 9:
			return all, 0
		case left < 9:
			return nil, 1007
		}
	}
	return nil, 1007
}

// inflateTail is what the sender took off, and an empty last block.
var inflateTail = []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}

// An unpacker undoes the host's compression, frame by frame.
type unpacker struct {
	open  bool   // in a compressed message
	wire  []byte // what is there of it
	plain int    // bytes it stands for
}

func (u *unpacker) frame(f rawws.Frame) rawws.Frame {
	if f.Flags&8 != 0 {
		return f
	}
	if f.Flags&0x0f != 0 {
		*u = unpacker{open: f.Flags&0x40 != 0}
	}
	if u.open {
		u.wire = append(u.wire, f.Payload...)
		all, _ := io.ReadAll(flate.NewReader(bytes.NewReader(slices.Concat(u.wire, inflateTail))))
		f = rawws.Frame{Flags: f.Flags &^ 0x40, Payload: string(all[min(u.plain, len(all)):])}
		u.plain = len(all)
	}
	return f
}

// header is what of a frame's header is there.
type header struct {
	flags  byte
	size   uint64
	length int  // of the header
	bad    bool // not masked, or a length not in its shortest form
	whole  bool
}

func (h *header) op() byte   { return h.flags & 15 }
func (h *header) data() bool { return h.flags&8 == 0 }

func readHeader(b []byte) (h header) {
	b = append(slices.Clone(b[:min(len(b), 14)]), 0, 0)[:max(min(len(b), 14), 2)]
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
