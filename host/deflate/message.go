package deflate

import "github.com/yimmo-host/yimmo-host/host/frame"

// A Message is one whole message for many receivers, encoded once for all of
// them that read the same: at most once as it is, and once for each window
// that is smaller than the message. The encoding refers to no earlier message,
// so it suits receivers with and without context takeover.
//
// It belongs to one goroutine at a time. Make it with [Pool.Message], and Reset
// it for each message, which uses its memory again.
type Message struct {
	pool    *Pool
	flags   byte
	payload []byte // the caller's
	plain   []byte
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
	m.plain = emptied(m.plain)
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

// Frame returns m for the session of d, which must be between messages and of
// the same pool; nil is a session without compression. The bytes belong to m,
// and others get the same. d's context takes note of it.
func (m *Message) Frame(d *Deflater) []byte {
	if d == nil || len(m.payload) < m.pool.policy.Threshold {
		return m.asIs()
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
		return m.asIs()
	}
	d.remember(m.payload)
	return e.frame
}

func (m *Message) asIs() []byte {
	if len(m.plain) == 0 {
		m.plain = append(frame.AppendHeader(m.plain, m.flags, len(m.payload)), m.payload...)
	}
	return m.plain
}
