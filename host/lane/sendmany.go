package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// sendMany sends one frame to many sessions: encoded once, judged for each. A
// session that cannot take it is refused by itself, the others get it.
func (l *Lane) sendMany(c *abi.Command) abi.Status {
	ids, err := abi.ParseIDs(l.parts[0])
	if err != nil {
		return abi.StatusBadFields
	}
	l.parts = l.parts[1:]
	encoded, status := l.encode(c.Flags)
	if status != 0 {
		return status
	}
	l.share(c.Flags, encoded[len(encoded)-l.size():])
	for id := range ids.All() {
		if status := l.sendOne(id, c.Flags, encoded, c.Tag); status != 0 {
			one := *c
			one.ID = id
			l.refuseCommand(&one, status)
		}
	}
	return 0
}

// encode makes a frame of the payload at hand, in memory that is used again by
// the next one.
func (l *Lane) encode(flags uint8) ([]byte, abi.Status) {
	size := l.size()
	if size > l.cfg.Limits.Queue {
		return nil, abi.StatusTooLarge
	}
	l.shared = frame.AppendHeader(l.shared[:0], flags, size)
	for _, p := range l.parts {
		l.shared = append(l.shared, p...)
	}
	return l.shared, 0
}

// sendOne sends the payload at hand, already encoded, to one session.
func (l *Lane) sendOne(id uint64, flags uint8, encoded []byte, tag uint32) abi.Status {
	s := l.sessions.find(id)
	if status := sendable(s); status != 0 {
		return status
	}
	if s.extra != nil && s.extra.skipping && l.dropping(id, s, flags, len(encoded), tag) {
		return 0
	}
	enc := s.enc
	if status := checkFrame(&enc, flags, l.size(), l.parts); status != 0 {
		return status
	}
	if s.state == connecting {
		l.accept(id, s, nil)
	}
	if l.dropping(id, s, flags, len(encoded), tag) {
		return 0
	}
	s.enc = enc
	l.countSent(flags, l.size())
	l.writeShared(id, s, flags, encoded, l.size())
	l.letGo(id, s)
	return 0
}
