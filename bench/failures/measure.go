package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

const patience = 10 * time.Second

func open(addr, plugin string) (*rawws.Conn, error) {
	c, err := rawws.Dial(addr)
	if err != nil {
		return nil, err
	}
	c.Patience = patience
	if _, err := c.Upgrade("/"+plugin, nil); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// echo sends a text and waits until it comes back, past any greeting.
func echo(c *rawws.Conn, text string) (time.Duration, error) {
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
			return 0, errors.New("the session was closed")
		}
		if strings.HasSuffix(f.Payload, text) || f.Payload == "done" {
			return time.Since(began), nil
		}
	}
}

// fail makes the guest fail and waits for the close frame. Of a sinner that has
// nothing to say it is an echo and the end of the session.
func fail(addr string, s sinner) error {
	c, err := open(addr, s.plugin)
	if err != nil {
		return err
	}
	defer c.Close()
	if s.say == "" {
		_, err := echo(c, "hello")
		return err
	}
	if err := c.Send(0x81, s.say); err != nil {
		return err
	}
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return err
		}
		if f.Flags&0x0f == 8 {
			if want := rawws.ClosePayload(1011, ""); !strings.HasPrefix(f.Payload, want) {
				return fmt.Errorf("closed with %q, want 1011", f.Payload)
			}
			return nil
		}
	}
}

// pause measures how long the others on the lane wait while their guest fails.
func pause(addr string, s sinner, n, rounds int) error {
	var others []*rawws.Conn
	defer func() {
		for _, c := range others {
			c.Close()
		}
	}()
	for range n {
		c, err := open(addr, s.plugin)
		if err != nil {
			return err
		}
		others = append(others, c)
	}
	var longest []time.Duration
	for range rounds {
		failed := make(chan error, 1)
		go func() { failed <- fail(addr, s) }()
		most := time.Duration(0)
		for done := false; !done; {
			select {
			case err := <-failed:
				if err != nil {
					return err
				}
				done = true
			default:
			}
			took, err := echo(others[0], "hello")
			if err != nil {
				return err
			}
			most = max(most, took)
		}
		longest = append(longest, most)
	}
	for _, c := range others { // not one was lost
		if _, err := echo(c, "hello"); err != nil {
			return err
		}
	}
	slices.Sort(longest)
	fmt.Printf("%-36s %8s %8s %8s\n", s.name, ms(at(longest, 0.5)), ms(at(longest, 0.9)), ms(longest[len(longest)-1]))
	return nil
}

// beside measures round trips of the echo while another plugin fails without a break.
func beside(addr string, s sinner, long time.Duration) error {
	var stop atomic.Bool
	var failures atomic.Int64
	var all sync.WaitGroup
	if s.plugin != "" {
		for range 4 {
			all.Go(func() {
				for !stop.Load() {
					if fail(addr, s) == nil {
						failures.Add(1)
					}
				}
			})
		}
	}
	var trips []time.Duration
	var mu sync.Mutex
	var first error
	for range 50 {
		all.Go(func() {
			mine, err := watch(addr, long)
			mu.Lock()
			defer mu.Unlock()
			trips = append(trips, mine...)
			first = errors.Join(first, err)
		})
	}
	time.Sleep(long)
	stop.Store(true)
	all.Wait()
	if first != nil {
		return first
	}
	slices.Sort(trips)
	fmt.Printf("%-36s %8s %8s %8s %10.0f\n", s.name, ms(at(trips, 0.5)), ms(at(trips, 0.99)), ms(trips[len(trips)-1]),
		float64(failures.Load())/long.Seconds())
	return nil
}

// watch echoes on one session, twenty times a second.
func watch(addr string, long time.Duration) (trips []time.Duration, err error) {
	c, err := open(addr, "echo")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		took, err := echo(c, "hello")
		if err != nil {
			return nil, err
		}
		trips = append(trips, took)
	}
	return trips, nil
}

func at(sorted []time.Duration, part float64) time.Duration {
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }
