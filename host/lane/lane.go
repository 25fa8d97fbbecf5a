package lane

import (
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/poll"
)

// A Guest is one running instance of a plugin. [guest.Instance] is one.
// Its memory belongs to the lane between calls of Turn.
type Guest interface {
	Events() []byte         // the event ring; its place never changes
	Commands() []byte       // the command ring; its place never changes
	Area() ([]byte, uint32) // the receive area and its address in guest memory
	Memory() []byte         // all of the guest's memory, as large as it is now
	Features() abi.Feature  // in force

	// Turn fails with a [*guest.UndoneError] if the instance is as before the
	// call, ring and area included. After any other error it is closed.
	Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
	Close() error
}

// Config is what a lane is made of. All fields are required but Log.
type Config struct {
	// Start makes a fresh instance: when the lane begins and after each trap.
	// It is called on the lane's goroutine and may take a while.
	Start func() (Guest, error)

	// Settings gives the [abi.Fields] of the start event of a guest whose peers'
	// messages have at most maxMessage bytes.
	Settings func(maxMessage int64) []byte

	// Revive lets sessions go on in a fresh instance when theirs is lost: it hears
	// of them by connect events with [abi.FlagSynthesised]. It costs each session
	// the memory of its connect event.
	Revive bool

	// Quotas are the guest's.
	Quotas Quotas

	// Number of this lane within its plugin, 0 to 255.
	Number int

	Limits Limits

	// Messages makes the lane deliver whole messages whether the guest asks for
	// them or not.
	Messages bool

	// RecycleAbove is how many bytes of memory an instance may have and stay when
	// it has no session left. 0 = any.
	RecycleAbove int64

	// Policy is abi.PolicyClose or abi.PolicyDrop: what becomes of frames for a
	// peer whose queue is full. Default close.
	Policy uint8

	// Deflate compresses the messages of sessions that have agreed on it, see
	// [Lane.Connect]. May be nil: then none may.
	Deflate *deflate.Pool

	// Bus carries publications to the plugin's other lanes. May be nil: then
	// topics end at this lane.
	Bus Bus

	// Poll makes the lane read and write sockets itself where the operating
	// system lets it: see [Lane.AttachSocket].
	Poll bool

	// SocketClosed is called, on the lane's goroutine, when the lane has closed a
	// socket that it was given for a session. May be nil.
	SocketClosed func(session uint64)

	// Log gets the lane's own lines. Default [slog.Default].
	Log *slog.Logger

	// Lines gets the guest's, for whoever has others than those of its commands.
	// Default: lines to Log under Quotas.
	Lines *Lines

	// Metric gets the samples of the guest's metric commands, on the lane's
	// goroutine; name is good until it returns. It says what is wrong with one, 0
	// for nothing. May be nil: they are then checked and dropped.
	Metric func(kind uint8, name []byte, sample float64) abi.Status

	// Counters are counted in. Default: new ones.
	Counters *Counters
}

// Limits bound what a peer can cost. They are required but where it says so.
type Limits struct {
	Frames      frame.Limits  // of one message
	MessageTime time.Duration // from a message's first byte to its last
	WriteTime   time.Duration // how long a peer may refuse to take any byte
	CloseTime   time.Duration // of the closing handshake, and then of the peer's half of the connection
	Answer      time.Duration // of a decision about a [Call]
	Queue       int           // bytes that may wait for one session's peer, or for the client of one request

	// What follows is off when it is zero.

	Turn time.Duration // of the calls of a turn together in which the guest takes in no event

	Waiting    *Budget // of what waits for all peers, those of other lanes included
	Unfinished *Budget // of what has come of all peers' messages that are not complete
	Bodies     int64   // bytes of plain requests whose bodies are under way

	Ping time.Duration // how long a peer may be silent before it is pinged
	Pong time.Duration // how long it may be silent after that
	Idle time.Duration // how long a session may be without data either way

	Controls Rate // of a peer's pings and pongs
	Messages Rate // of a peer's messages
	Bytes    Rate // of their payload
}

// Mark is the number of waiting bytes above which a peer is read no further,
// until it has taken some of them.
func (l *Limits) Mark() int { return l.Queue / 4 }

