package lane

import "github.com/yimmo-host/yimmo-host/abi"

// dropping says whether a frame for a session is to be dropped: its out-queue
// is full and the operator's policy is to drop. Whole messages are dropped, not
// parts of one. The guest hears of the first in each turn.
func (l *Lane) dropping(id uint64, s *session, flags uint8, size int, tag uint32) bool {
	op := flags & abi.MaskOpcode
	if l.cfg.Policy != abi.PolicyDrop || op >= abi.OpClose {
		return false
	}
	if op == abi.OpContinuation {
		if s.extra == nil || !s.extra.skipping {
			return false // its message has begun: it is finished
		}
		s.extra.skipping = flags&abi.FlagFIN == 0
		return true
	}
	if s.extra != nil {
		s.extra.skipping = false
	}
	if s.enc.Open() || !s.slow || s.link == nil || s.link.Waiting()+l.inOutbox(s)+size <= l.cfg.Limits.Queue {
		return false
	}
	l.counters.Missed.Add(1)
	x := s.needExtra()
	x.skipping = flags&abi.FlagFIN == 0
	if !x.dropped && l.guest.Features()&abi.FeatureBackPressure != 0 {
		l.later = append(l.later, pending{event: abi.Event{
			Kind: abi.EventDropped, Code: uint16(abi.StatusQueueFull), ID: id, Seq: tag, User: s.user,
		}})
	}
	x.dropped = true
	return true
}

// drained tells that a session takes data again.
func (l *Lane) drained(id uint64) {
	s := l.sessions.find(id)
	if s == nil || !s.slow {
		return
	}
	s.slow = false
	l.settleDebts(s)
	l.catchUp(id, s)
	if x := s.extra; x != nil && x.dropped {
		x.dropped = false
		if l.guest != nil && l.guest.Features()&abi.FeatureBackPressure != 0 && l.room(0) {
			if s = l.sessions.find(id); s != nil && s.state == open {
				l.put(abi.Event{Kind: abi.EventDrained, ID: id, Seq: s.seq, User: s.user}, nil)
				s.seq++
			}
		}
	}
}
