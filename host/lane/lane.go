package lane

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Guest is one running instance of a plugin. [guest.Instance] is one.
// Its memory belongs to the lane between calls of Turn.
type Guest interface {
	Events() []byte         // the event ring; its place never changes
	Commands() []byte       // the command ring; its place never changes
	Area() ([]byte, uint32) // the receive area and its address in guest memory
	Memory() []byte         // all of the guest's memory, as large as it is now
	Features() abi.Feature  // in force
	Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
	Close() error
}

// Config is what a lane is made of. All fields are required but Log.
type Config struct {
	// Start makes a fresh instance: when the lane begins and after each trap.
	// It is called on the lane's goroutine and may take a while.
	Start func() (Guest, error)

	// Settings are the [abi.Fields] of the start event.
	Settings []byte

	// Number of this lane within its plugin, 0 to 255.
	Number int

	// Queue is the most bytes that may wait for one session's peer, or for the
	// client of one HTTP request; CloseTime bounds the closing handshake.
	Queue     int
	CloseTime time.Duration

	// Log gets the guest's lines and the lane's own. Default [slog.Default].
	Log *slog.Logger

	// Metric gets the samples of the guest's metric commands, on the lane's
	// goroutine. May be nil: they are then checked and dropped.
	Metric func(kind uint8, name string, sample float64)
}

// ErrDown reports that the plugin has no running instance at the moment.
var ErrDown = errors.New("plugin is not running")

// Lane is one plugin instance with its sessions and the goroutine that owns
// them. The exported methods are safe for concurrent use; they post to the
// lane's mailbox and, unless they say so, do not wait.
type Lane struct {
	// Set by New, never changed.
	cfg  Config
	log  *slog.Logger
	done chan struct{}

	mail mailbox // any goroutine

	// Owned by the lane's goroutine from here on.
	sessions  sessions
	exchanges map[uint64]*Exchange
	lastReq   uint64
	due       deadlines
	stopping  bool

	guest    Guest // nil while there is none
	ring     []byte
	area     []byte
	areaAddr uint32
	began    time.Time     // when the plugin began: zero of the monotonic clock
	started  time.Time     // when this instance did
	backoff  time.Duration // before the next restart
	seeds    *rand.ChaCha8
	turns    uint64

	n       int       // events in the ring
	used    int       // bytes of the area in use
	later   []pending // events made by commands; they go into the next turn
	refused int       // how many of those are refusals
	asked   []uint64  // sessions whose connect event is in the ring
	ended   []uint64  // sessions whose close event is in the ring

	out   []byte   // frames of one session, on their way to its link
	outTo uint64   // whose
	parts [][]byte // payload of the command at hand
	lines limiter  // of the guest's log
}

// New starts a lane. Its instance is started on the lane's own goroutine; New
// waits for that and fails with the reason if there will be none.
func New(cfg Config) (*Lane, error) {
	l := &Lane{
		cfg: cfg, log: cfg.Log, done: make(chan struct{}), mail: newMailbox(),
		sessions:  sessions{lane: uint64(cfg.Number) << indexBits},
		exchanges: map[uint64]*Exchange{},
		began:     time.Now(),
		seeds:     newSeeds(),
		lines:     newLimiter(),
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	ready := make(chan error, 1)
	go l.run(ready)
	if err := <-ready; err != nil {
		return nil, err
	}
	return l, nil
}

// Done is closed when the lane has stopped and its instance is gone.
func (l *Lane) Done() <-chan struct{} { return l.done }

// Drain closes every session with 1001, refuses what is new and stops the lane
// when the last one is over. The instance hears of its end last.
func (l *Lane) Drain() { l.mail.post(mail{kind: mailDrain}) }

// Kill cuts every session and stops the lane without another closing handshake.
func (l *Lane) Kill() { l.mail.post(mail{kind: mailKill}) }

func (l *Lane) run(ready chan<- error) {
	defer close(l.done)
	if err := l.start(); err != nil {
		l.mail.shut()
		ready <- err
		return
	}
	ready <- nil
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var items []mail
	for !l.finished() {
		items = l.mail.take(items)
		if len(items) == 0 && l.n == 0 && len(l.later) == 0 {
			l.wait(timer)
		}
		for i := range items {
			l.handle(&items[i])
		}
		l.overdue()
		l.turn()
	}
	l.finish()
}

// wait parks the lane until there is mail or a deadline has passed.
func (l *Lane) wait(timer *time.Timer) {
	if len(l.due) == 0 {
		<-l.mail.wake
		return
	}
	timer.Reset(time.Until(l.due[0].at))
	select {
	case <-l.mail.wake:
	case <-timer.C:
	}
}

func (l *Lane) handle(m *mail) {
	switch m.kind {
	case mailConnect:
		l.connect(m.what.(*connect))
	case mailAbort:
		l.abort(m)
	case mailAttach:
		l.attach(m.id, m.what.(Link))
	case mailBatch:
		l.input(m.id, m.what.(*Batch))
	case mailGone:
		l.gone(m.id)
	case mailDrained:
		l.drained(m.id)
	case mailRequest:
		l.request(m.what.(*Exchange))
	case mailBody:
		l.body(m.what.(*body))
	case mailLeft:
		l.left(m.what.(*Exchange).id)
	case mailDrain:
		l.drain()
	case mailKill:
		l.kill()
	}
}

func (l *Lane) overdue() {
	if len(l.due) == 0 {
		return
	}
	now := time.Now()
	for d, ok := l.due.due(now); ok; d, ok = l.due.due(now) {
		switch d.kind {
		case dueClose:
			l.closeOverdue(d.id)
		case dueRestart:
			l.restart()
		}
	}
}

func (l *Lane) drain() {
	if l.stopping {
		return
	}
	l.stopping = true
	l.sessions.all(func(id uint64, s *session) {
		switch s.state {
		case connecting:
			l.answer(s, Decision{Err: ErrDown})
			l.end(id, s, abi.CloseGoingAway, abi.WhoHost, false, nil)
		case accepted, open:
			l.startClose(id, s, abi.CloseGoingAway, "server is going away", abi.WhoHost)
		}
	})
}

func (l *Lane) kill() {
	l.stopping = true
	l.sessions.all(func(id uint64, s *session) {
		l.answer(s, Decision{Err: ErrDown})
		if s.link != nil {
			s.link.Cut()
			s.link = nil
		}
		code := uint16(abi.CloseGoingAway)
		if s.state == closing {
			code = s.code
		}
		l.end(id, s, code, abi.WhoHost, false, nil)
	})
	for id := range l.exchanges {
		l.left(id)
	}
}

func (l *Lane) finished() bool {
	return l.stopping && l.sessions.count == 0 && len(l.exchanges) == 0 && l.n == 0 && len(l.later) == 0
}

// finish says good-bye to the guest and to those who posted too late.
func (l *Lane) finish() {
	if l.room(0) {
		l.put(abi.Event{Kind: abi.EventStop}, nil)
		l.turn()
	}
	if l.guest != nil {
		l.guest.Close()
		l.guest = nil
	}
	for _, m := range l.mail.shut() {
		switch what := m.what.(type) {
		case *connect:
			if m.kind == mailConnect {
				what.reply <- Decision{Err: ErrDown}
			}
		case Link:
			what.Cut()
		case *Batch:
			what.Done()
		case *Exchange:
			what.fail(ErrDown)
		case *body:
			close(what.taken)
		}
	}
}
