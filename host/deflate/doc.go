// Package deflate is permessage-deflate (RFC 7692) for the server's side.
//
// [Negotiate] answers a client's offer. An [Inflater] turns compressed messages
// into what was meant, a [Deflater] writes frames, and a [Message] is one message
// for many receivers. They share a [Pool]. None of them does any I/O or starts a
// goroutine; package frame has the frames themselves, and klauspost/compress the
// algorithm.
//
// # Receiving
//
// A message is inflated when all of it has come: the library reads from a
// stream and cannot stop in the middle for want of input. What has come of one
// waits as it is, compressed, and a limit bites on the byte that breaks it.
//
// # Memory
//
// What a session keeps while it is idle, besides some 350 bytes:
//
//	without context takeover               0
//	with, after little traffic             as much as came and went, in steps from 512 B
//	with, the most                         40 KiB: 32 to inflate, 8 to deflate
//	with, and Policy.ClientBits of 12      12 KiB
//	with, and Policy.Level above 1         64 KiB
//
// What works on a message is borrowed for one call: 45 KiB to inflate, 0.3 MiB
// to deflate, above level 1 up to 1.8. So there are never more of them than
// there are callers.
//
// # What compression costs
//
// A message of 250 bytes takes about 2.5 us to inflate and 10 us to deflate, or 16
// with context; all else that the host does for it takes well below 1. That is
// well spent where bandwidth is dear. And the size of a message tells what is
// alike in it: one that has both a secret and something that an attacker chose
// should not be compressed.
package deflate
