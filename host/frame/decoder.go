package frame

import (
	"encoding/binary"
	"math"
)

// Limits bounds what one message may cost. A field that is not above zero means
// its default, never "unlimited". One value serves all connections; it must not
// change while a Decoder uses it.
type Limits struct {
	// Message is the largest payload of one message, all its frames together,
	// in bytes on the wire. Above it: 1009, as soon as a header announces it.
	// Default 1 MiB. A compressed one may have a 64th and 8 KiB more, for what
	// does not shrink grows a little; what it inflates to is for others to judge.
	Message int64

	// Frames is the most frames that one message may have, empty ones included.
	// Above it: 1008. Default 1024. It stops a peer that makes the host work for
	// ever on a message that never grows.
	Frames int
}

// Defaults of [Limits].
const (
	DefaultMessage = 1 << 20
	DefaultFrames  = 1024
)

func (l *Limits) message() int64 {
	if l == nil || l.Message <= 0 {
		return DefaultMessage
	}
	return l.Message
}

func (l *Limits) frames() int {
	if l == nil || l.Frames <= 0 {
		return DefaultFrames
	}
	return l.Frames
}

// A Decoder is the receiving half of one connection: the frames of a client,
// judged by RFC 6455. The zero value is ready, with the default limits.
//
// Its position is relative to the bytes that it is presented with; it keeps no
// reference to them, so they may move between calls.
type Decoder struct {
	limits *Limits
	err    *Error // what Next returned; for ever

	// The frame at hand, once its header is complete (stage == payload).
	size  int64  // bytes of its payload, less the pieces taken
	done  int    // of those, how many are unmasked and judged
	key   uint32 // mask, in the phase of the first byte of size
	head  uint8  // bytes before the payload in what the caller presents
	flags uint8  // byte 0; after a piece FIN alone
	stage stage

	// The message at hand.
	open   uint8  // its opcode, 0 = none
	packed bool   // it is compressed
	text   Text   // of it; complete between messages
	frames uint32 // begun so far
	bytes  int64  // announced so far

	allowRSV1 bool
}

// stage says where in a frame the presented bytes begin to be new.
type stage uint8

const (
	between stage = iota // no byte of the next frame has been seen
	header               // its header is incomplete
	payload              // its payload is incomplete
)

// Init makes d the decoder of a new connection. It keeps l; nil means the defaults.
func (d *Decoder) Init(l *Limits) { *d = Decoder{limits: l} }

// AllowRSV1 says whether messages may be compressed (RFC 7692 section 6): RSV1
// is legal on the first frame of a message then, and the text of a message that
// has it is not checked. Off after Init. Not to be called inside a message.
func (d *Decoder) AllowRSV1(on bool) { d.allowRSV1 = on }

// Busy reports whether a frame or a message is unfinished, from the first byte
// of its first frame to the last byte of its last. It is false after an error.
func (d *Decoder) Busy() bool {
	return d.err == nil && (d.stage != between || d.open != 0)
}

// Need returns how many bytes the unfinished frame has in all, header included,
// from the start of what was last presented (after a piece: from the byte
// behind it). It is 0 when no header is complete, and after an error.
func (d *Decoder) Need() int {
	if d.err != nil || d.stage != payload {
		return 0
	}
	return int(min(d.size, math.MaxInt-int64(d.head))) + int(d.head)
}

// Next looks for a frame at the start of b, which begins where the last frame
// or piece ended: an unfinished frame is presented again, from its first byte,
// with more behind it.
//
// When the frame is complete Next returns it and its bytes, n > 0; its payload
// is a view of b. When it is not, n is 0; what is there of the payload has been
// unmasked in place and judged, and will not be again. Bytes behind the frame
// are not touched. Presenting fewer bytes than before is a mistake. Bytes of an
// unfinished frame that somebody else changes between two calls harm nobody but
// the reader of the payload: a complete header and judged payload are not read
// again.
//
// The error is an [*Error], the same at every later call. Which error a stream
// of bytes gives, and behind which frames, does not depend on how it is cut.
func (d *Decoder) Next(b []byte) (f Frame, n int, err error) {
	if d.err != nil {
		return Frame{}, 0, d.err
	}
	if d.stage != payload {
		if ok, fault := d.header(b); fault != nil {
			d.err = fault
			return Frame{}, 0, fault
		} else if !ok {
			return Frame{}, 0, nil
		}
	}
	p := b[d.head:]
	whole := int64(len(p)) >= d.size
	if whole {
		p = p[:d.size:d.size]
	}
	fresh := p[d.done:]
	unmask(fresh, phase(d.key, d.done))
	d.done = len(p)

	data := d.flags&opControl == 0
	plain := data && d.open == OpText && !d.packed // text to be checked
	if plain && !d.text.Feed(fresh) {
		d.err = ErrText
		return Frame{}, 0, ErrText
	}
	if !whole {
		return Frame{}, 0, nil
	}
	if data && d.flags&FIN != 0 {
		if plain && !d.text.Complete() {
			d.err = ErrText
			return Frame{}, 0, ErrText
		}
		d.open, d.packed, d.frames, d.bytes = 0, false, 0, 0
	}
	d.stage = between
	return Frame{d.flags, p}, int(d.head) + len(p), nil
}

