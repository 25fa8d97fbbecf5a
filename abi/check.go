package abi

import "math"

// Check judges what a command record shows by itself: its kind, the feature it
// needs, fields and bits that must be zero, flags, code, arg and the length
// that its kind allows. It returns 0 when there is nothing to refuse.
//
// What it cannot see is left to the host: the payload ([Command.Range], text,
// fields), its pieces, the session, and what came before.
func (c *Command) Check(granted Feature) Status {
	switch c.Kind {
	case CommandSend: // first: most commands are sends
		return first(zero(uint64(c.Code)|c.Arg), c.checkFrame(c.Len))
	case CommandPiece:
		return zero(uint64(c.Flags) | uint64(c.Code) | c.ID | c.Arg)
	case CommandAccept:
		return first(zero(uint64(c.Flags)|uint64(c.Code)|c.Arg), atMost(c.Len, MaxFields))
	case CommandRefuse:
		return first(zero(uint64(c.Flags)|c.Arg), status(c.Code, 300), atMost(c.Len, MaxFields))
	case CommandHold:
		return first(needs(granted, FeatureHold),
			zero(uint64(c.Flags)|uint64(c.Code)|uint64(c.Len)|c.Arg))
	case CommandSendMany:
		return first(needs(granted, FeatureSendMany), zero(uint64(c.Code)|c.ID|c.Arg),
			c.checkFrame(0), atMost(c.Len, 8*MaxSendMany), refuseIf(c.Len%8 != 0, StatusBadFields))
	case CommandClose:
		return first(zero(uint64(c.Flags)|c.Arg), c.checkClose(), atMost(c.Len, MaxCloseReason))
	case CommandPublish:
		whole := c.Flags == FlagFIN|OpText || c.Flags == FlagFIN|OpBinary
		return first(needs(granted, FeatureTopics), zero(uint64(c.Code)|c.Arg),
			refuseIf(!whole, StatusBadFlags), nameLen(c.Len, MaxTopic))
	case CommandSubscribe:
		return first(needs(granted, FeatureTopics),
			zero(uint64(c.Flags&^MaskPolicy)|uint64(c.Code)|c.Arg), nameLen(c.Len, MaxTopic))
	case CommandUnsubscribe:
		return first(needs(granted, FeatureTopics),
			zero(uint64(c.Flags)|uint64(c.Code)|c.Arg), nameLen(c.Len, MaxTopic))
	case CommandSetUser:
		return zero(uint64(c.Flags) | uint64(c.Code) | uint64(c.Len))
	case CommandTimerSet:
		endless := c.Flags&FlagRepeat != 0 && c.Arg == 0
		return first(needs(granted, FeatureTimers),
			zero(uint64(c.Flags&^FlagRepeat)|uint64(c.Code)|uint64(c.Len)),
			refuseIf(c.Arg > math.MaxInt64 || endless, StatusBadValue))
	case CommandTimerClear:
		return first(needs(granted, FeatureTimers),
			zero(uint64(c.Flags)|uint64(c.Code)|uint64(c.Len)|c.Arg))
	case CommandHTTPHead:
		return first(needs(granted, FeatureHTTP), zero(uint64(c.Flags&^(FlagEnd|FlagFlush))|c.Arg),
			status(c.Code, 200), atMost(c.Len, MaxFields))
	case CommandHTTPBody:
		return first(needs(granted, FeatureHTTP),
			zero(uint64(c.Flags&^(FlagEnd|FlagFlush))|uint64(c.Code)|c.Arg))
	case CommandLog:
		level := Level(c.Flags)
		return first(zero(uint64(c.Code)|c.Arg),
			refuseIf(level < LevelTrace || level > LevelError, StatusBadFlags), atMost(c.Len, MaxLog))
	case CommandMetric:
		return first(zero(uint64(c.Code)|c.ID), c.checkSample(), nameLen(c.Len, MaxMetricName))
	case CommandState:
		return first(needs(granted, FeatureState),
			zero(uint64(c.Flags&^FlagEnd)|uint64(c.Code)|c.ID|c.Arg))
	case CommandCall:
		return StatusNotGranted // reserved: no host of this version grants it
	}
	return StatusUnknownKind
}

// checkFrame judges the flags of a send as byte 0 of a frame with that much
// payload. RFC 6455 section 5.2; section 5.5 for control frames.
func (c *Command) checkFrame(size uint32) Status {
	if c.Flags&(FlagRSV1|FlagRSV2|FlagRSV3) != 0 {
		return StatusBadFlags
	}
	switch c.Flags & MaskOpcode {
	case OpContinuation, OpText, OpBinary:
		return 0
	case OpPing, OpPong:
		if c.Flags&FlagFIN == 0 {
			return StatusBadFlags
		}
		return atMost(size, MaxControlPayload)
	}
	return StatusBadFlags
}

// checkClose judges the code of a close command. RFC 6455 section 7.4 and the
// IANA registry: what an endpoint may put into a close frame.
func (c *Command) checkClose() Status {
	switch code := c.Code; {
	case code == 0: // no code on the wire, so no reason either
		return refuseIf(c.Len != 0, StatusBadCode)
	case 1000 <= code && code <= 1003, 1007 <= code && code <= 1014, 3000 <= code && code <= 4999:
		return 0
	}
	return StatusBadCode
}

// checkSample judges type and value of a metric.
func (c *Command) checkSample() Status {
	if c.Flags < MetricCounter || c.Flags > MetricHistogram {
		return StatusBadFlags
	}
	v := math.Float64frombits(c.Arg)
	negative := c.Flags == MetricCounter && v < 0
	return refuseIf(math.IsNaN(v) || math.IsInf(v, 0) || negative, StatusBadValue)
}

// first is the first status that refuses.
func first(all ...Status) Status {
	for _, s := range all {
		if s != 0 {
			return s
		}
	}
	return 0
}

func refuseIf(bad bool, s Status) Status {
	if bad {
		return s
	}
	return 0
}

func needs(granted, f Feature) Status { return refuseIf(granted&f == 0, StatusNotGranted) }
func zero(reserved uint64) Status     { return refuseIf(reserved != 0, StatusReserved) }
func atMost(size, most uint32) Status { return refuseIf(size > most, StatusTooLarge) }
func status(code uint16, least uint16) Status {
	return refuseIf(code < least || code > 599, StatusBadCode)
}

// nameLen judges the length of a name that must be there.
func nameLen(size, most uint32) Status {
	return first(refuseIf(size == 0, StatusBadFields), atMost(size, most))
}
