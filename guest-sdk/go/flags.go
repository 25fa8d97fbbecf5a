package guest

import "github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"

// Flags is the first byte of a WebSocket frame: FIN, RSV1 to 3 and the opcode,
// RFC 6455 section 5.2.
type Flags uint8

// Parts of [Flags].
const (
	FIN  Flags = abi.FlagFIN
	RSV1 Flags = abi.FlagRSV1
	RSV2 Flags = abi.FlagRSV2
	RSV3 Flags = abi.FlagRSV3

	OpContinuation Flags = abi.OpContinuation
	OpText         Flags = abi.OpText
	OpBinary       Flags = abi.OpBinary
	OpPing         Flags = abi.OpPing
	OpPong         Flags = abi.OpPong
)

// Whole frames.
const (
	Text   = FIN | OpText
	Binary = FIN | OpBinary
	Ping   = FIN | OpPing
	Pong   = FIN | OpPong
)

// Opcode is the frame's opcode: compare it, its bits mean nothing one by one.
func (f Flags) Opcode() Flags { return f & abi.MaskOpcode }

// FIN tells whether the frame ends its message.
func (f Flags) FIN() bool { return f&FIN != 0 }

// sendable tells whether the host would take a frame of n bytes with these flags.
func (f Flags) sendable(n int) bool {
	const ops = 1<<OpContinuation | 1<<OpText | 1<<OpBinary | 1<<OpPing | 1<<OpPong
	if f&(RSV1|RSV2|RSV3) != 0 || ops>>f.Opcode()&1 == 0 {
		return false
	}
	return f.Opcode() < abi.OpClose || f.FIN() && n <= abi.MaxControlPayload
}

// Close codes, RFC 6455 section 7.4.1.
const (
	CloseNormal      = abi.CloseNormal
	CloseGoingAway   = abi.CloseGoingAway
	CloseProtocol    = abi.CloseProtocol
	CloseUnsupported = abi.CloseUnsupported
	CloseNoStatus    = abi.CloseNoStatus // heard only: the peer gave no code
	CloseAbnormal    = abi.CloseAbnormal // heard only: the connection was lost
	CloseBadData     = abi.CloseBadData
	ClosePolicy      = abi.ClosePolicy
	CloseTooBig      = abi.CloseTooBig
	CloseInternal    = abi.CloseInternal
	CloseTryAgain    = abi.CloseTryAgain
)

// Who began to close a session.
type Who uint8

// Who.
const (
	Peer  Who = abi.WhoPeer
	Guest Who = abi.WhoGuest // this plugin
	Host  Who = abi.WhoHost  // a limit, a protocol error, shutdown
)

// A Policy says what becomes of a topic's messages for a session whose peer does
// not keep up: more waits for it than the host likes.
type Policy uint8

// Policies.
const (
	PolicyDefault Policy = abi.PolicyDefault // as the operator says
	PolicyClose   Policy = abi.PolicyClose   // they wait; the session is closed when its queue is full
	PolicyDrop    Policy = abi.PolicyDrop    // the newest are dropped
	PolicyLast    Policy = abi.PolicyLast    // the topic's last one is kept and sent when there is room again
)

// A Status says why a command had no effect.
type Status uint16

// Statuses.
const (
	StatusUnknownKind    = Status(abi.StatusUnknownKind)
	StatusNotGranted     = Status(abi.StatusNotGranted)
	StatusReserved       = Status(abi.StatusReserved)
	StatusBadRange       = Status(abi.StatusBadRange)
	StatusBadFlags       = Status(abi.StatusBadFlags)
	StatusBadSequence    = Status(abi.StatusBadSequence)
	StatusBadText        = Status(abi.StatusBadText)
	StatusBadCode        = Status(abi.StatusBadCode)
	StatusBadFields      = Status(abi.StatusBadFields)
	StatusUnknownSession = Status(abi.StatusUnknownSession)
	StatusClosing        = Status(abi.StatusClosing)
	StatusDecided        = Status(abi.StatusDecided)
	StatusTooLarge       = Status(abi.StatusTooLarge)
	StatusQueueFull      = Status(abi.StatusQueueFull)
	StatusQuota          = Status(abi.StatusQuota)
	StatusUnknownRequest = Status(abi.StatusUnknownRequest)
	StatusBadValue       = Status(abi.StatusBadValue)
)

var statusNames = [...]string{
	StatusUnknownKind: "unknown_kind", StatusNotGranted: "not_granted", StatusReserved: "reserved",
	StatusBadRange: "bad_range", StatusBadFlags: "bad_flags", StatusBadSequence: "bad_sequence",
	StatusBadText: "bad_text", StatusBadCode: "bad_code", StatusBadFields: "bad_fields",
	StatusUnknownSession: "unknown_session", StatusClosing: "closing", StatusDecided: "decided",
	StatusTooLarge: "too_large", StatusQueueFull: "queue_full", StatusQuota: "quota",
	StatusUnknownRequest: "unknown_request", StatusBadValue: "bad_value",
}

// String is the status's name in the contract and the host's log, such as
// "unknown_session"; "unknown" for one this SDK does not know.
func (s Status) String() string { return nameOf(statusNames[:], int(s)) }

// A Kind says what a command asked for.
type Kind uint8

var kindNames = [...]string{
	abi.CommandPiece: "piece", abi.CommandAccept: "accept", abi.CommandRefuse: "refuse", abi.CommandHold: "hold",
	abi.CommandSend: "send", abi.CommandSendMany: "send_many", abi.CommandClose: "close",
	abi.CommandPublish: "publish", abi.CommandSubscribe: "subscribe", abi.CommandUnsubscribe: "unsubscribe",
	abi.CommandSetUser: "set_user", abi.CommandTimerSet: "timer_set", abi.CommandTimerClear: "timer_clear",
	abi.CommandHTTPHead: "http_head", abi.CommandHTTPBody: "http_body",
	abi.CommandLog: "log", abi.CommandMetric: "metric", abi.CommandState: "state", abi.CommandCall: "call",
}

// String is the command's name in the contract and the host's log, such as
// "send_many"; "unknown" for one this SDK does not know.
func (k Kind) String() string { return nameOf(kindNames[:], int(k)) }

func nameOf(names []string, n int) string {
	if n < len(names) && names[n] != "" {
		return names[n]
	}
	return "unknown"
}
