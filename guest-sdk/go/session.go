package guest

import (
	"unsafe"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Session is one WebSocket connection. It is a small value: keep and compare
// it freely, or keep its ID. Commands for a session that is over, or never was,
// are refused by the host and do no harm.
type Session struct {
	id   uint64
	user uint64
}

// SessionByID returns the session with that id, to send to it from another
// session's callback, a timer or a topic. It does not know the user word.
func SessionByID(id uint64) Session { return Session{id: id} }

// ID identifies the session for as long as this plugin runs. It is never 0 and
// never used again.
func (s Session) ID() uint64 { return s.id }

// User is the user word as it was when the value was handed to a callback, or
// what SetUser made of it since in the same turn. It is 0 until it is set.
func (s Session) User() uint64 {
	if current != nil && len(current.words) > 0 {
		if w, ok := current.words[s.id]; ok {
			return w
		}
	}
	return s.user
}

// SetUser sets the user word, which the host keeps for the plugin and hands
// back with every event of the session. It decides nothing about a handshake.
func (s Session) SetUser(w uint64) {
	in := running()
	in.words[s.id] = w
	*in.next() = abi.Command{Kind: abi.CommandSetUser, ID: s.id, Tag: in.tag, Arg: w}
}

// Send sends one frame that refers to data, which must stay unchanged until the
// turn is over. It does not wait and copies nothing. [ErrFlags] is its only error.
func (s Session) Send(flags Flags, data []byte) error {
	if !flags.sendable(len(data)) {
		return ErrFlags
	}
	in := running()
	in.decided(s.id, accepted)
	addr := in.ref(data)
	c := in.next() // field by field: a composite literal is made elsewhere and copied
	c.Kind, c.Flags, c.Code, c.Len = abi.CommandSend, uint8(flags), 0, uint32(len(data))
	c.ID, c.Addr, c.Tag, c.Arg = s.id, addr, in.tag, 0
	return nil
}

// SendCopy is Send for data that changes before the turn is over, such as a
// buffer that is used again.
func (s Session) SendCopy(flags Flags, data []byte) error {
	if !flags.sendable(len(data)) {
		return ErrFlags
	}
	in := running()
	in.decided(s.id, accepted)
	addr := in.copied(data)
	*in.next() = abi.Command{Kind: abi.CommandSend, Flags: uint8(flags), Len: uint32(len(data)), ID: s.id, Addr: addr, Tag: in.tag}
	return nil
}

// SendText sends a whole text message. text must be UTF-8.
func (s Session) SendText(text string) error {
	return s.Send(Text, unsafe.Slice(unsafe.StringData(text), len(text)))
}

// SendBinary sends a whole binary message; as to data, see Send.
func (s Session) SendBinary(data []byte) error { return s.Send(Binary, data) }

// SendBuckets sends one frame made of several buckets, joined by the host.
func (s Session) SendBuckets(flags Flags, buckets ...Bucket) error {
	size, k := measure(buckets)
	if !flags.sendable(size) {
		return ErrFlags
	}
	in := running()
	in.decided(s.id, accepted)
	c := abi.Command{Kind: abi.CommandSend, Flags: uint8(flags), ID: s.id, Tag: in.tag}
	if k = max(k, 1); !in.fits(k) {
		c.Addr, c.Len = in.joined(buckets, size), uint32(size)
		*in.next() = c
		return nil
	}
	records := in.reserve(k)
	in.pieces(records, buckets)
	c.Addr, c.Len = records[0].Addr, records[0].Len
	records[0] = c
	return nil
}

// CloseWith starts the closing handshake; the Close callback follows when it is
// done. Frames sent before it still go out, none can follow. The code is
// 1000-1003, 1007-1014 or 3000-4999, or 0 for none; the reason is UTF-8, at most
// 123 bytes, empty with code 0. The host refuses what is not.
func (s Session) CloseWith(code uint16, reason string) {
	in := running()
	in.decided(s.id, accepted)
	addr := in.refText(reason)
	*in.next() = abi.Command{Kind: abi.CommandClose, Code: code, Len: uint32(len(reason)), ID: s.id, Addr: addr, Tag: in.tag}
}

// Request is the handshake request. It is valid until Connect returns, and
// empty in every other callback.
func (s Session) Request() *Request {
	if in := running(); in.deciding == s.id {
		return &in.request
	}
	return &Request{}
}

// Resumed tells in Connect that the session was open before: with a predecessor
// of this instance, whose state this one does not have. The peer sees nothing of
// the change, so do not greet it again. The handshake is answered already.
func (s Session) Resumed() bool {
	in := running()
	return in.deciding == s.id && in.request.resumed
}

// Ended tells in Close who began to close, and whether both close frames were
// exchanged. In every other callback it is 0, false.
func (s Session) Ended() (who Who, clean bool) {
	if in := running(); in.ended == s.id {
		return Who(in.endFlags & abi.MaskWho), in.endFlags&abi.FlagClean != 0
	}
	return 0, false
}

// Accept answers the handshake with 101. protocol is one of those the peer
// offered, or empty for none; fields become headers of the answer. What the host
// must refuse of it, such as a protocol that was not offered, leads to 500. It
// may come later than Connect if that called Hold. [ErrDecided] is its only error.
func (s Session) Accept(protocol string, fields ...Field) error {
	in := running()
	if s.id == in.deciding {
		if in.answer > held {
			return ErrDecided
		}
		in.answer = accepted
	}
	name := abi.FieldProtocol
	if protocol == "" {
		name = ""
	}
	p := in.encode(name, protocol, fields)
	*in.next() = abi.Command{Kind: abi.CommandAccept, Len: uint32(len(p)), ID: s.id, Addr: in.ref(p), Tag: in.tag}
	return nil
}

// Refuse answers the handshake with a status of 300 to 599 and no session comes
// of it; there is no Close callback. It may come later than Connect if that
// called Hold.
func (s Session) Refuse(status int, body string, fields ...Field) error {
	in := running()
	if s.id == in.deciding {
		if in.answer > held {
			return ErrDecided
		}
		in.answer = refused
	}
	c := abi.Command{Kind: abi.CommandRefuse, Code: uint16(status), ID: s.id, Tag: in.tag}
	in.head(c, fields, unsafe.Slice(unsafe.StringData(body), len(body)))
	return nil
}

// Hold leaves the handshake unanswered when Connect returns: Accept or Refuse
// comes in a later callback, by [SessionByID]. If none comes in time the host
// answers 504, and the Close callback follows with 1006. It needs [FeatureHold].
func (s Session) Hold() error {
	in := running()
	if s.id != in.deciding || in.answer != undecided {
		return ErrDecided
	}
	in.answer = held
	*in.next() = abi.Command{Kind: abi.CommandHold, ID: s.id, Tag: in.tag}
	return nil
}

// Subscribe has the host send to the session what is published on the topic.
// policy is what becomes of messages while the peer does not keep up; without
// one it is [PolicyDefault], and the last of several counts. Subscribing again
// changes it. It decides nothing about a handshake.
func (s Session) Subscribe(topic string, policy ...Policy) {
	var flags uint8
	for _, p := range policy {
		flags = uint8(p)
	}
	running().named(abi.CommandSubscribe, flags, s.id, topic)
}

// Unsubscribe ends it; the end of the session does so too.
func (s Session) Unsubscribe(topic string) { running().named(abi.CommandUnsubscribe, 0, s.id, topic) }

// Publish is [Publish] to everyone but s.
func (s Session) Publish(topic string, flags Flags, data []byte) error {
	return publish(s.id, topic, flags, data)
}

// Log is [Log] with the session's id on the line.
func (s Session) Log(level Level, text string) { running().log(level, s.id, text) }
