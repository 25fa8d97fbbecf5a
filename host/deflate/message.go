package deflate

// A Message is one whole message for many receivers, compressed at most once for
// each window that is smaller than the message, and once for all others. It
// refers to no earlier message, so it suits receivers with and without context
// takeover.
//
// It belongs to one goroutine at a time. Make it with [Pool.Message], and Reset
// it for each message, which uses its memory again.
type Message struct {
	pool    *Pool
	flags   byte
	payload []byte                // the caller's
	packed  [MaxBits + 1]encoding // by window
}

// An encoding is a message for one window. frame is empty until somebody asks.
type encoding struct {
	frame   []byte
	useless bool // it is no smaller than the message
}

// Message returns an empty message. Reset it before use.
func (p *Pool) Message() *Message { return &Message{pool: p} }

// Reset makes m the message with this payload. flags is byte 0: FIN and text or
// binary. m keeps payload until the next Reset, which voids the frames it gave.
func (m *Message) Reset(flags byte, payload []byte) {
	m.flags, m.payload = flags, payload
	for i := range m.packed {
		m.packed[i].frame = emptied(m.packed[i].frame)
	}
}

// emptied returns p without its bytes, and without its memory if that is much.
func emptied(p []byte) []byte {
	if cap(p) > maxKept {
		return nil
	}
	return p[:0]
}

// Frame returns m, compressed, for the session of d, which must be between
// messages and of the same pool. It is nil if m is better sent as it is. The bytes
// belong to m, and others get the same. d's context takes note of it.
func (m *Message) Frame(d *Deflater) []byte {
	if len(m.payload) < m.pool.policy.Threshold {
		return nil
	}
	bits := d.bits
	if len(m.payload) <= 1<<bits {
		bits = MaxBits // what fits into a window looks the same for all that are larger
	}
	e := &m.packed[bits]
	if len(e.frame) == 0 {
		free := Deflater{pool: m.pool, bits: bits, packed: true}
		e.frame = free.appendPacked(e.frame, m.flags, m.payload)
		e.useless = !free.packed
	}
	if e.useless {
		return nil
	}
	d.past = remember(d.past, m.payload, d.size)
	return e.frame
}
