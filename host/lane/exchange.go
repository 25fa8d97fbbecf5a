package lane

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/yimmo-host/yimmo-host/abi"
)

// ErrBehind reports that the client of a plain request took its answer too
// slowly for the queue it may fill.
var ErrBehind = errors.New("client does not read its answer")

// ErrEnding reports a request that was still there when the lane had to stop.
var ErrEnding = errors.New("server is going away")

// An Exchange is one plain HTTP request and its answer.
type Exchange struct {
	fields []byte
	ended  bool
	lane   *Lane
	kept   int64 // bytes that count as Limits.Bodies; owned by who posts and waits

	// Owned by the lane.
	id   uint64
	head bool // the guest has given status and headers

	// Guarded by mu.
	mu      sync.Mutex
	parts   []Part
	waiting int // bytes of parts
	left    bool
	err     error
	over    error         // why nobody waits any longer
	wake    chan struct{} // holds a token when there is something to take
}

// A Part is a piece of an answer. The first has Status and Fields.
type Part struct {
	Status int
	Fields abi.Fields
	Body   []byte
	Flush  bool
	End    bool
}

// body is a piece of a request's body on its way to the guest.
type body struct {
	to    *Exchange
	data  []byte
	end   bool
	taken chan struct{} // closed when data may be used again
}

// Request posts a plain request described by fields, which belong to the lane
// from now on. ended says that no body follows. Exactly one call of
// [Lane.Leave] must end the exchange. Fails with [ErrDown] and [ErrBodies].
func (l *Lane) Request(fields []byte, ended bool) (*Exchange, error) {
	x := &Exchange{fields: fields, ended: ended, lane: l, wake: make(chan struct{}, 1)}
	if !ended {
		if err := x.keep(len(fields)); err != nil {
			return nil, err
		}
	}
	if !l.mail.post(mail{kind: mailRequest, what: x}) {
		x.letGo()
		return nil, ErrDown
	}
	return x, nil
}

// Body hands over more of the request's body and waits until the plugin's
// memory has it; data is the caller's again then. Fails with [ErrDown] and
// [ErrBodies].
func (l *Lane) Body(x *Exchange, data []byte, end bool) error {
	if err := x.keep(len(data)); err != nil {
		return err
	}
	b := &body{to: x, data: data, end: end, taken: make(chan struct{})}
	if !l.mail.post(mail{kind: mailBody, what: b}) {
		return ErrDown
	}
	<-b.taken // the lane always gets there, and data must not change before
	return nil
}

// Leave ends the exchange, answered or not.
func (l *Lane) Leave(x *Exchange) {
	x.leave()
	x.letGo()
	l.mail.post(mail{kind: mailLeft, what: x})
}

func (x *Exchange) budget() *Budget { return x.lane.cfg.Limits.Waiting }

// leave drops what nobody will take any more.
func (x *Exchange) leave() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.budget().Add(-int64(x.waiting))
	x.parts, x.waiting, x.left = nil, 0, true
}

// Next waits for the next part of the answer. It fails with a [DownError] when the
// plugin was down, with another [ErrDown] when it trapped, with [ErrBehind], with [ErrEnding] and with the error of ctx.
// When ctx is over there may still be what the plugin says at once.
func (x *Exchange) Next(ctx context.Context) (Part, error) {
	over := ctx.Done()
	for {
		x.mu.Lock()
		if len(x.parts) > 0 {
			p := x.parts[0]
			x.parts = x.parts[1:]
			x.waiting -= len(p.Body)
			x.budget().Add(-int64(len(p.Body)))
			x.mu.Unlock()
			x.letGo()
			return p, nil
		}
		err := x.err
		x.mu.Unlock()
		if err != nil {
			return Part{}, err
		}
		select {
		case <-x.wake:
		case <-over: // that may mean no more than that the client has nothing to add
			over = nil
			x.giveUp(ctx.Err())
		}
	}
}

// giveUp has the lane end the wait for an answer that is not there.
func (x *Exchange) giveUp(why error) {
	x.mu.Lock()
	x.over = why
	x.mu.Unlock()
	if !x.lane.mail.post(mail{kind: mailAbort, what: x}) {
		x.fail(why)
	}
}

