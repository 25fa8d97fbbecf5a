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
		s.owed = append(s.owed, b)
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
	switch f.Flags & abi.MaskOpcode {
	case abi.OpClose:
		l.peerClose(id, s, f.Payload)
	case abi.OpPing:
		if s.state == open { // §5.5.1: nothing may follow our close frame
			l.pong(id, s, f.Payload)
		}
	case abi.OpPong:
	default:
		l.data(id, f, at)
	}
}

// data makes a recv event. Once our close frame is out, the guest hears no more.
func (l *Lane) data(id uint64, f *frame.Frame, at int) {
	size := len(f.Payload)
	if at != notInArea {
		size = 0
	}
	if !l.room(size) {
		return
	}
	s := l.sessions.find(id) // making room may have run a turn
	if s == nil || s.state != open {
		return
	}
	e := abi.Event{Kind: abi.EventRecv, Flags: f.Flags, ID: id, Seq: s.seq, User: s.user}
	s.seq++
	if at == notInArea {
		l.put(e, f.Payload)
		return
	}
	l.putAt(&e, at, len(f.Payload))
}

func (l *Lane) pong(id uint64, s *session, payload []byte) {
	var buf [2 + abi.MaxControlPayload]byte
	p := frame.AppendHeader(buf[:0], abi.FlagFIN|abi.OpPong, len(payload))
	l.write(id, s, append(p, payload...))
}

func (l *Lane) drained(id uint64) {
	s := l.sessions.find(id)
	if s == nil || !s.slow {
		return
	}
	s.slow = false
	l.settleDebts(s)
}

// settleDebts hands back the batches of a session: its transport reads on.
func (l *Lane) settleDebts(s *session) {
	for _, b := range s.owed {
		b.Done()
	}
	s.owed = nil
}
