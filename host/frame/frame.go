// Package frame is the RFC 6455 frame codec of the server's side.
//
// A [Decoder] reads what a client sent, an [Encoder] judges what a plugin wants
// to send, [AppendHeader] and [AppendClose] write what goes out. None of them
// does any I/O, starts a goroutine, copies payload or allocates: the decoder
// unmasks the caller's bytes where they lie and returns views of them, so a
// transport may read from the socket straight into the memory of a guest.
//
// # Receiving
//
// The caller owns the buffer. It presents the unconsumed bytes, takes a frame,
// drops the bytes of that frame, and presents the rest:
//
//	for {
//		f, n, err := d.Next(buf)
//		switch {
//		case err != nil: // send close with err.(*frame.Error).Code, end
//		case n > 0: // use f.Payload, then buf = buf[n:]
//		default: // read more behind buf, in place; d.Need() says how much
//		}
//	}
//
// What is there of an unfinished frame is already unmasked and judged, so a
// frame header that breaks a limit and text that cannot become UTF-8 are
// refused before the rest of the frame arrives. A frame larger than the
// caller's buffer is taken in parts with [Decoder.Piece].
//
// # Errors
//
// Each fault of a peer is one [*Error] value of this package, with the close
// code that answers it. A decoder that returned one returns it for ever.
//
// # Concurrency
//
// Decoder, Encoder and Text belong to one goroutine at a time. Functions are
// safe for concurrent use on distinct memory.
package frame

import "encoding/binary"

// Bits and opcodes of byte 0 of a frame, RFC 6455 section 5.2.
const (
	FIN        = 0x80
	RSV1       = 0x40
	RSV2       = 0x20
	RSV3       = 0x10
	MaskRSV    = RSV1 | RSV2 | RSV3
	MaskOpcode = 0x0f

	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xa
)

// Sizes in bytes.
const (
	MaxHeader  = 10  // of a frame from the server; a masked one has 4 more
	MaxControl = 125 // payload of ping, pong and close, section 5.5
	MaxReason  = MaxControl - 2
)

// opControl is the bit that sets the opcodes of control frames apart.
const opControl = 0x8

// A Frame is one frame, or a piece of one, as [Decoder] found it.
type Frame struct {
	Flags   byte   // byte 0 as received; of a piece, see Decoder.Piece
	Payload []byte // unmasked; a view of the caller's bytes, its capacity ends where it ends
}

// AppendHeader appends the header of a frame with size bytes of payload to dst:
// flags as byte 0, the length in its shortest form, no mask. It judges nothing.
func AppendHeader(dst []byte, flags byte, size int) []byte {
	switch {
	case size <= 125:
		return append(dst, flags, byte(size))
	case size <= 0xffff:
		return append(dst, flags, 126, byte(size>>8), byte(size))
	default:
		return binary.BigEndian.AppendUint64(append(dst, flags, 127), uint64(size))
	}
}