func (x *Exchange) add(p Part, limit int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.signal()
	if x.left {
		return true
	}
	if x.waiting+len(p.Body) > limit || x.waiting > modest && int64(x.waiting) > x.budget().free() {
		x.err = ErrBehind
		return false
	}
	x.waiting += len(p.Body)
	x.budget().Add(int64(len(p.Body)))
	if last := len(x.parts) - 1; last < 0 || !x.parts[last].join(&p) {
		x.parts = append(x.parts, p)
	}
	return true
}

// smallPart is the size in bytes up to which parts that wait are joined: each takes
// memory besides its bytes, which are all that the limits count.
const smallPart = 4 << 10

// join adds q to p, which it follows, if the two are small.
func (p *Part) join(q *Part) bool {
	if len(p.Body)+len(q.Body) > smallPart {
		return false
	}
	p.Body = append(p.Body, q.Body...)
	p.Flush, p.End = p.Flush || q.Flush, q.End
	return true
}

func (x *Exchange) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
	}
	x.signal()
}

func (x *Exchange) signal() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// requestBit marks request ids, so that none equals a session's.
// requests are those that are not answered yet.
type requests struct {
	exchanges map[uint64]*Exchange
	lastReq   uint64
	bodies    atomic.Int64 // see Limits.Bodies; any goroutine
}

const requestBit = 1 << 63

func (l *Lane) request(x *Exchange) {
	if l.stopping || !l.room(len(x.fields)) {
		x.fail(l.down())
		return
	}
	l.lastReq++
	x.id = l.lastReq | requestBit
	l.exchanges[x.id] = x
	flags := uint8(0)
	if x.ended {
		flags = abi.FlagEnd
	}
	l.put(abi.Event{Kind: abi.EventHTTPRequest, Flags: flags, ID: x.id}, x.fields)
}

func (l *Lane) body(b *body) {
	defer close(b.taken)
	if l.exchanges[b.to.id] == nil || !l.room(len(b.data)) || l.exchanges[b.to.id] == nil {
		return
	}
	flags := uint8(0)
	if b.end {
		flags = abi.FlagEnd
	}
	l.put(abi.Event{Kind: abi.EventHTTPBody, Flags: flags, ID: b.to.id}, b.data)
}

// lastWord ends the wait for an answer, once the plugin has heard of all there is.
func (l *Lane) lastWord(x *Exchange) {
	l.turn()
	x.mu.Lock()
	why := x.over
	x.mu.Unlock()
	x.fail(why)
}

// left forgets an exchange. The guest hears of it if its answer is not complete.
func (l *Lane) left(id uint64) {
	x := l.exchanges[id]
	if x == nil {
		return
	}
	delete(l.exchanges, id)
	x.fail(ErrDown)
	if l.room(0) {
		l.put(abi.Event{Kind: abi.EventHTTPGone, ID: id}, nil)
	}
}

func (l *Lane) httpHead(c *abi.Command) abi.Status {
	x := l.exchanges[c.ID]
	switch {
	case x == nil:
		return abi.StatusUnknownRequest
	case x.head:
		return abi.StatusBadSequence
	}
	fields, status := l.headFields(nil)
	if status != 0 {
		return status
	}
	if l.size()-len(fields) > l.cfg.Limits.Queue {
		return abi.StatusTooLarge
	}
	x.head = true
	l.parts = l.parts[1:]
	l.answerPart(x, c, Part{Status: int(c.Code), Fields: append([]byte(nil), fields...)})
	return 0
}

func (l *Lane) httpBody(c *abi.Command) abi.Status {
	x := l.exchanges[c.ID]
	switch {
	case x == nil:
		return abi.StatusUnknownRequest
	case !x.head:
		return abi.StatusBadSequence
	case l.size() > l.cfg.Limits.Queue:
		return abi.StatusTooLarge
	}
	l.answerPart(x, c, Part{})
	return 0
}

// answerPart queues a part with the payload at hand as its body.
func (l *Lane) answerPart(x *Exchange, c *abi.Command, p Part) {
	p.Body = l.copied()
	p.Flush, p.End = c.Flags&abi.FlagFlush != 0, c.Flags&abi.FlagEnd != 0
	if !x.add(p, l.cfg.Limits.Queue) {
		delete(l.exchanges, x.id)
		l.later = append(l.later, pending{event: abi.Event{Kind: abi.EventHTTPGone, ID: x.id}})
		return
	}
	if p.End {
		delete(l.exchanges, x.id)
	}
}
