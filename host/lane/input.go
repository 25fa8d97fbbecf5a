package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// Input hands over what a transport read from the connection of session. See
// [Batch] for who owns what until when.
func (l *Lane) Input(session uint64, b *Batch) {
	if !l.mail.post(mail{kind: mailBatch, id: session, what: b}) {
		b.Done()
	}
}

// Gone tells that the connection of session ended without a close frame.
func (l *Lane) Gone(session uint64) { l.mail.post(mail{kind: mailGone, id: session}) }

// Drained tells that the peer of session has taken most of what waited for it.
func (l *Lane) Drained(session uint64) { l.mail.post(mail{kind: mailDrained, id: session}) }

// Stalled tells that the peer of session took no byte of what waits for it in
// the time it has for that.
func (l *Lane) Stalled(session uint64) { l.mail.post(mail{kind: mailStalled, id: session}) }

func (l *Lane) input(id uint64, b *Batch) {
	for i := range b.Frames {
		l.frame(id, &b.Frames[i], notInArea)
	}
	s := l.sessions.find(id)
	if s != nil && b.Failed != nil {
		l.fail(id, s, b.Failed)
		s = l.sessions.find(id)
	}
	if s != nil && s.slow {
		s.needExtra().owed = append(s.extra.owed, b)
		return
	}
	b.Done()
}

// notInArea stands for the place of a payload that has to be copied there.
const notInArea = -1

// frame takes one frame of session id, whatever has become of it. Its payload
// lies at that place in the area, unless it is notInArea.
func (l *Lane) frame(id uint64, f *frame.Frame, at int) {
	s := l.sessions.find(id)
	if s == nil || s.state != open && s.state != closing {
		return
	}
	s.heard = l.tick
	if fault := l.meter(s, f); fault != nil {
		l.fail(id, s, fault)
		return
	}
	switch f.Flags & abi.MaskOpcode {
	case abi.OpClose:
		l.peerClose(id, s, f.Payload)
	case abi.OpPing:
		l.counters.Pings.Add(1)
		if s.state == open { // §5.5.1: nothing may follow our close frame
			l.pong(id, s, f.Payload)
		}
	case abi.OpPong:
		l.counters.Pongs.Add(1)
	default:
		if s.state != open {
			return // the guest hears no more
		}
		s.spoke = l.tick
		if p := s.packing(); p != nil && p.takes(f.Flags) {
			l.unpack(id, s, p, f)
			return
		}
		l.hot.received.add(f.Flags, len(f.Payload))
		l.data(id, f, at)
	}
}

// meter holds a frame against the rates of its session's peer.
func (l *Lane) meter(s *session, f *frame.Frame) *frame.Error {
	limits := &l.cfg.Limits
	switch op := f.Flags & abi.MaskOpcode; {
	case op == abi.OpClose:
	case op > abi.OpClose:
		if !s.controls.take(&limits.Controls, 1, l.clock) {
			return errControlRate
		}
	case op != abi.OpContinuation && !s.messages.take(&limits.Messages, 1, l.clock):
		return errMessageRate
	case !s.bytes.take(&limits.Bytes, int64(len(f.Payload)), l.clock):
		return errByteRate
	}
	return nil
}

// data makes a recv event, or several if the payload is larger than the area:
// the first with the opcode, the next as continuations, FIN on the last. Once
// our close frame is out, the guest hears no more.
func (l *Lane) data(id uint64, f *frame.Frame, at int) {
	if l.messages {
		s := l.sessions.find(id)
		if s == nil || s.state != open {
			return
		}
		message, place, done := l.gatherMessage(s, f, at)
		l.countUnfinished(id, s)
		if !done {
			return
		}
		f, at = &message, place
	}
	if at != notInArea {
		g := l.guest
		if s := l.hearing(id, 0); s != nil && l.guest == g {
			e := l.recv(id, s, f.Flags)
			l.putAt(&e, at, len(f.Payload))
		}
		return
	}
	flags, rest := f.Flags, f.Payload
	for len(l.area) > 0 && len(rest) > len(l.area) {
		s := l.hearing(id, len(l.area))
		if s == nil {
			return
		}
		l.put(l.recv(id, s, flags&^abi.FlagFIN), rest[:len(l.area)])
		flags, rest = flags&^abi.MaskOpcode|abi.OpContinuation, rest[len(l.area):]
	}
	if s := l.hearing(id, len(rest)); s != nil {
		l.put(l.recv(id, s, flags), rest)
	}
}

// hearing makes room for an event of a session, and returns it if the guest
// still hears of what its peer sends.
func (l *Lane) hearing(id uint64, size int) *session {
	if !l.room(size) {
		return nil
	}
	if s := l.sessions.find(id); s != nil && s.state == open {
		return s
	}
	return nil
}

func (l *Lane) recv(id uint64, s *session, flags uint8) abi.Event {
	e := abi.Event{Kind: abi.EventRecv, Flags: flags, ID: id, Seq: s.seq, User: s.user}
	s.seq++
	return e
}

func (l *Lane) pong(id uint64, s *session, payload []byte) {
	var buf [2 + abi.MaxControlPayload]byte
	p := frame.AppendHeader(buf[:0], abi.FlagFIN|abi.OpPong, len(payload))
	l.queued(id, s, s.link.Pong(append(p, payload...)))
}

// settleDebts hands back the batches of a session: its transport reads on.
func (l *Lane) settleDebts(s *session) {
	if s.extra == nil {
		return
	}
	for _, b := range s.extra.owed {
		b.Done()
	}
	s.extra.owed = nil
}
