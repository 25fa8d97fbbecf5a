package lane

import (
	"context"
	"errors"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/poll"
)

// A Call is an upgrade request on a socket that the lane answers itself. Of an
// accepted one the 101 and whatever the plugin has sent by then leave together.
type Call struct {
	Fields []byte          // of the connect event
	Agreed *deflate.Params // on compression, see [Lane.Connect]
	FD     int             // connected TCP socket that does not block; nothing has been written
	Early  []byte          // what has been read from it behind the request

	// Answer appends to dst the HTTP answer to the request: 101 for an accepted
	// session, else what [Decision] says instead. If it appends nothing, the
	// connection is cut and an accepted session aborted. It is called once and
	// does not block; afterwards the lane needs the Call no more, its Fields
	// neither, but for Opened.
	Answer func(dst []byte, d Decision) []byte

	// Opened follows Answer for an accepted session. left says that the peer was
	// gone before the answer could be written. May be nil.
	Opened func(left bool)

	// Session is set by the lane before it calls Answer: what it will call
	// SocketClosed with. If it is 0 there never was a session; the socket is
	// closed after Answer then and SocketClosed is not called.
	Session uint64

	asked connect
}

// ErrLeft reports a peer that did not wait for the answer to its call.
var ErrLeft = errors.New("peer left before it was answered")

// ConnectSocket asks the plugin about an upgrade request and sees to the rest.
// The call and its socket belong to the lane from now on. The lane must poll.
//
// While nobody has decided nothing is read; a peer that leaves meanwhile, and
// [Limits.Answer], end the matter.
func (l *Lane) ConnectSocket(c *Call) {
	c.Session, c.asked = 0, connect{fields: c.Fields, agreed: c.Agreed, call: c}
	if !l.mail.post(mail{kind: mailConnect, what: &c.asked}) {
		l.reject(c, ErrDown)
	}
}

// reject answers a call that no session was made for. Safe for concurrent use.
func (*Lane) reject(c *Call, why error) {
	fd := c.FD
	poll.Send(fd, c.Answer(nil, Decision{Err: why})) // fits an empty socket buffer
	poll.Close(fd)
}

// answerCall sends the answer or, to an accepted session, prepares it.
func (l *Lane) answerCall(c *connect, s *session, d Decision) {
	link := c.link
	if d.Session == 0 {
		l.scratch = c.call.Answer(l.scratch[:0], d)
		link.refuse(l.scratch)
		return
	}
	if early := c.call.Early; len(early) > 0 {
		link.needSide().in = early
	}
	l.opening = append(l.opening, opening{link, c.call.Answer(l.spareAnswer(), d), c.call.Opened})
}

// opening is an accepted call whose session has no link yet.
type opening struct {
	link   *polled
	answer []byte
	opened func(left bool)
}

// spareAnswer is the memory of an answer that has been sent.
func (l *Lane) spareAnswer() []byte {
	if n := len(l.opening); n < cap(l.opening) {
		return l.opening[:n+1][n].answer[:0]
	}
	return nil
}

// openCalls puts their links below the sessions of accepted calls. It is not for
// the middle of a turn: what came early may need another.
func (l *Lane) openCalls() {
	for n := len(l.opening); n > 0; n = len(l.opening) {
		k := &l.opening[n-1]
		c, answer, opened := k.link, k.answer, k.opened
		k.link, k.opened = nil, nil
		l.opening = l.opening[:n-1]
		left := l.openCall(c, answer)
		if opened != nil {
			opened(left)
		}
	}
}

// openCall reports whether the peer has left.
func (l *Lane) openCall(c *polled, answer []byte) (left bool) {
	s := l.sessions.find(c.id)
	if s == nil && l.unsent[c.id] == nil || s != nil && s.state == over {
		c.Cut()
		return false
	}
	if len(answer) == 0 || !c.enter() {
		c.Cut()
		l.gone(c.id)
		return true
	}
	l.attach(c.id, c, answer)
	left = c.broken
	if s != nil { // else nobody is there to hear what the peer said early
		l.decodeEarly(c)
	}
	return left
}

// enter makes the set report the socket when it can be read.
func (c *polled) enter() bool {
	set := c.lane.polls
	var err error
	if c.quiet {
		err = set.Change(int(c.fd), c.id, true, false)
	} else {
		err = set.Add(int(c.fd), c.id)
	}
	if err != nil {
		c.lane.log.Error("socket not polled", "session", sessionID(c.id), "err", err)
		return false
	}
	c.quiet, c.reading = false, true
	return true
}

// refuse sends the answer that is all there will be on this connection.
func (c *polled) refuse(answer []byte) {
	if c.broken || len(answer) == 0 || !c.enter() {
		c.Cut()
		return
	}
	c.Write(answer)
	c.Close()
}

// holdCall waits for a decision that the plugin has put off.
func (l *Lane) holdCall(id uint64, s *session) {
	c := s.asker.link
	if err := l.polls.AddQuiet(int(c.fd), id); err != nil {
		l.log.Error("socket not polled", "session", sessionID(id), "err", err)
		l.callerLeft(id)
		return
	}
	c.quiet = true
	l.due.set(l.cfg.Limits.Answer, dueAnswer, id)
}

// callerLeft ends a call whose peer did not wait for the decision.
func (l *Lane) callerLeft(id uint64) {
	s := l.sessions.find(id)
	if s == nil || s.asker == nil || s.asker.link == nil {
		return
	}
	s.asker.link.broken = true
	l.answer(s, Decision{Err: ErrLeft})
	l.end(id, s, abi.CloseAbnormal, abi.WhoPeer, false, nil)
}

// answerOverdue ends a call that nobody has decided in time.
func (l *Lane) answerOverdue(id uint64) {
	s := l.sessions.find(id)
	if s == nil || s.asker == nil || s.asker.link == nil {
		return
	}
	l.answer(s, Decision{Err: context.DeadlineExceeded})
	l.end(id, s, abi.CloseAbnormal, abi.WhoHost, false, nil)
}
