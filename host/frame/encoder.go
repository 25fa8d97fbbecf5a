package frame

// An Encoder judges the frames that a plugin wants to send on one connection:
// the rules of sections 5.4, 5.5 and 8.1 from the sending side. It writes
// nothing; see [AppendHeader].
//
// It is a small value. To refuse a frame without a trace, check a copy and
// assign it back when the frame goes out:
//
//	next := enc
//	if err := next.Check(flags, size); err != nil { ... }
//	for i, p := range parts {
//		if err := next.Text(p, i == len(parts)-1); err != nil { ... }
//	}
//	enc = next
//
// After an error the value it came from must not be used again. The zero value
// is ready.
type Encoder struct {
	open  byte // opcode of the unfinished message, 0 = none
	flags byte // FIN, and OpText when the frame just checked belongs to a text
	text  Text // of the unfinished text message; complete between messages
}

// Open reports whether a fragmented message is unfinished.
func (e *Encoder) Open() bool { return e.open != 0 }

// Check judges a frame by its byte 0 and the bytes of its payload, all parts
// together, and makes it the frame that [Encoder.Text] is about. Allowed are
// text, binary, continuation, ping and pong; close frames are the host's.
func (e *Encoder) Check(flags byte, size int) error {
	fin, op := flags&FIN, flags&MaskOpcode
	if flags&MaskRSV != 0 {
		return ErrSendFlags
	}
	switch op {
	case OpText, OpBinary:
		if e.open != 0 {
			return ErrSendSequence
		}
		e.open = op
	case OpContinuation:
		if e.open == 0 {
			return ErrSendSequence
		}
	case OpPing, OpPong:
		if fin == 0 {
			return ErrSendFlags
		}
		if size > MaxControl {
			return ErrSendControlSize
		}
		e.flags = FIN
		return nil
	default:
		return ErrSendFlags
	}
	e.flags = fin | e.open&OpText
	if fin != 0 {
		e.open = 0
	}
	return nil
}

// Text judges the next part of the frame just checked; last says that no more
// follows, and is due once per frame, for an empty payload too. Text does
// nothing unless the frame belongs to a text message. A character may be cut by
// parts and by fragments, but not by the end of the message. Fails with
// [ErrSendText].
func (e *Encoder) Text(p []byte, last bool) error {
	if e.flags&OpText == 0 {
		return nil
	}
	if !e.text.Feed(p) || last && e.flags&FIN != 0 && !e.text.Complete() {
		return ErrSendText
	}
	return nil
}
