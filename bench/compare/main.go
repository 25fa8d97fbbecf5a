//go:build linux

// Command compare measures what a message costs this server, with a Go plugin in
// the sandbox, beside the same program in plain Go on gorilla/websocket.
//
//	go run ./bench/compare                      all scenarios, as a table
//	go run ./bench/compare -only churn -n 24    one of them, more often
//	go run ./bench/compare -noise               the baseline beside itself: what chance does
//	go run ./bench/compare -update README.md    and write the table into that file
//
// It builds both servers and starts them in turn, A B A B, for each scenario:
// one at a time, with GOMAXPROCS=1 and on a processor of its own if there are
// two; the client has the other. The figure is the processor time of all the
// server's threads, user and system, divided by the messages meanwhile. Every
// byte of every message is compared while it is measured. Ratios are of runs
// next to each other, then the median of these; what lies beside it is the middle
// half. Linux only; nothing leaves loopback.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	runtime.LockOSThread() // this thread is the client, and pinned as such
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run() error {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	only := flag.String("only", strings.Join(names, ","), "`scenarios` to run")
	runs := flag.Int("n", 12, "`runs` of each server in each scenario")
	watch := flag.Duration("time", 500*time.Millisecond, "how long a run is watched")
	noise := flag.Bool("noise", false, "compare the baseline with itself")
	update := flag.String("update", "", "`file` to put the table into, between its two marks")
	flag.Parse()

	var chosen []*scenario
	for _, name := range strings.Split(*only, ",") {
		i := slices.Index(names, name)
		if i < 0 {
			return fmt.Errorf("-only: no scenario %q, there are %s", name, strings.Join(names, ", "))
		}
		chosen = append(chosen, &scenarios[i])
	}
	if *runs < 1 {
		return fmt.Errorf("-n: %d: at least 1", *runs)
	}
	b, err := build()
	if err != nil {
		return err
	}
	defer b.remove()
	if err := pin(1); err != nil {
		return err
	}
	theirs, ours := b.baseline, b.ours
	if *noise {
		ours = b.baseline
		ours.name = "the same again"
	}
	report := newReport(b, &ours, *runs, *watch)
	if err := compare(report, &theirs, &ours, chosen, *runs, times{200 * time.Millisecond, *watch}); err != nil {
		return err
	}
	if *update == "" {
		return nil
	}
	return report.replaceIn(*update)
}

// compare runs the scenarios and adds their rows to the report.
func compare(r *report, theirs, ours *program, chosen []*scenario, runs int, t times) error {
	for _, g := range []*program{theirs, ours} {
		if err := g.with(check); err != nil {
			return err
		}
	}
	for _, s := range chosen {
		n := runs
		if s.few {
			n = min(n, 2)
		}
		var samples [2][]sample
		for range n {
			for side, g := range []*program{theirs, ours} {
				begin := time.Now()
				cost := 0.0
				err := g.with(func(p *process) (err error) {
					cost, err = s.run(s, p, t)
					return err
				})
				if err != nil {
					return fmt.Errorf("%s: %s: %w", s.name, g.name, err)
				}
				samples[side] = append(samples[side], sample{begin.Add(time.Since(begin) / 2), cost})
			}
		}
		r.add(s, samples[0], samples[1])
	}
	return nil
}
