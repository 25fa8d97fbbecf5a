package deflate

import "github.com/yimmo-host/yimmo-host/host/frame"

// A Deflater writes the frames of one session, compressed where that pays. It
// belongs to one goroutine at a time. Get one from [Pool.Deflater].
type Deflater struct {
	pool   *Pool
	bits   int
	size   int    // of past, at most; 0 without context takeover
	past   []byte // the last of what the peer has inflated
	packed bool   // the message at hand is compressed
}

// Deflater returns a deflater for a session. It holds no memory until the first
// compressed message, and never any without context takeover.
func (p *Pool) Deflater(params Params) Deflater {
	d := Deflater{pool: p, bits: params.ServerBits}
	if params.ServerTakeover {
		d.size = p.context(d.bits)
	}
	return d
}

// Packed reports whether the message at hand, or the last one, is compressed.
func (d *Deflater) Packed() bool { return d.packed }

// AppendFrame appends a frame to dst whose payload is parts, all together. flags
// is byte 0 as [frame.Encoder] allowed it: without RSV1, which is added to the
// first frame of a message that is compressed.
//
// Control frames and messages below the threshold go out as they are, and so do
// whole messages that would not get smaller. The frames of a message do as its
// first does. parts are copied. It waits for nothing.
func (d *Deflater) AppendFrame(dst []byte, flags byte, parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	op := flags & frame.MaskOpcode
	if op != frame.OpContinuation && op != frame.OpText && op != frame.OpBinary {
		return appendPlain(dst, flags, size, parts)
	}
	if op != frame.OpContinuation {
		d.packed = size >= d.pool.policy.Threshold
	}
	if !d.packed {
		return appendPlain(dst, flags, size, parts)
	}
	k := d.pool.packers.Get().(*packer)
	defer d.pool.freePacker(k)
	return d.appendPacked(dst, flags, k.joined(parts))
}

// appendPacked appends a frame of a compressed message, or of one that turns
// out not to be worth it.
func (d *Deflater) appendPacked(dst []byte, flags byte, payload []byte) []byte {
	first, fin := flags&frame.MaskOpcode != frame.OpContinuation, flags&frame.FIN != 0
	head := len(dst)
	dst = append(dst, make([]byte, frame.MaxHeader)...)
	body := len(dst)
	if len(payload) > 0 || fin {
		dst = d.pool.pack(dst, payload, d.past, d.bits)
	}
	if fin {
		dst = dst[:len(dst)-tail]
		if first && !d.worth(len(dst)-body, len(payload)) {
			d.packed = false
			return append(frame.AppendHeader(dst[:head], flags, len(payload)), payload...)
		}
	}
	if first {
		flags |= frame.RSV1
	}
	d.past = remember(d.past, payload, d.size)
	packed := dst[body:]
	return append(frame.AppendHeader(dst[:head], flags, len(packed)), packed...)
}

// A first small message has nothing to refer to and does not get smaller, but
// those behind it would if it were context. So until there is some, a few bytes
// may be lost.
const (
	seed     = 1 << 10 // bytes of context
	seedCost = 8       // bytes a message may become larger
)

// worth says whether a message is to be sent compressed.
func (d *Deflater) worth(packed, plain int) bool {
	return packed < plain || len(d.past) < min(d.size, seed) && packed <= plain+seedCost
}

func appendPlain(dst []byte, flags byte, size int, parts [][]byte) []byte {
	dst = frame.AppendHeader(dst, flags, size)
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}
