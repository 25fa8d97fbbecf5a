// Package deflate is permessage-deflate (RFC 7692) for the server's side.
//
// [Negotiate] answers a client's offer. An [Inflater] turns the payload of
// compressed frames into what was meant, a [Deflater] writes frames, and a
// [Message] is one message for many receivers. They share a [Pool]. None of
// them does any I/O or starts a goroutine; package frame has the frames
// themselves.
//
// # Receiving
//
// Bytes of a message go in as they come, a frame or a piece of one at a time,
// and all comes out that they tell: text can be checked as it arrives, a limit
// bites on the byte that breaks it, and the output goes straight to where it is
// wanted, in parts if there is little room.
//
// The library that compresses here, klauspost/compress, inflates too, but only
// by pulling from a reader: a message in fragments would need to be collected
// first, or a goroutine each. Hence an inflater of our own; it is as fast.
//
// # Memory
//
// What a session keeps while it is idle, besides 160 bytes for an Inflater and
// a Deflater:
//
//	without context takeover               0
//	with, after little traffic             as much as came and went, in steps from 512 B
//	with, the most                         40 KiB: 32 to inflate, 8 to deflate
//	with, and Policy.ClientBits of 12      12 KiB
//	with, and Policy.Level above 1         64 KiB
//
// A message that is half inflated keeps 0.5 KiB and, without context, a window
// until it ends; [Limits.Waiting] bounds how many there are. What works on a
// message is borrowed for one call: 8 KiB of tables to inflate, 0.3 MiB to
// deflate, above level 1 up to 1.8.
//
// # What compression costs
//
// A message of 250 bytes takes about 2 us to inflate and 8 us to deflate, or 15
// with context; all else that the host does for it takes well below 1. That is
// well spent where bandwidth is dear. And the size of a message tells what is
// alike in it: one that has both a secret and something that an attacker chose
// should not be compressed.
package deflate
