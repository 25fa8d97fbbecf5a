package frame

import "errors"

// Close codes of the faults below, section 7.4.1.
const (
	codeProtocol = 1002
	codeBadData  = 1007
	codePolicy   = 1008
	codeTooBig   = 1009
)

// An Error is a fault of the peer: the close code that answers it, and a reason
// that fits into a close frame. The values of this package are the only ones;
// compare with ==, or with [errors.Is] when wrapped.
type Error struct {
	Code   uint16
	Reason string
}

// Error returns the reason.
func (e *Error) Error() string { return e.Reason }

// Faults that [Decoder.Next] finds.
var (
	ErrReserved     = &Error{codeProtocol, "reserved bit set"}                                     // section 5.2
	ErrOpcode       = &Error{codeProtocol, "unknown opcode"}                                       // section 5.2
	ErrMask         = &Error{codeProtocol, "client frame is not masked"}                           // section 5.1
	ErrLength       = &Error{codeProtocol, "payload length is not minimal or has its top bit set"} // section 5.2
	ErrControl      = &Error{codeProtocol, "control frame is fragmented or longer than 125 bytes"} // section 5.5
	ErrContinuation = &Error{codeProtocol, "continuation frame without a message"}                 // section 5.4
	ErrInterleaved  = &Error{codeProtocol, "new message before the end of the one before"}         // section 5.4
	ErrText         = &Error{codeBadData, "text is not UTF-8"}                                     // section 8.1
	ErrTooBig       = &Error{codeTooBig, "message is larger than this server accepts"}             // section 7.4.1
	ErrFrames       = &Error{codePolicy, "message comes in more frames than this server accepts"}  // section 7.4.1
)

// Faults that [ParseClose] finds.
var (
	ErrCloseSize = &Error{codeProtocol, "close frame with half a code"}           // section 5.5.1
	ErrCloseCode = &Error{codeProtocol, "close code that may not be on the wire"} // section 7.4
	ErrCloseText = &Error{codeBadData, "close reason is not UTF-8"}               // section 5.5.1
)

// What [Encoder] refuses.
var (
	ErrSendFlags       = errors.New("send: opcode, reserved bit or missing FIN that may not be sent")
	ErrSendSequence    = errors.New("send: continuation without a message, or new message inside one")
	ErrSendControlSize = errors.New("send: control frame longer than 125 bytes")
	ErrSendText        = errors.New("send: text is not UTF-8")
)