// Lane is one plugin instance with its sessions and the goroutine that owns
// them. The exported methods are safe for concurrent use; they post to the
// lane's mailbox and, unless they say so, do not wait.
type Lane struct {
	// Set by New, never changed.
	cfg  Config
	log  *slog.Logger
	done chan struct{}

	frames frame.Limits // of one message; set by start, the same for all instances

	// Any goroutine.
	mail     mailbox
	bodies   atomic.Int64 // see Limits.Bodies
	killed   atomic.Bool
	incoming atomic.Int64 // bytes of publications in mail, see maxIncoming
	losing   atomic.Bool  // some are lost, and the lane will learn of it
	again    atomic.Int64 // since began, in nanoseconds: when an instance is tried for if there is none; or never

	// Owned by the lane's goroutine from here on.
	sessions      sessions
	timers        timers
	topics        map[string]*topic
	subscriptions int  // of all sessions
	ownTopics     int  // of the instance
	messages      bool // the guest takes whole messages

	exchanges map[uint64]*Exchange
	lastReq   uint64
	due       deadlines
	alarm     *time.Timer   // wakes the lane for the earliest of due
	armed     time.Time     // when it will
	clock     time.Duration // since began, as of the last look
	tick      uint32        // clock in ticks
	turned    uint32        // when the ring was last emptied by a turn
	rounds    rounds
	samples   [Faults]sampler
	refusals  [Statuses]sampler
	losses    sampler // of publications
	counters  *Counters
	hot       hot
	published hot
	turnClock time.Duration // the same of the turn at hand
	waiter    waiter
	polls     *poll.Set // nil unless the lane reads sockets itself
	lingering map[uint64]*polled
	sides     []*side // to be used again
	decoders  []*frame.Decoder
	opening   []opening // until the turn is over
	scratch   []byte    // for the answer to a call
	stopping  bool
	farewell  farewell

	marked bool // the memory has passed its mark, and that was said
	small  bool // the mark is less than an instance begins with

	guest    Guest // nil while there is none
	ring     []byte
	area     []byte
	areaAddr uint32
	began    time.Time     // when the plugin began: zero of the monotonic clock
	started  time.Time     // when this instance did
	backoff  time.Duration // before the next restart
	failures int           // in a row
	revivals pace
	lost     pace // time, to calls that were undone
	poisoned sampler
	seeds    *rand.ChaCha8
	turns    uint64

	n           int       // events in the ring
	first       int       // of them that the guest has not taken in, while it is called
	careful     int       // up to this one they are given one by one
	said        said      // of events that the guest has not said all of
	used        int       // bytes of the area in use
	floor       int       // bytes of it that outlast the turn at hand
	later       []pending // events made by commands; they go into the next turn
	refused     int       // how many of those are refusals
	lastRefused int       // index of the last of them
	ownWaiting  int       // how many of those are topic messages to the instance itself
	ownBytes    int       // and what they hold
	ownDropped  bool      // the instance has been told that it loses some
	asked       []uint64  // sessions whose connect event is in the ring
	ended       []uint64  // sessions whose close event is in the ring

	outbox   outbox
	gathered [][]byte // payload of the brigade at hand, memory of the guest
	parts    [][]byte // what of it is not yet dealt with
	packed   packed   // what compression works with
	lines    *Lines   // of the guest's log

	allowed   allowance // of its quotas
	overdraws [QuotaKinds]sampler
}

