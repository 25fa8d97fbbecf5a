package lane

import (
	"errors"
	"fmt"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// What ends a session, what its peer sees and what its guest hears:
//
//	cause                          close frame sent    close event
//	peer sends a close frame       the same code       its code, peer, clean
//	peer answers our close frame   sent before         its code, who began, clean
//	peer never answers ours        sent before         our code, who began
//	connection ends without one    none                1006, peer
//	peer takes nothing, or is
//	silent and answers no ping     none, cut           1006, host
//	peer breaks the protocol
//	or a limit                     the error's code    the same code, host
//	nothing is said for too long   1001                1001, host
//	plugin fails at its event      1011                1011, host
//	plugin's instance is lost      1011 or 1013        none

// peerClose handles a close frame, RFC 6455 section 5.5.1.
func (l *Lane) peerClose(id uint64, s *session, payload []byte) {
	code, reason, err := frame.ParseClose(payload)
	if failed := (*frame.Error)(nil); errors.As(err, &failed) {
		l.fail(id, s, failed)
		return
	}
	// It may lie in the memory of an instance that fails on the way to the event.
	var own [abi.MaxCloseReason]byte
	reason = own[:copy(own[:], reason)]
	who := s.who
	if s.state == open {
		who = abi.WhoPeer
		s.last, s.code = true, code // answered once the turn's data has left
	}
	l.end(id, s, code, who, true, reason)
}

// fail ends a session whose peer broke the protocol or a limit.
func (l *Lane) fail(id uint64, s *session, e *frame.Error) {
	if s.state == closing { // our close frame is out, no other may follow
		l.end(id, s, s.code, s.who, false, s.reason())
		return
	}
	l.turn() // what the guest answers to earlier frames leaves first
	if s = l.sessions.find(id); s == nil || s.state != open {
		return
	}
	l.fault(faultOf(e), id, e.Code)
	l.writeClose(s, e.Code, e.Reason)
	s.state, s.who, s.code = closing, abi.WhoHost, e.Code
	l.end(id, s, e.Code, abi.WhoHost, false, []byte(e.Reason))
}

// gone ends a session whose connection is no more.
func (l *Lane) gone(id uint64) {
	s := l.sessions.find(id)
	if s != nil && int32(s.heard-l.turned) >= 0 { // perhaps frames of the turn to come
		l.turn() // what the guest answers to them leaves first: it may be that only half of the connection is gone
		s = l.sessions.find(id)
	}
	if s == nil {
		return
	}
	code, who, reason := uint16(abi.CloseAbnormal), uint8(abi.WhoPeer), []byte(nil)
	if s.state == closing {
		code, who, reason = s.code, s.who, s.reason()
	}
	l.end(id, s, code, who, false, reason)
}

// stalled ends a session whose peer takes nothing. The connection is cut.
func (l *Lane) stalled(id uint64) {
	s := l.sessions.find(id)
	if s == nil || s.state == over {
		return
	}
	if s.state != closing { // else it is ended already, for a reason of its own
		l.fault(FaultWriteTime, id, abi.CloseAbnormal)
	}
	if s.link != nil {
		s.link.Cut()
	}
	l.end(id, s, abi.CloseAbnormal, abi.WhoHost, false, nil)
}

// startClose sends our close frame and waits for the peer's. Code 0 sends none.
func (l *Lane) startClose(id uint64, s *session, code uint16, reason string, who uint8) {
	l.writeClose(s, code, reason)
	s.state, s.who, s.code = closing, who, code
	if reason != "" {
		s.needExtra().reason = reason
	}
	if code == 0 {
		s.code = abi.CloseNoStatus
	}
	l.due.set(l.cfg.Limits.CloseTime, dueClose, id)
}

func (l *Lane) closeOverdue(id uint64) {
	s := l.sessions.find(id)
	if s == nil || s.state != closing {
		return
	}
	if s.link == nil { // the 101 is still on its way
		l.due.set(l.cfg.Limits.CloseTime, dueClose, id)
		return
	}
	l.end(id, s, s.code, s.who, false, s.reason())
}

// end puts the close event into the ring; the session is freed when the guest
// has had it. Ending it again does nothing.
func (l *Lane) end(id uint64, s *session, code uint16, who uint8, clean bool, reason []byte) {
	if s.state == over {
		return
	}
	heard := l.room(len(reason))
	if s = l.sessions.find(id); s == nil || s.state == over {
		return // making room ran a turn, and that ended it
	}
	l.counters.Closes[closeIndex(code)].Add(1)
	if !heard {
		l.release(id, s)
		return
	}
	l.put(abi.Event{
		Kind: abi.EventClose, Flags: closeFlags(who, clean), Code: code, ID: id, Seq: s.seq, User: s.user,
	}, reason)
	s.state = over
	l.ended = append(l.ended, id)
}

// release lets go of a session that is over: what is due to the peer leaves,
// then the connection ends.
func (l *Lane) release(id uint64, s *session) {
	if s.last {
		if c, ok := s.link.(*polled); ok {
			c.parting = true
		}
		l.writeClose(s, s.code, "")
	}
	l.settleDebts(s)
	l.forgetHeld(s)
	l.forgetUnfinished(s)
	l.unsubscribeAll(s)
	l.leavePlace() // before its peer can know
	l.keepUnsent(id, s)
	if s.link != nil {
		s.link.Close()
	}
	l.answer(s, Decision{Err: ErrDown})
	l.sessions.drop(id, s)
}

func (l *Lane) writeClose(s *session, code uint16, reason string) {
	l.flushTo(s)
	var buf [2 + abi.MaxControlPayload]byte
	p := frame.AppendClose(buf[:0], code, reason)
	if s.link == nil {
		s.needExtra().early = append(s.extra.early, p...)
		return
	}
	s.link.Write(p) // the last frame of the session: not held against its queue
}

// sessionID formats as sixteen hexadecimal digits, in logs as everywhere.
type sessionID uint64

func (id sessionID) String() string { return fmt.Sprintf("%016x", uint64(id)) }
