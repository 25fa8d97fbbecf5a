package lane

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// packing is what a session has whose messages may be compressed (RFC 7692). It
// takes part in nothing but data frames: they are compressed last on their way
// out, and first undone on their way in.
type packing struct {
	in     deflate.Inflater
	out    deflate.Deflater
	wire   int   // bytes of the peer's compressed message at hand
	opcode uint8 // of it
}

// packed is what all sessions of a lane share for compression.
type packed struct {
	shared  *deflate.Message // the one at hand for many; nil without compression
	single  []byte           // one frame
	message []byte           // what came out of the peer's message at hand
}

// agree gives a session what its peer and the host have agreed on.
func (l *Lane) agree(s *session, p *deflate.Params) {
	if pool := l.cfg.Deflate; pool != nil && p != nil {
		s.needExtra().packing = &packing{in: pool.Inflater(*p), out: pool.Deflater(*p)}
	}
}

// packing is nil for a session without compression.
func (s *session) packing() *packing {
	if s.extra == nil {
		return nil
	}
	return s.extra.packing
}

// allowPacked makes a link take compressed messages if its session does.
func allowPacked(s *session, link Link) {
	if c, ok := link.(*polled); ok && s.packing() != nil {
		c.packs = true
	}
}

// takes says whether a data frame with these flags belongs to a compressed message.
func (p *packing) takes(flags byte) bool {
	return flags&abi.FlagRSV1 != 0 || p.in.Open() && flags&abi.MaskOpcode == abi.OpContinuation
}

// unpack takes a frame of a compressed message. When it is the last the guest
// gets the message as one frame, in pieces if that is larger than the area: what
// the peer cut was the compressed message.
func (l *Lane) unpack(id uint64, s *session, p *packing, f *frame.Frame) {
	if f.Flags&abi.FlagRSV1 != 0 {
		p.opcode, p.wire = f.Flags&abi.MaskOpcode, 0
	}
	p.wire += len(f.Payload)
	if f.Flags&abi.FlagFIN == 0 {
		p.in.Add(f.Payload)
		l.countUnfinished(id, s)
		return
	}
	k := &l.packed
	var err error
	if k.message, err = p.in.Append(k.message[:0], f.Payload, l.frames.Message); err != nil {
		l.fail(id, s, err.(*frame.Error)) // there is no other
		return
	}
	l.countUnfinished(id, s)
	message := frame.Frame{Flags: abi.FlagFIN | p.opcode, Payload: k.message}
	if cap(k.message) > maxSpare {
		k.message = nil
	}
	if fault := l.judgeUnpacked(s, p, &message); fault != nil {
		l.fail(id, s, fault)
		return
	}
	l.hot.received.add(message.Flags, len(message.Payload))
	l.hot.inflated.add(len(message.Payload), p.wire)
	l.data(id, &message, notInArea)
}

// maxSpare is the largest buffer that is kept to be used again, in bytes.
const maxSpare = 4 * maxOut

// judgeUnpacked checks what could not be checked while it was compressed.
func (l *Lane) judgeUnpacked(s *session, p *packing, message *frame.Frame) *frame.Error {
	if p.opcode == abi.OpText && !utf8.Valid(message.Payload) {
		return frame.ErrText
	}
	if more := int64(len(message.Payload) - p.wire); more > 0 && !s.bytes.take(&l.cfg.Limits.Bytes, more, l.clock) {
		return errByteRate
	}
	return nil
}

// pack appends a frame for one session, compressed where that pays.
func (l *Lane) pack(p *packing, dst []byte, flags byte, parts ...[]byte) []byte {
	begin := len(dst)
	dst = p.out.AppendFrame(dst, flags, parts...)
	if flags&abi.MaskOpcode < abi.OpClose && p.out.Packed() {
		size := 0
		for _, part := range parts {
			size += len(part)
		}
		l.hot.deflated.add(size, len(payload(dst[begin:])))
	}
	return dst
}

// A sharedFrame is a frame in the outbox that goes to many.
type sharedFrame struct {
	flags    byte
	from, to int // where it is
	size     int // of its payload
}

// bytes are those of the frame, good until the next one is put into the outbox.
func (f *sharedFrame) bytes(o *outbox) []byte { return o.frames[f.from:f.to] }

// share puts a frame of the payload at hand into the outbox for many.
func (l *Lane) share(flags byte) sharedFrame {
	from, to, size := l.encode(flags)
	return l.shared(sharedFrame{flags, from, to, size})
}

// shareMessage does so with the frame of a message.
func (l *Lane) shareMessage(m *Message) sharedFrame {
	o := &l.outbox
	from := len(o.frames)
	o.frames = append(o.frames, m.Frame...)
	return l.shared(sharedFrame{m.Flags, from, len(o.frames), len(m.Data)})
}

// shared makes a frame the one that giveShared is about.
func (l *Lane) shared(f sharedFrame) sharedFrame {
	if l.packed.shared != nil {
		l.packed.shared.Reset(f.flags, payload(f.bytes(&l.outbox)))
	}
	return f
}

// giveShared gives a session a frame for many. Whole messages are compressed once
// for all.
func (l *Lane) giveShared(id uint64, s *session, f *sharedFrame) {
	l.countSent(f.flags, f.size)
	o, from, to := &l.outbox, f.from, f.to
	if p := s.packing(); p != nil {
		op := f.flags & abi.MaskOpcode
		switch begin := len(o.frames); {
		case f.flags&abi.FlagFIN == 0, op == abi.OpContinuation, op >= abi.OpClose:
			o.frames = l.pack(p, o.frames, f.flags, payload(f.bytes(o)))
			from, to = begin, len(o.frames)
		default:
			if packed := l.packed.shared.Frame(&p.out); packed != nil {
				l.hot.deflated.add(f.size, len(payload(packed)))
				o.frames = append(o.frames, packed...)
				from, to = begin, len(o.frames)
			}
		}
	}
	l.give(id, s, from, to)
}

// writeKept sends a whole message that was kept as a frame.
func (l *Lane) writeKept(id uint64, s *session, encoded []byte) {
	if p := s.packing(); p != nil {
		l.packed.single = l.pack(p, l.packed.single[:0], encoded[0], payload(encoded))
		encoded = l.packed.single
	}
	l.write(id, s, encoded)
}

// payload is that of a frame of the host's.
func payload(encoded []byte) []byte {
	switch encoded[1] {
	case 127:
		return encoded[10:]
	case 126:
		return encoded[4:]
	}
	return encoded[2:]
}

// frameSize is how long the first of some frames of the host's is.
func frameSize(encoded []byte) int {
	switch n := encoded[1]; n {
	case 127:
		return 10 + int(binary.BigEndian.Uint64(encoded[2:]))
	case 126:
		return 4 + int(binary.BigEndian.Uint16(encoded[2:]))
	default:
		return 2 + int(n)
	}
}
