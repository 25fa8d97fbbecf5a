package lane

import (
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// A Fault is what a peer did, or failed to do, for which the host ended its
// session.
type Fault uint8

// Faults.
const (
	FaultProtocol     Fault = iota // a frame that breaks RFC 6455
	FaultText                      // text or a close reason that is not UTF-8
	FaultTooBig                    // a message above the limit
	FaultData                      // compressed data that is broken
	FaultRatio                     // a message that inflates too much
	FaultFrames                    // a message of too many frames
	FaultMessageTime               // a message that took too long
	FaultMessageTotal              // a message that is unfinished, while too much is kept of such
	FaultControlRate               // too many pings and pongs
	FaultMessageRate               // too many messages
	FaultByteRate                  // too many bytes of messages
	FaultQueue                     // it takes what is sent to it more slowly than that comes
	FaultQueueTotal                // the same, while very much waits for all peers together
	FaultWriteTime                 // it takes nothing at all
	FaultPong                      // silent, and no answer to a ping
	FaultIdle                      // neither side had anything to say
	Faults                         // how many there are
)

var faults = [Faults]struct{ name, text string }{
	FaultProtocol:     {"protocol", "its peer broke the protocol"},
	FaultText:         {"text", "its peer sent text that is not UTF-8"},
	FaultTooBig:       {"too_big", "its peer's message is too large"},
	FaultData:         {"data", "its peer sent compressed data that is broken"},
	FaultRatio:        {"ratio", "its peer's message inflates too much"},
	FaultFrames:       {"frames", "its peer's message has too many frames"},
	FaultMessageTime:  {"message_time", "its peer's message took too long"},
	FaultMessageTotal: {"message_total", "its peer's message is unfinished and so are too many others'"},
	FaultControlRate:  {"control_rate", "its peer sends too many pings and pongs"},
	FaultMessageRate:  {"message_rate", "its peer sends too many messages"},
	FaultByteRate:     {"byte_rate", "its peer sends too many bytes"},
	FaultQueue:        {"queue", "its peer does not read"},
	FaultQueueTotal:   {"queue_total", "its peer does not read and neither do too many others"},
	FaultWriteTime:    {"write_time", "its peer takes nothing"},
	FaultPong:         {"pong", "its peer is silent"},
	FaultIdle:         {"idle", "nothing was said for too long"},
}

// String returns one word, for logs and metrics.
func (f Fault) String() string { return faults[f].name }

// Faults of a peer that its transport or its lane finds, with the close code
// that answers them.
var (
	ErrMessageTime = &frame.Error{Code: abi.ClosePolicy, Reason: "message took too long"}
	errControlRate = &frame.Error{Code: abi.ClosePolicy, Reason: "too many control frames"}
	errMessageRate = &frame.Error{Code: abi.ClosePolicy, Reason: "too many messages"}
	errByteRate    = &frame.Error{Code: abi.ClosePolicy, Reason: "too many bytes"}
)

// faultOf names a fault that has a close frame.
func faultOf(e *frame.Error) Fault {
	switch e {
	case ErrMessageTime:
		return FaultMessageTime
	case ErrMessageTotal:
		return FaultMessageTotal
	case errControlRate:
		return FaultControlRate
	case errMessageRate:
		return FaultMessageRate
	case errByteRate:
		return FaultByteRate
	case frame.ErrFrames:
		return FaultFrames
	case deflate.ErrData:
		return FaultData
	case deflate.ErrRatio:
		return FaultRatio
	}
	switch e.Code {
	case abi.CloseBadData:
		return FaultText
	case abi.CloseTooBig:
		return FaultTooBig
	}
	return FaultProtocol
}

// linePause is how long after a line of a kind the next of it may come.
const linePause = time.Second

// A sampler lets a line through now and then and counts the others.
type sampler struct {
	next    time.Duration // on the lane's clock
	skipped int
}

// sample says whether the line at hand may pass, and how many before it did not.
func (p *sampler) sample(now time.Duration) (skipped int, ok bool) {
	if now < p.next {
		p.skipped++
		return 0, false
	}
	skipped = p.skipped
	*p = sampler{next: now + linePause}
	return skipped, true
}

// fault counts a session that is ended for a fault and logs a sample of them.
func (l *Lane) fault(f Fault, id uint64, code uint16) {
	l.counters.Faults[f].Add(1)
	if skipped, ok := l.samples[f].sample(l.clock); ok {
		l.log.Info("session closed: "+faults[f].text, "fault", f.String(), "session", sessionID(id), "close_code", code, "skipped", skipped)
	}
}
