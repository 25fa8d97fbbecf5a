//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A scenario is one kind of work and what a unit of it costs the server.
type scenario struct {
	name  string
	text  string
	unit  string
	conns int
	size  int // of a message, in bytes
	run   func(s *scenario, p *process, t times) (cost float64, err error)
	few   bool // repeats well and takes long: two runs are enough
}

var scenarios = []scenario{
	{name: "pingpong", text: "1000 connections, a message of 128 B each under way", unit: "µs/message", conns: 1000, size: 128, run: echo(1)},
	{name: "16k", text: "200 connections, a message of 16 KiB each under way", unit: "µs/message", conns: 200, size: 16 << 10, run: echo(1)},
	{name: "pipelined", text: "64 connections, 16 messages of 128 B each under way", unit: "µs/message", conns: 64, size: 128, run: echo(16)},
	{name: "fanout", text: "1 speaks, 1000 hear it, 128 B, 2 messages under way", unit: "µs/delivery", conns: 1000, size: 128, run: fanOut},
	{name: "churn", text: "connect, upgrade, an echo of 128 B, close; 64 at a time", unit: "µs/cycle", conns: 64, size: 128, run: churn},
	{name: "idle", text: "10,000 connections that said something once: growth of resident memory", unit: "B/connection", conns: 10000, size: 128, run: idle, few: true},
}

// times are how long a run is watched, and how long it runs before that.
type times struct{ warm, watch time.Duration }

// watched is what the server's processor did for each count of n in that time,
// in microseconds.
func (l *load) watched(p *process, t times, n *uint64) (float64, error) {
	if err := l.during(t.warm); err != nil {
		return 0, err
	}
	before, from, err := *n, time.Duration(0), error(nil)
	if from, err = p.processor(); err != nil {
		return 0, err
	}
	if err := l.during(t.watch); err != nil {
		return 0, err
	}
	to, err := p.processor()
	if err != nil {
		return 0, err
	}
	if *n == before {
		return 0, errStalled
	}
	return float64(to-from) / 1e3 / float64(*n-before), nil
}

// echo has every connection keep inFlight messages under way.
func echo(inFlight int) func(*scenario, *process, times) (float64, error) {
	return func(s *scenario, p *process, t times) (float64, error) {
		l, err := newLoad(p.addr, s.size)
		if err != nil {
			return 0, err
		}
		defer l.close()
		var count uint64
		l.message = func(c *conn, n int) error {
			count += uint64(n)
			return l.send(c, n)
		}
		if err := l.connect(s.conns, "/"); err != nil {
			return 0, err
		}
		if err := l.each(func(c *conn) error { return l.send(c, inFlight) }); err != nil {
			return 0, err
		}
		return l.watched(p, t, &count)
	}
}

func (l *load) each(f func(c *conn) error) error {
	for _, c := range l.conns {
		if c != nil {
			if err := f(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// fanOut has one connection speak and the others listen. Each message is sent
// when everybody has had the one before the last.
func fanOut(s *scenario, p *process, t times) (float64, error) {
	l, err := newLoad(p.addr, s.size)
	if err != nil {
		return 0, err
	}
	defer l.close()
	var speaker *conn
	var count uint64
	var missing [variety]int // deliveries of the messages under way
	say := func() error {
		missing[speaker.sent%variety] = s.conns
		return l.send(speaker, 1)
	}
	l.message = func(c *conn, n int) error {
		count += uint64(n)
		for i := range uint32(n) {
			left := &missing[(c.next-1-i)%variety]
			if *left--; *left == 0 {
				if err := say(); err != nil {
					return err
				}
			}
		}
		return nil
	}
	// Who gets a pong is being listened to, and so has entered before.
	here := 0
	l.opened = func(c *conn) error {
		return l.write(c, rawws.AppendFrame(nil, rawws.Frame{Flags: fin | opPing}))
	}
	l.ponged = func(c *conn) error {
		speaker = c
		here++
		return nil
	}
	if err := l.connect(s.conns+1, "/broadcast"); err != nil {
		return 0, err
	}
	if err := l.until(func() bool { return here == s.conns+1 }); err != nil {
		return 0, err
	}
	for range 2 {
		if err := say(); err != nil {
			return 0, err
		}
	}
	return l.watched(p, t, &count)
}

// churn has connections come, say something once and go, and others come in
// their place.
func churn(s *scenario, p *process, t times) (float64, error) {
	l, err := newLoad(p.addr, s.size)
	if err != nil {
		return 0, err
	}
	defer l.close()
	var count uint64
	l.opened = func(c *conn) error { return l.send(c, 1) }
	l.message = func(c *conn, n int) error { return l.leave(c) }
	l.ended = func() error {
		count++
		return l.dial("/")
	}
	for range s.conns {
		if err := l.dial("/"); err != nil {
			return 0, err
		}
	}
	return l.watched(p, t, &count)
}

// idle is the growth of the server's resident memory per connection.
func idle(s *scenario, p *process, _ times) (float64, error) {
	l, err := newLoad(p.addr, s.size)
	if err != nil {
		return 0, err
	}
	defer l.close()
	before, err := p.memory()
	if err != nil {
		return 0, err
	}
	answers := 0
	l.opened = func(c *conn) error { return l.send(c, 1) }
	l.message = func(c *conn, n int) error {
		answers += n
		return nil
	}
	if err := l.connect(s.conns, "/"); err != nil {
		return 0, err
	}
	if err := l.until(func() bool { return answers == s.conns }); err != nil {
		return 0, err
	}
	after, err := p.memory()
	return float64(after-before) / float64(s.conns), err
}

// check has the server echo messages of every form of length, and says if any
// comes back different.
func check(p *process) error {
	for _, size := range []int{0, 1, 125, 126, 1 << 10, 1<<16 - 1, 1 << 16, 100_000} {
		if err := checkSize(p, size); err != nil {
			return fmt.Errorf("%s: echo of %d bytes: %w", p.name, size, err)
		}
	}
	return nil
}

func checkSize(p *process, size int) error {
	l, err := newLoad(p.addr, size)
	if err != nil {
		return err
	}
	defer l.close()
	const conns, each = 4, 2 * variety
	answers := 0
	l.opened = func(c *conn) error { return l.send(c, mostInFlight) }
	l.message = func(c *conn, n int) error {
		answers += n
		return l.send(c, min(n, each-int(c.sent)-c.owed))
	}
	if err := l.connect(conns, "/"); err != nil {
		return err
	}
	return l.until(func() bool { return answers == conns*each })
}
