package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// gatherMessage collects the frames of a message for a guest that takes whole ones. It
// returns the message when f is its last: opcode of the first frame, payload of
// all. A message of one frame stays where it is.
func (l *Lane) gatherMessage(s *session, f *frame.Frame, at int) (frame.Frame, int, bool) {
	op := f.Flags & abi.MaskOpcode
	if op != abi.OpContinuation && f.Flags&abi.FlagFIN != 0 {
		return *f, at, true
	}
	x := s.needExtra()
	if op != abi.OpContinuation {
		x.opcode, x.message = op, x.message[:0]
	}
	x.message = append(x.message, f.Payload...)
	if f.Flags&abi.FlagFIN == 0 {
		return frame.Frame{}, 0, false
	}
	whole := frame.Frame{Flags: abi.FlagFIN | x.opcode, Payload: x.message}
	x.message = nil
	return whole, notInArea, true
}

// frameLimits are the limits of one message: a guest that takes whole ones gets
// none that its receive area does not hold.
func (l *Lane) frameLimits(g Guest) frame.Limits {
	limits := l.cfg.Limits.Frames
	if area, _ := g.Area(); l.messages {
		limits.Message = min(limits.Message, int64(len(area)))
	}
	return limits
}