// New starts a lane. Its instance is started on the lane's own goroutine; New
// waits for that and fails with the reason if there will be none.
func New(cfg Config) (*Lane, error) {
	l := &Lane{
		cfg: cfg, log: cfg.Log, done: make(chan struct{}),
		sessions:  sessions{lane: uint64(cfg.Number) << indexBits},
		exchanges: map[uint64]*Exchange{},
		lingering: map[uint64]*polled{},
		topics:    map[string]*topic{},
		began:     time.Now(),
		seeds:     newSeeds(),
		lines:     cfg.Lines,
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	if l.lines == nil {
		l.lines = NewLines(l.log, cfg.Quotas.LogLines)
	}
	l.lines.exceeded = l.exceeded
	if l.cfg.Quotas.Taken == nil {
		l.cfg.Quotas.Taken = &atomic.Int64{}
	}
	if l.counters = cfg.Counters; l.counters == nil {
		l.counters = &Counters{}
	}
	if cfg.Deflate != nil {
		l.packed.shared = cfg.Deflate.Message()
	}
	l.rounds = newRounds(&cfg.Limits)
	l.newWaiter()
	ready := make(chan error, 1)
	go l.run(ready)
	if err := <-ready; err != nil {
		return nil, err
	}
	return l, nil
}

// Limits are those in force. What a message may have can be less than was asked
// for: a guest that takes whole ones has to have room for them.
func (l *Lane) Limits() Limits {
	limits := l.cfg.Limits
	limits.Frames = l.frames
	return limits
}

// Counters tell what the lane has done. They outlive it.
func (l *Lane) Counters() *Counters { return l.counters }

// Done is closed when the lane has stopped and its instance is gone.
func (l *Lane) Done() <-chan struct{} { return l.done }

// Kill cuts every session and stops the lane without another closing handshake.
// It does not wait for the end of a turn.
func (l *Lane) Kill() {
	l.killed.Store(true)
	l.mail.post(mail{kind: mailKill})
}

func (l *Lane) run(ready chan<- error) {
	defer close(l.done)
	if err := l.start(); err != nil {
		l.mail.shut()
		l.waiter.close()
		ready <- err
		return
	}
	l.showCounters()
	ready <- nil
	var spare, items []mail
	for len(items) > 0 || !l.finished() {
		if len(items) == 0 {
			items = l.mail.take(spare)
			spare = items
		}
		idle := len(items) == 0 && l.n == 0 && len(l.later) == 0
		if idle {
			l.setAlarm()
		}
		sockets := l.waiter.wait(idle)
		l.clock = time.Since(l.began)
		l.tick = ticks(l.clock)
		items = l.handleSome(items)
		for i := range sockets {
			l.socketReady(&sockets[i])
		}
		l.overdue()
		l.turn()
		l.openCalls()
		l.recycle()
		l.showCounters()
	}
	l.finish()
}

// mailShare is after how long with publications of other lanes the lane looks at
// its sockets and timers again, before it goes on with them.
const mailShare = 5 * time.Millisecond

// handleSome handles mails, in order, and returns those that it has not come to.
func (l *Lane) handleSome(items []mail) []mail {
	defer l.flushOut() // of publications
	begin := l.clock
	for i := range items {
		m := &items[i]
		l.handle(m)
		topic := m.kind == mailTopic
		*m = mail{}
		if topic && time.Since(l.began)-begin > mailShare {
			return items[i+1:]
		}
	}
	return nil
}

func (l *Lane) handle(m *mail) {
	switch m.kind {
	case mailConnect:
		l.connect(m.what.(*connect))
	case mailAbort:
		l.abort(m)
	case mailAttach:
		l.attach(m.id, m.what.(Link), nil)
	case mailSocket:
		l.attachSocket(m.id, m.what.(*socket))
	case mailTopic:
		l.delivered(m.what.(*Message))
	case mailLost:
		l.outrun()
	case mailBatch:
		l.input(m.id, m.what.(*Batch))
	case mailGone:
		l.gone(m.id)
	case mailDrained:
		l.drained(m.id)
	case mailStalled:
		l.stalled(m.id)
	case mailRequest:
		l.request(m.what.(*Exchange))
	case mailBody:
		l.body(m.what.(*body))
	case mailLeft:
		l.left(m.what.(*Exchange).id)
	case mailDrain:
		l.drain(time.Duration(m.id))
	case mailKill:
		l.kill()
	case mailReset:
		l.reset()
	}
}

func (l *Lane) kill() {
	l.stopping = true
	l.sessions.all(func(id uint64, s *session) {
		l.answer(s, Decision{Err: ErrDown})
		if s.link != nil {
			s.link.Cut()
			s.link = nil
		}
		code, who := uint16(abi.CloseAbnormal), uint8(abi.WhoHost)
		if s.state == closing {
			code, who = s.code, s.who
		}
		l.end(id, s, code, who, false, s.reason())
	})
	for id := range l.exchanges {
		l.left(id)
	}
	for _, c := range l.lingering {
		c.Cut()
	}
}

func (l *Lane) finished() bool {
	return l.stopping && l.sessions.count == 0 && len(l.exchanges) == 0 && len(l.lingering) == 0 && l.n == 0 && len(l.later) == 0
}

// finish says good-bye to the guest and to those who posted too late.
func (l *Lane) finish() {
	if l.room(0) {
		l.put(abi.Event{Kind: abi.EventStop}, nil)
		l.turn()
	}
	l.showCounters()
	if l.guest != nil {
		l.guest.Close()
		l.guest = nil
	}
	l.counters.Up.Store(false)
	l.counters.Memory.Store(0)
	waiting := l.mail.shut()
	l.alarm.Stop()
	l.waiter.close()
	for _, m := range waiting {
		switch what := m.what.(type) {
		case *connect:
			if m.kind == mailConnect {
				l.turnAway(what, ErrDown)
			}
		case Link:
			what.Cut()
		case *Batch:
			what.Done()
		case *socket:
			l.refuseSocket(m.id, what)
		case *Exchange:
			what.fail(ErrDown)
		case *body:
			close(what.taken)
		}
	}
}
