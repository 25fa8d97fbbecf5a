package lane

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// A Decision is what became of an upgrade request.
type Decision struct {
	// Session is set when the plugin accepted. Exactly one of [Lane.Attach] and
	// [Lane.Abort] must follow.
	Session uint64

	Status int        // HTTP status of a refusal
	Fields abi.Fields // accept: ":protocol" and headers for the 101; refusal: headers
	Body   []byte     // of a refusal
	Err    error      // nobody decided: a DownError, ErrDown, ErrQuota
}

// connect is an upgrade request on its way to a decision.
type connect struct {
	fields []byte
	agreed *deflate.Params
	reply  chan Decision // has room for the one answer there will be
	late   atomic.Bool   // given up for want of a decision in time
	call   *Call         // instead of reply: the lane itself answers

	// Owned by the lane.
	id   uint64
	link *polled // of a call
}

// Connect asks the plugin about an upgrade request, described by fields, and
// waits for its decision. When ctx is over, that is the one it makes at once, or
// none: then the error is that of ctx. fields must not change until then.
// agreed is what [Config.Deflate] has agreed on with the client about compression,
// nil if there is to be none.
func (l *Lane) Connect(ctx context.Context, fields []byte, agreed *deflate.Params) (Decision, error) {
	c := &connect{fields: fields, agreed: agreed, reply: make(chan Decision, 1)}
	if !l.mail.post(mail{kind: mailConnect, what: c}) {
		return Decision{}, ErrDown
	}
	select {
	case d := <-c.reply:
		return d, d.Err
	case <-ctx.Done():
		c.late.Store(errors.Is(ctx.Err(), context.DeadlineExceeded))
		l.mail.post(mail{kind: mailAbort, what: c})
		d := <-c.reply // that ctx is over may mean no more than that the peer has nothing to add
		return d, d.Err
	}
}

// Abort gives up an accepted session whose connection never came to be.
func (l *Lane) Abort(session uint64) { l.mail.post(mail{kind: mailAbort, id: session}) }

// Attach puts a link below an accepted session, once the 101 answer is on its
// way. Whatever the plugin has sent meanwhile goes to it at once.
func (l *Lane) Attach(session uint64, link Link) {
	if !l.mail.post(mail{kind: mailAttach, id: session, what: link}) {
		link.Cut()
	}
}

func (l *Lane) connect(c *connect) {
	if l.stopping || !l.room(len(c.fields)) {
		l.turnAway(c, l.down())
		return
	}
	if !l.takePlace() {
		l.turnAway(c, ErrQuota)
		return
	}
	id, s, ok := l.sessions.add()
	if !ok {
		l.leavePlace()
		l.turnAway(c, ErrDown)
		return
	}
	c.id, s.asker = id, c
	if c.call != nil {
		c.call.Session, c.link = id, &polled{lane: l, id: id, fd: int32(c.call.FD)}
	}
	l.agree(s, c.agreed)
	s.seq = 1
	l.put(abi.Event{Kind: abi.EventConnect, ID: id}, c.fields)
	l.asked = append(l.asked, id)
}

// turnAway answers a request about which nobody will be asked.
func (l *Lane) turnAway(c *connect, why error) {
	if c.call != nil {
		l.reject(c.call, why)
		return
	}
	c.reply <- Decision{Err: why}
}

// answer tells whoever asked about the session, the first time it is called.
func (l *Lane) answer(s *session, d Decision) {
	c := s.asker
	if c == nil {
		return
	}
	s.asker = nil
	if c.call != nil {
		l.answerCall(c, s, d)
		return
	}
	c.reply <- d
}

func (l *Lane) accept(id uint64, s *session, fields []byte) {
	s.state = accepted
	if l.cfg.Revive && s.asker != nil {
		s.fields = string(s.asker.fields)
	}
	l.answer(s, Decision{Session: id, Fields: append([]byte(nil), fields...)})
}

func (l *Lane) refuse(id uint64, s *session, status int, fields []byte, body []byte) {
	l.answer(s, Decision{Status: status, Fields: append([]byte(nil), fields...), Body: body})
	l.release(id, s)
}

func (l *Lane) abort(m *mail) {
	switch what := m.what.(type) {
	case *connect:
		l.giveUp(what)
		return
	case *Exchange:
		l.lastWord(what)
		return
	}
	delete(l.unsent, m.id)
	if s := l.sessions.find(m.id); s != nil && s.link == nil {
		l.gone(m.id)
		delete(l.unsent, m.id)
	}
}

// giveUp ends a request that the plugin has put off. One that it has not heard of
// yet it decides first.
func (l *Lane) giveUp(c *connect) {
	s := l.sessions.find(c.id)
	if s != nil && s.state == connecting && !s.held {
		l.turn()
		s = l.sessions.find(c.id)
	}
	if s == nil || s.asker != c {
		return // decided
	}
	why, who := context.Canceled, uint8(abi.WhoPeer)
	if c.late.Load() {
		why, who = context.DeadlineExceeded, abi.WhoHost
	}
	l.answer(s, Decision{Err: why})
	l.end(c.id, s, abi.CloseAbnormal, who, false, nil)
}

// attach puts a link below a session. head goes to it before all else; its
// memory may change.
func (l *Lane) attach(id uint64, link Link, head []byte) {
	s := l.sessions.find(id)
	if s == nil || s.state == over {
		link.Write(append(head, l.lastFrames(id)...))
		link.Close()
		return
	}
	s.link = link
	allowPacked(s, link)
	l.keepAlive(s)
	if s.state == accepted {
		s.state = open
	}
	if early := s.early(); len(early) > 0 {
		s.extra.early = nil
		head = append(head, early...)
	}
	if len(head) > 0 {
		l.write(id, s, head)
	}
}

// keepUnsent keeps what a session that ends before it has a link has for its peer.
func (l *Lane) keepUnsent(id uint64, s *session) {
	if early := s.early(); s.link == nil && len(early) > 0 {
		l.unsent[id] = early
	}
}

// lastFrames are those for a peer whose session ended before it had a link, the
// last of which is a close frame.
func (l *Lane) lastFrames(id uint64) []byte {
	p, ok := l.unsent[id]
	if !ok {
		return frame.AppendClose(nil, abi.CloseInternal, pluginFailed)
	}
	delete(l.unsent, id)
	return p
}
