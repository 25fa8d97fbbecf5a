package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// ErrMessageTotal is for a peer whose message is unfinished when too much is kept of
// such messages. It may try again: the others are as much to blame.
var ErrMessageTotal = &frame.Error{Code: abi.CloseTryAgain, Reason: "too many unfinished messages"}

// unfinished is how many bytes the lane keeps of messages of a session's peer.
func (s *session) unfinished() (n int) {
	x := s.extra
	if x == nil {
		return 0
	}
	if n = len(x.message); x.packing != nil {
		n += x.packing.in.Len()
	}
	return n
}

// countUnfinished counts those bytes anew. If there are more than may be the session
// ends.
func (l *Lane) countUnfinished(id uint64, s *session) {
	n := s.unfinished()
	if s.extra == nil || n == s.extra.counted {
		return
	}
	l.hot.unfinished += int64(n - s.extra.counted)
	s.extra.counted = n
	if !l.mayKeep(n) {
		l.fail(id, s, ErrMessageTotal)
	}
}

// forgetUnfinished follows the end of a session.
func (l *Lane) forgetUnfinished(s *session) {
	if s.extra != nil {
		l.hot.unfinished -= int64(s.extra.counted)
		s.extra.counted = 0
	}
}

// mayKeep says whether so many bytes may be kept of one peer's message.
func (l *Lane) mayKeep(n int) bool {
	return l.cfg.Limits.Unfinished.Allows(int64(n) + l.hot.unfinished - l.published.unfinished)
}

// countKept counts the memory for the beginning of a frame of a polled socket anew.
func (l *Lane) countKept(c *polled) {
	d := c.side
	if d == nil {
		return
	}
	n := len(d.in)
	if cap(d.in) > sideSize { // what is less is used again
		n = cap(d.in)
	}
	if n == d.counted {
		return
	}
	l.hot.unfinished += int64(n - d.counted)
	d.counted = n
	if !l.mayKeep(n) {
		l.faulted(c, ErrMessageTotal)
	}
}

// giveUp lets go of the beginning of a frame, whose memory is not to be kept.
func (d *side) giveUp(l *Lane) {
	l.hot.unfinished -= int64(d.counted)
	d.counted = 0
	if d.in = d.in[:0]; cap(d.in) > sideSize {
		d.in = nil
	}
}
