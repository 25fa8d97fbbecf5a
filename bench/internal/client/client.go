// Package client is what the programs below bench share of clients.
package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// Patience is how long a client waits for anything.
const Patience = time.Minute

// Open makes the nth session, on a route. Its address is one of 127.0.1.1 to
// 127.0.1.200: one alone has too few ports.
func Open(addr, route string, n int) (*rawws.Conn, error) {
	c, err := rawws.From(addr, fmt.Sprintf("127.0.1.%d", 1+n%200))
	if err != nil {
		return nil, err
	}
	c.Patience = Patience
	if _, err := c.Upgrade(route, nil); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// ErrClosed is what a client hears in place of an answer.
var ErrClosed = errors.New("the session was closed")

// Echo sends a text and waits until it comes back, past any greeting.
func Echo(c *rawws.Conn, text string) (time.Duration, error) {
	began := time.Now()
	if err := c.Send(0x81, text); err != nil {
		return 0, err
	}
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return 0, err
		}
		if f.Flags&0x0f == 8 {
			return 0, ErrClosed
		}
		if strings.HasSuffix(f.Payload, text) || f.Payload == "done" {
			return time.Since(began), nil
		}
	}
}

// End reads until the close frame, which must have that code.
func End(c *rawws.Conn, code uint16) error {
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return err
		}
		if f.Flags&0x0f == 8 {
			if want := rawws.ClosePayload(code, ""); !strings.HasPrefix(f.Payload, want) {
				return fmt.Errorf("closed with %q, want %d", f.Payload, code)
			}
			return nil
		}
	}
}

// Times are those of many round trips. Safe for concurrent use.
type Times struct {
	mu  sync.Mutex
	all []time.Duration
}

// Add adds some.
func (t *Times) Add(took ...time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, took...)
}

// Take returns, in milliseconds, what at most those parts of all took, and forgets them.
func (t *Times) Take(parts ...float64) (ms []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.all)
	for _, part := range parts {
		took := time.Duration(0)
		if n := len(t.all); n > 0 {
			took = t.all[min(n-1, int(part*float64(n)))]
		}
		ms = append(ms, fmt.Sprintf("%.2f", float64(took.Microseconds())/1000))
	}
	t.all = nil
	return ms
}
