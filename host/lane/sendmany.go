package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
)

// sendMany sends one frame to many sessions: encoded once, judged for each. A
// session that cannot take it is refused by itself, the others get it.
func (l *Lane) sendMany(c *abi.Command) abi.Status {
	ids, err := abi.ParseIDs(l.parts[0])
	if err != nil {
		return abi.StatusBadFields
	}
	l.parts = l.parts[1:]
	if l.size() > l.cfg.Limits.Queue {
		return abi.StatusTooLarge
	}
	f := l.share(c.Flags)
	for id := range ids.All() {
		if status := l.sendOne(id, &f, c.Tag); status != 0 {
			one := *c
			one.ID = id
			l.refuseCommand(&one, status)
		}
	}
	l.flushFull()
	return 0
}

// sendOne sends a frame of the payload at hand to one session.
func (l *Lane) sendOne(id uint64, f *sharedFrame, tag uint32) abi.Status {
	s := l.sessions.find(id)
	if status := sendable(s); status != 0 {
		return status
	}
	if s.extra != nil && s.extra.skipping && l.dropping(id, s, f.flags, f.size, tag) {
		return 0
	}
	enc := s.enc
	if status := checkFrame(&enc, f.flags, f.size, l.parts); status != 0 {
		return status
	}
	if s.state == connecting {
		l.accept(id, s, nil)
	}
	if l.dropping(id, s, f.flags, f.size, tag) {
		return 0
	}
	s.enc = enc
	l.giveShared(id, s, f)
	l.letGo(id, s)
	return 0
}
