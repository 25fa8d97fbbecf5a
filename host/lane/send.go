package lane

import (
	"errors"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// send encodes one frame for one session.
func (l *Lane) send(c *abi.Command) abi.Status {
	s := l.sessions.find(c.ID)
	if status := sendable(s); status != 0 {
		return status
	}
	size := l.size()
	if size > l.cfg.Limits.Queue {
		return abi.StatusTooLarge
	}
	if s.extra != nil && s.extra.skipping && l.dropping(c.ID, s, c.Flags, size, c.Tag) {
		return 0
	}
	enc := s.enc // assigned back when all is well: a refused frame changes nothing
	if status := checkFrame(&enc, c.Flags, size, l.parts); status != 0 {
		return status
	}
	if s.state == connecting {
		l.accept(c.ID, s, nil)
	}
	if l.dropping(c.ID, s, c.Flags, size, c.Tag) {
		return 0
	}
	s.enc = enc
	l.countSent(c.Flags, size)
	o := &l.outbox
	from := len(o.frames)
	if p := s.packing(); p != nil {
		o.frames = l.pack(p, o.frames, c.Flags, l.parts...)
	} else {
		l.encode(c.Flags)
	}
	l.give(c.ID, s, from, len(o.frames))
	l.letGo(c.ID, s)
	l.flushFull()
	return 0
}

// encode puts a frame of the payload at hand into the outbox, at [from, to), of which
// size bytes are payload.
func (l *Lane) encode(flags uint8) (from, to, size int) {
	o := &l.outbox
	from, size = len(o.frames), l.size()
	o.frames = frame.AppendHeader(o.frames, flags, size)
	for _, p := range l.parts {
		o.frames = append(o.frames, p...)
	}
	return from, len(o.frames), size
}

// letGo sends what a fragmented message of the guest's has held up, if it is over.
func (l *Lane) letGo(id uint64, s *session) {
	x := s.extra
	if x == nil || s.enc.Open() || len(x.held) == 0 && x.kept == 0 {
		return
	}
	l.flushTo(s)
	if s.state == closing {
		return // the message was too much for its peer
	}
	if held := l.forgetHeld(s); len(held) > 0 {
		l.countHeld(held)
		l.write(id, s, held)
	}
	l.catchUp(id, s)
}

// sendable says whether the guest may send to s now. A session whose peer began
// to close still takes what its guest answers in the same turn.
func sendable(s *session) abi.Status {
	switch {
	case s == nil, s.state == over && !s.last:
		return abi.StatusUnknownSession
	case s.state == closing:
		return abi.StatusClosing
	}
	return 0
}

func checkFrame(enc *frame.Encoder, flags byte, size int, parts [][]byte) abi.Status {
	switch err := enc.Check(flags, size); {
	case err == nil:
	case errors.Is(err, frame.ErrSendSequence):
		return abi.StatusBadSequence
	case errors.Is(err, frame.ErrSendControlSize):
		return abi.StatusTooLarge
	default:
		return abi.StatusBadFlags
	}
	if flags&8 != 0 {
		return 0 // a control frame's bytes are nobody's text
	}
	for i, p := range parts {
		if enc.Text(p, i == len(parts)-1) != nil {
			return abi.StatusBadText
		}
	}
	return 0
}

// write queues bytes for a session's peer, within the limit, behind what the outbox
// has for it.
func (l *Lane) write(id uint64, s *session, p []byte) {
	l.flushTo(s)
	s.spoke = l.tick
	if s.link == nil {
		s.needExtra().early = append(s.extra.early, p...)
		l.queued(id, s, len(s.extra.early))
		return
	}
	if free := l.cfg.Limits.Waiting.free() - l.uncounted(); free < int64(l.cfg.Limits.Queue) {
		if waiting := s.link.Waiting(); waiting > modest && int64(waiting) > free {
			l.behind(FaultQueueTotal, id, s)
			return
		}
	}
	l.queued(id, s, s.link.Write(p))
}

// queued holds what waits for a session's peer against the limit.
func (l *Lane) queued(id uint64, s *session, waiting int) {
	s.slow = s.slow || s.link != nil && waiting > l.cfg.Limits.Mark()
	if waiting > l.cfg.Limits.Queue {
		l.behind(FaultQueue, id, s)
	}
}

// behind ends a session whose peer is too far behind.
func (l *Lane) behind(f Fault, id uint64, s *session) {
	if s.state != closing && s.state != over {
		l.fault(f, id, abi.ClosePolicy)
		l.startClose(id, s, abi.ClosePolicy, "out-queue full", abi.WhoHost)
	}
}

func (l *Lane) closeCommand(c *abi.Command) abi.Status {
	s := l.sessions.find(c.ID)
	reason := l.whole()
	switch {
	case s == nil || s.state == over:
		return abi.StatusUnknownSession
	case s.state == closing:
		return abi.StatusClosing
	case c.Code == 0 && len(reason) != 0:
		return abi.StatusBadCode
	case len(reason) > abi.MaxCloseReason:
		return abi.StatusTooLarge
	case !utf8.Valid(reason):
		return abi.StatusBadText
	}
	if s.state == connecting {
		l.accept(c.ID, s, nil)
	}
	l.startClose(c.ID, s, c.Code, string(reason), abi.WhoGuest)
	return 0
}
