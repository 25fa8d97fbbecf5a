package lane

import (
	"slices"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

func (l *Lane) publish(c *abi.Command) abi.Status {
	name := l.parts[0]
	if abi.CheckTopic(name) != nil {
		return abi.StatusBadText
	}
	if c.ID != 0 && l.sessions.find(c.ID) == nil {
		return abi.StatusUnknownSession
	}
	l.parts = l.parts[1:]
	var enc frame.Encoder
	if status := checkFrame(&enc, c.Flags, l.size(), l.parts); status != 0 {
		return status
	}
	if l.size() > l.cfg.Limits.Queue {
		return abi.StatusTooLarge
	}
	f := l.share(c.Flags)
	if t := l.topics[string(name)]; t != nil {
		l.fanOut(t, &f, c.ID)
	}
	if l.cfg.Bus != nil {
		encoded := slices.Clone(f.bytes(&l.outbox))
		l.cfg.Bus.Publish(l, &Message{
			Topic: string(name), Flags: c.Flags, Frame: encoded, Data: encoded[len(encoded)-f.size:],
		})
	}
	l.flushFull()
	return 0
}

// fanOut delivers a message to everyone in this lane but one session.
func (l *Lane) fanOut(t *topic, f *sharedFrame, but uint64) {
	if t.own {
		l.tellSelf(t.name, f)
	}
	for _, sub := range t.subs {
		if sub.id != but {
			l.deliver(sub, f)
		}
	}
}

// deliver sends a message to one subscriber, as far as its policy wants that of
// a peer that does not keep up.
func (l *Lane) deliver(sub *subscription, f *sharedFrame) {
	s := l.sessions.find(sub.id)
	if s == nil || s.state != open && s.state != accepted {
		return
	}
	if s.slow {
		switch sub.policy {
		case abi.PolicyDrop:
			l.counters.Missed.Add(1)
			return
		case abi.PolicyLast:
			l.keepLast(sub, s, f.bytes(&l.outbox))
			return
		}
	}
	if s.enc.Open() { // RFC 6455 section 5.4: messages do not mix; it follows the one under way
		l.replaceLast(sub, s)
		l.holdUp(sub.id, s, f.bytes(&l.outbox))
		return
	}
	l.giveShared(sub.id, s, f)
}

// holdUp has a frame wait for the end of a fragmented message. What waits like that
// counts as waiting for the peer.
func (l *Lane) holdUp(id uint64, s *session, encoded []byte) {
	s.extra.held = append(s.extra.held, encoded...)
	l.hot.queued += int64(len(encoded))
	switch waiting := len(s.extra.held); {
	case waiting > l.cfg.Limits.Queue:
		l.behind(FaultQueue, id, s)
	case waiting > modest && int64(waiting) > l.cfg.Limits.Waiting.free()-l.uncounted():
		l.behind(FaultQueueTotal, id, s)
	}
}

// forgetHeld ends the waiting of such frames and returns them.
func (l *Lane) forgetHeld(s *session) (held []byte) {
	if s.extra != nil {
		held, s.extra.held = s.extra.held, nil
		l.hot.queued -= int64(len(held))
	}
	return held
}

// countHeld counts frames that have waited like that and leave now.
func (l *Lane) countHeld(held []byte) {
	for len(held) > 0 {
		f := held[:frameSize(held)]
		l.countSent(f[0], len(payload(f)))
		held = held[len(f):]
	}
}

// keepLast keeps a message in the place of the topic's last. What is kept of all
// topics counts as waiting.
func (l *Lane) keepLast(sub *subscription, s *session, encoded []byte) {
	l.replaceLast(sub, s)
	sub.last = slices.Clone(encoded)
	s.extra.kept += len(encoded)
	l.hot.queued += int64(len(encoded))
	if s.extra.kept > l.cfg.Limits.Queue {
		l.behind(FaultQueue, sub.id, s)
	}
}

// replaceLast forgets the message that is kept, if any, for there is a newer one.
func (l *Lane) replaceLast(sub *subscription, s *session) {
	if len(sub.last) > 0 {
		l.counters.Missed.Add(1)
		l.forgetLast(sub, s)
	}
}

func (l *Lane) forgetLast(sub *subscription, s *session) {
	s.extra.kept -= len(sub.last)
	l.hot.queued -= int64(len(sub.last))
	sub.last = nil
}

// catchUp sends the newest messages that were kept for a session that was slow.
func (l *Lane) catchUp(id uint64, s *session) {
	if s.extra == nil {
		return
	}
	for _, sub := range s.extra.subs {
		if len(sub.last) > 0 && !s.slow && s.state == open && !s.enc.Open() {
			last := sub.last
			l.forgetLast(sub, s)
			l.countSent(last[0], len(payload(last)))
			l.writeKept(id, s, last)
		}
	}
}
