// Command scale opens thousands of sessions on a host, uses each, kills all at
// once and asks the plugin whether it heard of every end.
//
//	go run ./bench/scale [-n 15000] [-transport auto] [-plugin counts.wasm]
//
// The host runs in a process of its own, so that its memory and descriptors are
// not those of the clients. Clients come from 127.0.1.1 to 127.0.1.200. Linux.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/yimmo-host/yimmo-host/bench/internal/client"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

func main() {
	n := flag.Int("n", 15000, "sessions")
	transport := flag.String("transport", "auto", "of the host: auto, poll or stream")
	plugin := flag.String("plugin", "host/testdata/guests/counts.wasm", "a plugin that echoes and answers GET with its counts")
	serve := flag.Bool("serve", false, "be the host; for the program itself")
	flag.Parse()
	run := func() error { return measure(*n, *transport, *plugin) }
	if *serve {
		run = func() error { return beHost(*n, *transport, *plugin) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// measure runs the host and prints what became of n sessions.
func measure(n int, transport, plugin string) error {
	h, err := startHost(n, transport, plugin)
	if err != nil {
		return err
	}
	defer h.Stop()
	before, err := h.Usage()
	if err != nil {
		return err
	}
	began := time.Now()
	conns, err := openAll(h.Addr, n)
	if err != nil {
		return err
	}
	opened := time.Since(began)

	began = time.Now()
	if err := echoAll(conns); err != nil {
		return err
	}
	echoed := time.Since(began)
	busy, err := h.Usage()
	if err != nil {
		return err
	}

	began = time.Now()
	if err := each(conns, func(_ int, c **rawws.Conn) error { return (*c).Reset() }); err != nil {
		return err
	}
	counts, err := waitForCloses(h.Addr, n)
	if err != nil {
		return err
	}
	heard := time.Since(began)
	after, err := h.Usage()
	if err != nil {
		return err
	}
	fmt.Printf("%d sessions, %s: opened in %.2fs, all echoed in %.2fs, killed and heard of in %.2fs; %s; "+
		"resident %.1f -> %.1f -> %.1f MB (%.2f kB a session); goroutines %d -> %d -> %d; descriptors %d -> %d -> %d\n",
		n, transport, opened.Seconds(), echoed.Seconds(), heard.Seconds(), counts,
		mb(before.Resident), mb(busy.Resident), mb(after.Resident), float64(busy.Resident-before.Resident)/1e3/float64(n),
		before.Goroutines, busy.Goroutines, after.Goroutines, before.Descriptors, busy.Descriptors, after.Descriptors)
	return h.Stop()
}

func mb(bytes int) float64 { return float64(bytes) / 1e6 }

// workers is how many clients do something at the same time.
const workers = 32

// each calls f for all conns, in no order, and returns the first error.
func each(conns []*rawws.Conn, f func(i int, c **rawws.Conn) error) error {
	var all sync.WaitGroup
	failed := make(chan error, workers)
	for w := range workers {
		all.Go(func() {
			for i := w; i < len(conns); i += workers {
				if err := f(i, &conns[i]); err != nil {
					failed <- fmt.Errorf("session %d: %w", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func openAll(addr string, n int) ([]*rawws.Conn, error) {
	conns := make([]*rawws.Conn, n)
	return conns, each(conns, func(i int, c **rawws.Conn) (err error) {
		*c, err = client.Open(addr, "/", i)
		return err
	})
}

// echoAll has every client send before the first one reads.
func echoAll(conns []*rawws.Conn) error {
	message := func(i int) string { return strings.Repeat("x", i%100) + fmt.Sprint(i) }
	if err := each(conns, func(i int, c **rawws.Conn) error { return (*c).Send(0x81, message(i)) }); err != nil {
		return err
	}
	return each(conns, func(i int, c **rawws.Conn) error {
		f, err := (*c).ReadFrame()
		if err == nil && f != (rawws.Frame{Flags: 0x81, Payload: message(i)}) {
			err = fmt.Errorf("got %v, want %q", f, message(i))
		}
		return err
	})
}
