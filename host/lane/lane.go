package lane

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// Lane is one plugin instance with its sessions and the goroutine that owns
// them. The exported methods are safe for concurrent use; they post to the
// lane's mailbox and, unless they say so, do not wait.
type Lane struct {
	// Set by New, never changed.
	cfg      Config
	log      *slog.Logger
	done     chan struct{}
	counters *Counters
	lines    *Lines    // of the guest's log
	began    time.Time // when the plugin began: zero of the monotonic clock
	rounds   rounds

	frames frame.Limits // of one message; set by start, the same for all instances

	// Any goroutine.
	mail   mailbox
	killed atomic.Bool
	arrivals

	// Owned by the lane's goroutine from here on, but for what says otherwise.
	sessions sessions
	timers   timers
	clocks
	instance
	restarts
	batch
	undoing
	following
	requests
	sockets
	output
	tallies
	stopping bool // see Drain
	farewell farewell
}

// New starts a lane. Its instance is started on the lane's own goroutine; New
// waits for that and fails with the reason if there will be none.
func New(cfg Config) (*Lane, error) {
	l := &Lane{
		cfg: cfg, log: cfg.Log, done: make(chan struct{}),
		lines: cfg.Lines, began: time.Now(), rounds: newRounds(&cfg.Limits),
		sessions:  sessions{lane: uint64(cfg.Number) << indexBits},
		batch:     batch{seeds: newSeeds()},
		following: following{topics: map[string]*topic{}},
		requests:  requests{exchanges: map[uint64]*Exchange{}},
		sockets:   sockets{lingering: map[uint64]*polled{}},
		output:    output{unsent: map[uint64][]byte{}},
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
