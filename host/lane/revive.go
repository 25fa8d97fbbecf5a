package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
)

// unheard are the sessions whose peers have said something in this turn that
// the instance has not taken in. It is lost with the instance.
func (l *Lane) unheard() map[uint64]bool {
	ids := map[uint64]bool{}
	for at := l.first; at < l.n; at++ {
		if e, _ := abi.ParseEvent(l.ring[at*abi.RecordSize:]); e.Kind == abi.EventRecv {
			ids[e.ID] = true
		}
	}
	return ids
}

// announce tells a fresh instance of the sessions there are: a connect event for
// each, as when it began. Those that are unheard close with 1011. The ring is empty
// afterwards, as after any other turn: it may have been one that made room.
func (l *Lane) announce(unheard map[uint64]bool) {
	var ids []uint64
	l.sessions.all(func(id uint64, s *session) {
		if s.state == connecting || s.state == over || unheard[id] {
			l.loseSession(id, s, abi.CloseInternal)
			return
		}
		s.seq, s.user = 0, 0
		ids = append(ids, id)
	})
	g := l.guest
	for _, id := range ids {
		s := l.sessions.find(id)
		if s == nil {
			continue // over since, in a turn that made room
		}
		if !l.room(len(s.fields)) || l.guest != g {
			return // it failed once more; that was seen to
		}
		if s = l.sessions.find(id); s == nil || s.state == over {
			continue
		}
		s.seq = 1
		l.put(abi.Event{Kind: abi.EventConnect, Flags: abi.FlagSynthesised, ID: id}, []byte(s.fields))
	}
	l.turn()
}

// breakOff ends a session of whose stream a part is lost.
func (l *Lane) breakOff(id uint64) {
	s := l.sessions.find(id)
	if s == nil || s.state == over {
		return
	}
	if s.state == open {
		l.writeClose(s, abi.CloseInternal, pluginFailed)
		s.state, s.who, s.code = closing, abi.WhoHost, abi.CloseInternal
	}
	l.end(id, s, s.code, s.who, false, []byte(pluginFailed))
}
