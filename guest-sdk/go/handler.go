package guest

import (
	"errors"
	"strings"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Handler is a plugin: three callbacks for the life of a session. What it can
// do beyond that it says by implementing further interfaces of this package;
// the host is asked only for what the handler can use.
type Handler interface {
	// Connect is the first callback of a session. The handshake is not answered
	// yet, so the handler may look at [Session.Request] and choose
	// [Session.Accept], [Session.Refuse] or [Session.Hold]. Doing none of these
	// accepts; so does sending to the session.
	//
	// An error refuses the handshake with status 500, or with what a
	// [*StatusError] in its chain says. A [*CloseError] accepts and closes at
	// once: a browser shows its code to the page, but never an HTTP status. If
	// the session was accepted before the error, it is closed with 1011.
	Connect(s Session) error

	// Recv gets one frame, its flags as they came off the wire. A frame larger
	// than the receive area comes in pieces, the first with the opcode, the last
	// with FIN if the frame had it. With [FeatureMessages] in force it gets whole
	// messages. Control frames are the host's business and never come here.
	//
	// data is valid until Recv returns.
	//
	// An error closes the session with 1011, or with what a [*CloseError] in its
	// chain says.
	Recv(s Session, flags Flags, data []byte) error

	// Close is the last callback of a session, exactly one for each that was
	// accepted. The code is the peer's, 1005 if it gave none, 1006 if the
	// connection was lost. [Session.Ended] tells who began it.
	Close(s Session, code uint16, reason string)
}

// A Starter wants its configuration. Start comes before any other callback. An
// error stops the plugin: the host reports it and does not serve the plugin.
type Starter interface {
	Start(cfg Config) error
}

// A Stopper wants to know when it ends in good order. Stop is the last callback.
type Stopper interface {
	Stop()
}

// An HTTPHandler answers plain HTTP requests on the plugin's route; without it
// the host answers GET with 200 "OK". HTTP is called once the whole body is there, and
// what resp holds when it returns is the answer, unless [Response.Later] was
// called. An error answers 500, or what a [*StatusError] in its chain says.
type HTTPHandler interface {
	HTTP(req *Request, resp *Response) error
}

// A GoneHandler hears that a client went away, or a limit of the host ended its
// request, before the answer that the plugin took with [Response.Later] was
// complete.
type GoneHandler interface {
	Gone(request uint64)
}

// A TimerHandler makes timers available, see [SetTimer]. missed counts the
// periods of a repeating timer that passed unheard: late rather than lost. An
// error is logged.
type TimerHandler interface {
	Timer(id uint64, missed uint64) error
}

// A TopicHandler hears the topics that the plugin itself subscribed to, see
// [Subscribe]. data is valid until Topic returns. An error is logged.
type TopicHandler interface {
	Topic(name string, flags Flags, data []byte) error
}

// A RefusalHandler hears of commands that the host refused, one turn later.
// Without it they show in the host's log and metrics only.
type RefusalHandler interface {
	Refused(r Refusal)
}

// A BackPressureHandler hears that data for a session was dropped because its
// peer does not keep up, and that it takes data again. tag is that of the
// dropped command, see [Tag].
type BackPressureHandler interface {
	Dropped(s Session, status Status, tag uint32)
	Drained(s Session)
}

// A Refusal tells which command the host did not carry out, and why.
type Refusal struct {
	Status  Status
	Command Kind
	ID      uint64 // session, request or timer that the command named
	Tag     uint32 // see [Tag]
	More    uint64 // further refusals of that turn that are not reported one by one
}

// A Feature is something that a host may or may not offer.
type Feature uint32

// Features. Those that belong to an interface are asked for when the handler
// implements it; those that only add commands are always asked for.
const (
	FeatureHTTP         = Feature(abi.FeatureHTTP)         // [HTTPHandler]
	FeatureMessages     = Feature(abi.FeatureMessages)     // Recv gets whole messages; pass it to [Register]
	FeatureHold         = Feature(abi.FeatureHold)         // [Session.Hold]; always asked for
	FeatureSendMany     = Feature(abi.FeatureSendMany)     // [SendMany]; always asked for
	FeatureTimers       = Feature(abi.FeatureTimers)       // [TimerHandler]
	FeatureTopics       = Feature(abi.FeatureTopics)       // [Publish], [Subscribe]; always asked for
	FeatureBackPressure = Feature(abi.FeatureBackPressure) // [BackPressureHandler]
)

var registered struct {
	handler Handler
	needs   Feature
}

// Register names the plugin's handler. Call it once, from an init function:
// main does not run in a plugin. The host refuses to load the plugin if it does
// not offer what needs names; with everything else ask [Granted].
func Register(h Handler, needs ...Feature) {
	switch {
	case h == nil:
		panic("guest.Register: handler is nil")
	case registered.handler != nil:
		panic("guest.Register: called twice")
	}
	registered.handler = h
	for _, f := range needs {
		registered.needs |= f
	}
}

// Granted tells which features are in force.
func Granted() Feature { return Feature(running().control.Granted) }

// wants is what the handler can use.
func wants(h Handler) Feature {
	w := FeatureHold | FeatureSendMany | FeatureTopics
	if _, ok := h.(HTTPHandler); ok {
		w |= FeatureHTTP
	}
	if _, ok := h.(TimerHandler); ok {
		w |= FeatureTimers
	}
	if _, ok := h.(BackPressureHandler); ok {
		w |= FeatureBackPressure
	}
	return w
}

// A CloseError returned from a callback closes the session with a code of the
// plugin's choice; it is an answer and not logged. A code that may not be sent
// becomes 1011, and a reason that is too long is cut.
type CloseError struct {
	Code   uint16 // 1000-1003, 1007-1014 or 3000-4999; 0 sends none
	Reason string // UTF-8, at most 123 bytes; empty with code 0
}

// sendable is what of it a close frame may carry, so that a session that is to end
// does: 1011 in place of a code that may not be sent, and the reason cut to fit.
func (e *CloseError) sendable() (code uint16, reason string) {
	code, reason = e.Code, strings.ToValidUTF8(e.Reason, "\uFFFD")
	if len(reason) > abi.MaxCloseReason {
		reason = strings.ToValidUTF8(reason[:abi.MaxCloseReason], "")
	}
	switch {
	case code == 0 && reason == "", code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
		return code, reason
	}
	return CloseInternal, reason
}

// Error returns the reason, or a word for an empty one.
func (e *CloseError) Error() string {
	if e.Reason == "" {
		return "session closed by the plugin"
	}
	return e.Reason
}

// A StatusError returned from Connect or HTTP answers with a status of the
// plugin's choice; it is an answer and not logged.
type StatusError struct {
	Status int    // 300 to 599 from Connect, 200 to 599 from HTTP
	Body   string // text/plain
}

// Error returns the body, or a word for an empty one.
func (e *StatusError) Error() string {
	if e.Body == "" {
		return "request refused by the plugin"
	}
	return e.Body
}

// Errors of this package. They report mistakes that can be seen without the
// host; whatever only the host can see comes as a [Refusal].
var (
	// ErrFlags reports a frame that may not be sent. Nothing was sent.
	ErrFlags = errors.New("flags: want continuation, text, binary, ping or pong without RSV bits, " +
		"control frames whole and at most 125 bytes; to close use CloseWith")

	// ErrDecided reports that the handshake was answered before: by Accept,
	// Refuse, or by sending to the session or closing it.
	ErrDecided = errors.New("the handshake is already answered")

	// ErrComplete reports that the answer to an HTTP request is already complete.
	ErrComplete = errors.New("the answer is already complete")

	// ErrHeadSent reports that status and headers are already on their way.
	ErrHeadSent = errors.New("status and headers are already sent")
)