// Piece takes what is there of an unfinished data frame as a frame of its own,
// so that a frame may be larger than the buffer. b is what [Decoder.Next] just
// returned n = 0 for, the same bytes.
//
// The first piece has byte 0 as received without FIN, the following are
// continuations; the rest comes from Next and carries FIN if the frame did. It
// is never empty. Pieces do not count as frames of the message. n is 0 when there is
// nothing to take: the header is incomplete, or no byte of the payload is there,
// or it is a control frame.
func (d *Decoder) Piece(b []byte) (f Frame, n int) {
	if d.err != nil || d.stage != payload || d.done == 0 || d.flags&opControl != 0 {
		return Frame{}, 0
	}
	n = int(d.head) + d.done
	f = Frame{d.flags &^ FIN, b[d.head:n:n]}
	d.flags &= FIN
	d.key = phase(d.key, d.done)
	d.size -= int64(d.done)
	d.head, d.done = 0, 0
	return f, n
}

// header reads the header at the start of b and begins its frame. It reports
// false when b ends before the header does. Each byte is judged as soon as it is
// there, and nothing is counted before all are.
func (d *Decoder) header(b []byte) (ok bool, fault *Error) {
	if len(b) == 0 {
		return false, nil
	}
	d.stage = header
	flags := b[0]
	if fault := d.judge(flags); fault != nil {
		return false, fault
	}
	if len(b) < 2 {
		return false, nil
	}
	if b[1]&0x80 == 0 { // section 5.1
		return false, ErrMask
	}
	size, head := int64(b[1]&0x7f), 2
	if size > MaxControl {
		if flags&opControl != 0 {
			return false, ErrControl
		}
		head = 4
		if size == 127 {
			head = 10
		}
		if len(b) < head {
			return false, nil
		}
		if size = length(b[2:head]); size < 0 {
			return false, ErrLength
		}
	}
	if flags&opControl == 0 && size > d.most(flags)-d.bytes {
		return false, ErrTooBig
	}
	if len(b) < head+4 {
		return false, nil
	}
	d.begin(flags, size)
	d.key = binary.LittleEndian.Uint32(b[head:])
	d.head = uint8(head + 4)
	return true, nil
}

// most is the most payload that the message may have to which a data frame with
// these flags belongs.
func (d *Decoder) most(flags byte) int64 {
	most := d.limits.message()
	if flags&RSV1 != 0 || d.packed && flags&MaskOpcode == OpContinuation {
		most += min(most>>6+8<<10, math.MaxInt64-most)
	}
	return most
}

// judge checks byte 0 of a frame against the message at hand.
func (d *Decoder) judge(flags byte) *Error {
	op := flags & MaskOpcode
	if rsv := flags & MaskRSV; rsv != 0 {
		first := op == OpText || op == OpBinary
		if rsv != RSV1 || !d.allowRSV1 || !first {
			return ErrReserved
		}
	}
	switch op {
	case OpContinuation:
		if d.open == 0 {
			return ErrContinuation
		}
	case OpText, OpBinary:
		if d.open != 0 {
			return ErrInterleaved
		}
	case OpClose, OpPing, OpPong:
		if flags&FIN == 0 { // section 5.5
			return ErrControl
		}
		return nil
	default:
		return ErrOpcode
	}
	if int64(d.frames) >= int64(d.limits.frames()) {
		return ErrFrames
	}
	return nil
}

// length reads an extended payload length of 2 or 8 bytes. It is -1 when fewer
// would have done, or when the top bit is set (section 5.2).
func length(b []byte) int64 {
	if len(b) == 2 {
		if n := binary.BigEndian.Uint16(b); n > 125 {
			return int64(n)
		}
		return -1
	}
	if n := int64(binary.BigEndian.Uint64(b)); n > 0xffff {
		return n
	}
	return -1
}

// begin counts a frame whose header is complete and makes it the one at hand.
func (d *Decoder) begin(flags byte, size int64) {
	d.stage, d.flags, d.size, d.done = payload, flags, size, 0
	if flags&opControl != 0 {
		return
	}
	if op := flags & MaskOpcode; op != OpContinuation {
		d.open = op
		d.packed = flags&RSV1 != 0
	}
	d.frames++
	d.bytes += size
}
