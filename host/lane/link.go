package lane

import (
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// A Link is the connection below one session, as the lane sees it. A transport
// implements it. Only the lane's goroutine calls it, and no call may block.
type Link interface {
	// Write queues p for the peer, copying it, and returns how many bytes now
	// wait. When they had passed the link's mark and fall below it again, the
	// link calls [Lane.Drained].
	Write(p []byte) (waiting int)

	// Pong is Write for a pong frame. When more than [PongRoom] waits and the last of
	// it is a pong, that gives its place to the new one: RFC 6455 section 5.5.3 asks
	// for an answer to the newest ping only, and so a peer that pings without reading
	// fills nothing.
	Pong(p []byte) (waiting int)

	// Busy says whether a message of the peer is unfinished, from its first byte on.
	Busy() bool

	// Waiting is how many bytes wait now.
	Waiting() int

	// Close ends the connection once everything queued has left, without
	// waiting for it. The link reports nothing more after this call.
	Close()

	// Cut ends the connection at once; what is queued is lost.
	Cut()
}

// PongRoom is how many bytes may wait for a peer before its pings are no longer
// answered one by one.
const PongRoom = 16 << 10

// A Batch is what a transport read from one connection in one go: whole frames
// or pieces in order, then, if Failed is set, a protocol error.
//
// It belongs to the lane from [Lane.Input] until the lane calls Done, which it
// does on its own goroutine once the payloads have been copied and the
// session's peer is not too far ahead of what it reads: a transport that limits
// its batches under way is thereby slowed down to the pace of its peer.
type Batch struct {
	Frames []frame.Frame // payloads unmasked, views into memory of the transport
	Failed *frame.Error  // nil if all went well
	Done   func()
}
