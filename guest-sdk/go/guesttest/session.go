package guesttest

import (
	"fmt"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Session is one connection, seen from the peer's side.
type Session struct {
	g       *Guest
	id      uint64
	user    uint64
	seq     uint32
	state   State
	offered []string // subprotocols
	answer  Answer

	// From the plugin.
	sent    []Frame
	within  bool    // a fragmented message,
	text    bool    // of text,
	message []byte  // and so far this
	queued  []Frame // published meanwhile
	topics  map[string]guest.Policy

	// From the peer, in messages delivery.
	first guest.Flags // of the message that came in part
	part  []byte

	held    bool // the plugin called Hold
	ending  bool // the close event is queued
	last    bool // the peer began to close: frames of the turn that hears so still go out
	closing bool // the plugin's close frame is out, with
	code    uint16
	reason  string
}

// A State of a session.
type State uint8

// States.
const (
	Waiting State = iota // the handshake is not answered: the turn has not run, or Hold
	Open
	Closing // the plugin closed it, and has not heard the close event yet
	Over
	Refused
)

// String is the state's name.
func (s State) String() string {
	return [...]string{"waiting", "open", "closing", "over", "refused"}[s]
}

// An Answer is what the plugin made of a handshake.
type Answer struct {
	Status   int // 101, or that of the refusal; 0 while waiting
	Protocol string
	Headers  []guest.Field
	Body     string
}

// A Frame is one frame from the plugin.
type Frame struct {
	Flags guest.Flags
	Data  string
}

// String is such as `text "hello"`, with "..." if FIN is missing.
func (f Frame) String() string {
	name := [16]string{"continuation", "text", "binary", 8: "close", 9: "ping", 10: "pong"}[f.Flags.Opcode()]
	if !f.Flags.FIN() {
		name += "..."
	}
	return fmt.Sprintf("%s %q", name, f.Data)
}

// Connect asks the plugin for a session. A plugin that does not decide accepts.
func (g *Guest) Connect(r Request) *Session {
	g.t.Helper()
	s := g.newSession(r)
	g.event(abi.Event{Kind: abi.EventConnect, ID: s.id}, r.handshake(), s)
	return s
}

func (g *Guest) newSession(r Request) *Session {
	s := &Session{g: g, id: g.id(), offered: r.Protocols, topics: make(map[string]guest.Policy)}
	g.sessions[s.id] = s
	return s
}

// Resume announces a session that was open with a predecessor of the plugin's
// instance, which had given it that user word.
func (g *Guest) Resume(r Request, user uint64) *Session {
	g.t.Helper()
	s := g.newSession(r)
	s.user, s.state = user, Open
	g.event(abi.Event{Kind: abi.EventConnect, Flags: abi.FlagSynthesised, ID: s.id}, r.handshake(), s)
	return s
}

// ID is what the plugin knows the session by.
func (s *Session) ID() uint64 { return s.id }

// User is the user word.
func (s *Session) User() uint64 { return s.user }

// State is where the session stands.
func (s *Session) State() State { return s.state }

// Answer is what the plugin made of the handshake.
func (s *Session) Answer() Answer { return s.answer }

// Subscription tells whether the plugin has subscribed the session to the topic,
// and with which policy.
func (s *Session) Subscription(topic string) (policy guest.Policy, ok bool) {
	policy, ok = s.topics[topic]
	return policy, ok
}

// Sent returns the frames from the plugin since the last call.
func (s *Session) Sent() []Frame { return taken(&s.sent) }

// CloseFrame returns code and reason of the plugin's close command, if any.
func (s *Session) CloseFrame() (code uint16, reason string, ok bool) {
	return s.code, s.reason, s.closing
}

// Recv lets a frame arrive from the peer: in pieces if it is larger than the
// receive area, or with its message's other frames if the plugin takes whole
// messages. Once the session closes the plugin hears no more.
func (s *Session) Recv(flags guest.Flags, data []byte) {
	s.g.t.Helper()
	if s.ending || s.state == Refused {
		if s.state != Closing && !s.closing {
			s.g.t.Fatalf("guesttest: Recv in a session that is %v", s.state)
		}
		return
	}
	if s.g.Features()&guest.FeatureMessages != 0 {
		s.recvMessage(flags, data)
		return
	}
	area, _ := s.g.m.Area()
	for len(data) > len(area) {
		s.recv(flags&^guest.FIN, data[:len(area)])
		data, flags = data[len(area):], flags&guest.FIN
	}
	s.recv(flags, data)
}

func (s *Session) recvMessage(flags guest.Flags, data []byte) {
	s.g.t.Helper()
	if flags.Opcode() != guest.OpContinuation {
		s.first = flags.Opcode()
	}
	s.part = append(s.part, data...)
	if flags.FIN() {
		whole := s.part
		s.part = nil
		s.recv(s.first|guest.FIN, whole)
	}
}

// RecvText lets a whole text message arrive.
func (s *Session) RecvText(text string) {
	s.g.t.Helper()
	s.Recv(guest.Text, []byte(text))
}

func (s *Session) recv(flags guest.Flags, data []byte) {
	s.g.t.Helper()
	if !s.ending {
		s.g.event(abi.Event{Kind: abi.EventRecv, Flags: uint8(flags), ID: s.id}, append([]byte(nil), data...), s)
	}
}

// Close lets the peer send a close frame; code 1005 for one without a code.
// What the plugin sends from its Close callback still arrives.
func (s *Session) Close(code uint16, reason string) {
	s.g.t.Helper()
	s.end(code, reason, abi.WhoPeer|abi.FlagClean)
}

// Cut ends the connection without a close frame: 1006.
func (s *Session) Cut() {
	s.g.t.Helper()
	s.end(abi.CloseAbnormal, "", abi.WhoPeer)
}

// CloseByHost ends the session as a host does that shuts down or enforces a limit.
func (s *Session) CloseByHost(code uint16, reason string) {
	s.g.t.Helper()
	s.end(code, reason, abi.WhoHost)
}

func (s *Session) end(code uint16, reason string, flags uint8) {
	s.g.t.Helper()
	if s.ending || s.state == Refused {
		s.g.t.Fatalf("guesttest: end of a session that is %v", s.state)
	}
	s.ending, s.last = true, flags == abi.WhoPeer|abi.FlagClean
	s.g.event(abi.Event{Kind: abi.EventClose, Flags: flags, Code: code, ID: s.id}, []byte(reason), s)
}

// Dropped tells the plugin that the command with that tag was dropped because
// the peer does not keep up.
func (s *Session) Dropped(status guest.Status, tag uint32) {
	s.g.t.Helper()
	s.g.needBackPressure()
	s.g.event(abi.Event{Kind: abi.EventDropped, Code: uint16(status), ID: s.id, Seq: tag, User: s.user}, nil, nil)
}

// Drained tells the plugin that the session takes data again.
func (s *Session) Drained() {
	s.g.t.Helper()
	s.g.needBackPressure()
	s.g.event(abi.Event{Kind: abi.EventDrained, ID: s.id}, nil, s)
}

func (g *Guest) needBackPressure() {
	g.t.Helper()
	if g.Features()&guest.FeatureBackPressure == 0 {
		g.t.Fatal("guesttest: the plugin is no BackPressureHandler")
	}
}
