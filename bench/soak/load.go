package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/bench/internal/client"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A load is all clients of a run.
type load struct {
	addr string
	over chan struct{}  // closed when clients are to come to an end
	all  sync.WaitGroup // of them

	messages atomic.Int64 // sent, and found to be what came of them
	opened   map[string]*atomic.Int64
	trips    client.Times

	mu  sync.Mutex
	err error // of all clients, each at its end
}

// A kind of clients: so many do this again and again, with a pause in between.
type kind struct {
	name  string
	count int
	pause time.Duration
	do    func(c *crowd) error
}

var kinds = []kind{
	{"echo", 100, 0, func(c *crowd) error { return c.talk("echo", 100) }},
	{"compressed", 20, 0, (*crowd).talkPacked},
	{"beside failures", 20, 0, func(c *crowd) error { return c.talk("sins", 1000) }},
	{"failures", 4, 50 * time.Millisecond, (*crowd).fail},
	{"room", 10, 0, (*crowd).room},
	{"churn", 10, 10 * time.Millisecond, (*crowd).visit},
	{"slow reader", 4, time.Second, (*crowd).readSlowly},
	{"no reader", 2, time.Second, (*crowd).readNothing},
}

// A crowd is one client of a kind, or the few that belong together.
type crowd struct {
	*load
	n    int // which
	rand *rand.Rand
}

func startLoad(addr string) *load {
	l := &load{addr: addr, over: make(chan struct{}), opened: map[string]*atomic.Int64{}}
	for _, plugin := range []string{"echo", "packed", "chat", "sins"} {
		l.opened[plugin] = new(atomic.Int64)
	}
	n := 0
	for _, k := range kinds {
		for range k.count {
			n++
			c := &crowd{l, n, rand.New(rand.NewPCG(1, uint64(n)))}
			l.all.Go(func() {
				for !c.done() {
					if err := k.do(c); err != nil {
						l.fail(fmt.Errorf("%s: %w", k.name, err))
						return
					}
					c.wait(k.pause)
				}
			})
		}
	}
	return l
}

func (l *load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = errors.Join(l.err, err)
}

// failed is what has gone wrong so far.
func (l *load) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// stop ends all clients in good order.
func (l *load) stop() error {
	close(l.over)
	l.all.Wait()
	return l.failed()
}

// done tells whether clients are to come to an end.
func (l *load) done() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// wait is a pause, which the end cuts short.
func (l *load) wait(pause time.Duration) {
	select {
	case <-l.over:
	case <-time.After(pause):
	}
}

// open makes a session on the plugin, at a path below its route or at the route.
func (c *crowd) open(plugin, below string) (*rawws.Conn, error) {
	conn, err := client.Open(c.addr, "/"+plugin+below, c.n)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", plugin, err)
	}
	c.opened[plugin].Add(1)
	if plugin == "echo" {
		err = want(conn, rawws.Frame{Flags: 0x81, Payload: "Hello!"})
	}
	return conn, err
}

// want reads the next frame.
func want(conn *rawws.Conn, want rawws.Frame) error {
	got, err := conn.ReadFrame()
	if err == nil && got != want {
		err = fmt.Errorf("got %v, want %v", got, want)
	}
	return err
}

// leave is the closing handshake.
func leave(conn *rawws.Conn) error {
	defer conn.Close()
	if err := conn.Send(0x88, rawws.ClosePayload(1000, "")); err != nil {
		return err
	}
	return client.End(conn, 1000)
}

// text is some: mostly short, now and then up to 64 KiB, never '!', with which orders
// to fail begin, and never nothing, for then that plugin looks at what was there before.
func (c *crowd) text() string {
	size := 1 + c.rand.IntN(200)
	if c.rand.IntN(100) == 0 {
		size = 1 + c.rand.IntN(64<<10)
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = "abcdefghijklmnop"[c.rand.IntN(16)]
	}
	return string(b)
}
