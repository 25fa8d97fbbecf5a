package guesttest

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// decide carries out accept, refuse and hold. A decision that is itself refused
// does not let the peer in.
func (g *Guest) decide(c *command) abi.Status {
	s := g.sessions[c.ID]
	switch {
	case s == nil:
		return abi.StatusUnknownSession
	case s.state != Waiting:
		return abi.StatusDecided
	}
	status := s.decide(c)
	if status != 0 {
		s.refuse(Answer{Status: 500})
	}
	return status
}

func (s *Session) decide(c *command) abi.Status {
	if c.Kind == abi.CommandHold {
		s.held = true
		return 0
	}
	fields, status := headers(c.payload)
	switch {
	case status != 0:
		return status
	case c.Kind == abi.CommandAccept:
		return s.accept(fields)
	case c.Code < 300 || c.Code > 599:
		return abi.StatusBadCode
	case protocolOf(fields) != "":
		return abi.StatusBadFields
	}
	s.refuse(Answer{Status: int(c.Code), Headers: fields, Body: string(c.data)})
	return 0
}

func (s *Session) refuse(a Answer) {
	s.state, s.answer = Refused, a
	delete(s.g.sessions, s.id)
}

// accept opens s. Its fields are headers but for the chosen subprotocol.
func (s *Session) accept(fields []guest.Field) abi.Status {
	a := Answer{Status: 101, Protocol: protocolOf(fields)}
	if a.Protocol != "" && !slices.Contains(s.offered, a.Protocol) {
		return abi.StatusBadFields
	}
	for _, f := range fields {
		if f.Name != abi.FieldProtocol {
			a.Headers = append(a.Headers, f)
		}
	}
	if len(fields)-len(a.Headers) > 1 {
		return abi.StatusBadFields
	}
	s.state, s.answer = Open, a
	return 0
}

func protocolOf(fields []guest.Field) string {
	for _, f := range fields {
		if f.Name == abi.FieldProtocol {
			return f.Value
		}
	}
	return ""
}

// session finds one that is not over, whether its handshake is decided or not.
func (g *Guest) session(id uint64) (*Session, abi.Status) {
	s := g.sessions[id]
	if s == nil || s.state == Over {
		return nil, abi.StatusUnknownSession
	}
	return s, 0
}

func (g *Guest) send(c *command) abi.Status {
	return g.sendTo(c.ID, guest.Flags(c.Flags), c.whole())
}

// sendMany judges each id alone.
func (g *Guest) sendMany(c *command) abi.Status {
	if len(c.payload)%8 != 0 {
		return abi.StatusBadFields
	}
	if len(c.payload) > 8*abi.MaxSendMany {
		return abi.StatusTooLarge
	}
	for p := c.payload; len(p) > 0; p = p[8:] {
		id := binary.LittleEndian.Uint64(p)
		if status := g.sendTo(id, guest.Flags(c.Flags), c.data); status != 0 {
			one := *c
			one.ID = id
			g.refuse(&one, status)
		}
	}
	return 0
}

func (g *Guest) sendTo(id uint64, flags guest.Flags, data []byte) abi.Status {
	s := g.sessions[id]
	switch {
	case s == nil, s.state == Over && !s.last:
		return abi.StatusUnknownSession
	case s.state == Closing:
		return abi.StatusClosing
	}
	if status := s.sequence(flags, data); status != 0 {
		return status
	}
	if s.state == Waiting {
		s.accept(nil)
	}
	s.add(Frame{flags, string(data)})
	return 0
}

// sequence judges a frame behind those before it. A refused one changes nothing.
func (s *Session) sequence(flags guest.Flags, data []byte) abi.Status {
	op := flags.Opcode()
	switch {
	case flags&(guest.RSV1|guest.RSV2|guest.RSV3) != 0:
		return abi.StatusBadFlags
	case op == guest.OpPing || op == guest.OpPong:
		if !flags.FIN() {
			return abi.StatusBadFlags
		}
		if len(data) > abi.MaxControlPayload {
			return abi.StatusTooLarge
		}
		return 0
	case op > guest.OpBinary:
		return abi.StatusBadFlags
	case (op == guest.OpContinuation) != s.within:
		return abi.StatusBadSequence
	}
	text := s.text && s.within || op == guest.OpText
	message := append(s.message[:len(s.message):len(s.message)], data...)
	if text && !validText(message, flags.FIN()) {
		return abi.StatusBadText
	}
	s.within, s.text, s.message = !flags.FIN(), text, nil
	if s.within && text {
		s.message = message
	}
	return 0
}

// add puts a frame on the wire, and behind the end of a message what was
// published meanwhile.
func (s *Session) add(f Frame) {
	s.sent = append(s.sent, f)
	if !s.within {
		s.sent = append(s.sent, taken(&s.queued)...)
	}
}

// validText tells whether p is UTF-8, or the beginning of it if not whole.
func validText(p []byte, whole bool) bool {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			return !whole && !utf8.FullRune(p)
		}
		p = p[n:]
	}
	return true
}

// close starts the closing handshake. The peer answers it at once.
func (g *Guest) close(c *command) abi.Status {
	s, reason, code := g.sessions[c.ID], c.whole(), c.Code
	switch {
	case s == nil || s.state == Over:
		return abi.StatusUnknownSession
	case s.state == Closing:
		return abi.StatusClosing
	case code == 0 && len(reason) > 0, code != 0 && !sendableCode(code):
		return abi.StatusBadCode
	case len(reason) > abi.MaxCloseReason:
		return abi.StatusTooLarge
	case !utf8.Valid(reason):
		return abi.StatusBadText
	}
	if s.state == Waiting {
		s.accept(nil)
	}
	s.state, s.ending, s.closing, s.code, s.reason = Closing, true, true, code, string(reason)
	if code == 0 {
		code = abi.CloseNoStatus
	}
	g.queue = append(g.queue, event{session: s, record: abi.Event{
		Kind: abi.EventClose, Flags: abi.WhoGuest | abi.FlagClean, Code: code, ID: s.id,
	}})
	return 0
}

func sendableCode(code uint16) bool {
	return 1000 <= code && code <= 1003 || 1007 <= code && code <= 1014 || 3000 <= code && code <= 4999
}
