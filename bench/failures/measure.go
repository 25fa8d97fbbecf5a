package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/bench/internal/client"
	"github.com/yimmo-host/yimmo-host/bench/internal/process"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

var opened atomic.Int64

func open(addr, plugin string) (*rawws.Conn, error) {
	return client.Open(addr, "/"+plugin, int(opened.Add(1)))
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
		_, err := client.Echo(c, "hello")
		return err
	}
	if err := c.Send(0x81, s.say); err != nil {
		return err
	}
	return client.End(c, 1011)
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
	var longest client.Times
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
			took, err := client.Echo(others[0], "hello")
			if err != nil {
				return err
			}
			most = max(most, took)
		}
		longest.Add(most)
	}
	for _, c := range others { // not one was lost
		if _, err := client.Echo(c, "hello"); err != nil {
			return err
		}
	}
	ms := longest.Take(0.5, 0.9, 1)
	fmt.Printf("%-36s %8s %8s %8s\n", s.name, ms[0], ms[1], ms[2])
	return nil
}

// beside measures round trips of the echo while another plugin fails, rate times a
// second or, if that is 0, without a break.
func beside(h *process.Host, s sinner, long time.Duration, rate int) error {
	before, err := h.Usage()
	if err != nil {
		return err
	}
	const sinning, watching = 8, 50
	var failures atomic.Int64
	var trips client.Times
	var all sync.WaitGroup
	failed := make(chan error, sinning+watching)
	end := time.Now().Add(long)
	for range sinning {
		if s.plugin == "" {
			break
		}
		all.Go(func() {
			next := time.Now()
			for time.Now().Before(end) {
				if rate > 0 {
					next = next.Add(time.Second * sinning / time.Duration(rate))
					time.Sleep(time.Until(next))
				}
				if err := fail(h.Addr, s); err != nil {
					failed <- err
					return
				}
				failures.Add(1)
			}
		})
	}
	for range watching {
		all.Go(func() {
			if err := watch(h.Addr, end, &trips); err != nil {
				failed <- err
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	after, err := h.Usage()
	if err != nil {
		return err
	}
	ms := trips.Take(0.5, 0.99, 1)
	fmt.Printf("%-36s %8s %8s %8s %10.0f %8.1f %8.1f %8.1f\n", s.name, ms[0], ms[1], ms[2],
		float64(failures.Load())/long.Seconds(), mb(before.Resident), mb(after.Most), mb(after.Resident))
	return nil
}

func mb(bytes int) float64 { return float64(bytes) / 1e6 }

// watch echoes on one session, twenty times a second.
func watch(addr string, end time.Time, trips *client.Times) error {
	c, err := open(addr, "echo")
	if err != nil {
		return err
	}
	defer c.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ; time.Now().Before(end); <-tick.C {
		took, err := client.Echo(c, "hello")
		if err != nil {
			return err
		}
		trips.Add(took)
	}
	return nil
}
