package rawws

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Frame is one frame as it stands on the wire, without its length.
type Frame struct {
	Flags   byte // byte 0: FIN, RSV1-3, opcode
	Payload string
}

// String shows the frame as the vectors write it.
func (f Frame) String() string {
	if len(f.Payload) > 60 {
		return fmt.Sprintf("%02x %.60q... (%d bytes)", f.Flags, f.Payload, len(f.Payload))
	}
	return fmt.Sprintf("%02x %q", f.Flags, f.Payload)
}

// AppendFrame appends f as a client sends it: masked, with the shortest form of
// the length, RFC 6455 section 5.2.
func AppendFrame(dst []byte, f Frame) []byte {
	dst = append(dst, f.Flags)
	switch n := len(f.Payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x37, 0xfa, 0x21, byte(len(dst))}
	dst = append(dst, mask[:]...)
	at := len(dst)
	dst = append(dst, f.Payload...)
	var masks [1 << 10]byte // a byte at a time takes seconds under the race detector
	for i := range min(len(masks), len(f.Payload)) {
		masks[i] = mask[i%4]
	}
	for p := dst[at:]; len(p) > 0; p = p[min(len(masks), len(p)):] {
		subtle.XORBytes(p, p, masks[:])
	}
	return dst
}

// What a server must not send, RFC 6455 sections 5.1 and 5.2.
var (
	ErrMasked = errors.New("masked frame from a server")
	ErrLong   = errors.New("length of a frame not in its shortest form")
)

// Send writes one masked frame.
func (c *Conn) Send(flags byte, payload string) error {
	_, err := c.Write(AppendFrame(nil, Frame{flags, payload}))
	return err
}

// ReadFrame reads one frame of the server.
func (c *Conn) ReadFrame() (Frame, error) {
	c.patience()
	return ReadFrame(c.in)
}

// ReadFrame reads one frame of a server.
func ReadFrame(in io.Reader) (Frame, error) {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:2]); err != nil {
		return Frame{}, err
	}
	flags, size := head[0], uint64(head[1])
	if size >= 0x80 {
		return Frame{}, ErrMasked
	}
	if size >= 126 {
		wide, least := 2, uint64(126)
		if size == 127 {
			wide, least = 8, 1<<16
		}
		clear(head[:])
		if _, err := io.ReadFull(in, head[8-wide:]); err != nil {
			return Frame{}, err
		}
		if size = binary.BigEndian.Uint64(head[:]); size < least {
			return Frame{}, ErrLong
		}
	}
	payload := make([]byte, size)
	_, err := io.ReadFull(in, payload)
	return Frame{flags, string(payload)}, err
}

// ClosePayload is the payload of a close frame. Code 0 is none.
func ClosePayload(code uint16, reason string) string {
	if code == 0 {
		return reason
	}
	return string(binary.BigEndian.AppendUint16(nil, code)) + reason
}
