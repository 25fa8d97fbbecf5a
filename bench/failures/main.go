// Command failures measures what everyone else notices when a plugin fails.
//
//	go run ./bench/failures [-n 1000] [-rounds 50] [-for 5s] [-long 1m] [-rate 1000]
//
// First the pause: n sessions are open on one lane, one of them echoes without a
// break, and now and then another one sends what makes the guest fail. Then what
// another plugin's sessions notice of one that does nothing but fail, beside what
// they notice of sessions that come and go in peace, and the same for longer with a
// plugin that fails so many times a second. The memory is the host's, which runs in
// a process of its own; host and clients share the machine, and so the figures.
// Linux.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/yimmo-host/yimmo-host/bench"
	"github.com/yimmo-host/yimmo-host/bench/internal/process"
	"github.com/yimmo-host/yimmo-host/host"
)

// A sinner is a plugin and what makes it fail.
type sinner struct{ name, plugin, say string }

var sinners = []sinner{
	{"C-like guest traps", "sins", "!t"},
	{"C-like guest overflows its stack", "sins", "!o"},
	{"C-like guest loops (turn: 20 ms)", "sins", "!l"},
	{"Go guest panics", "go", "panic over"},
	{"Go guest exits", "go", "exit"},
}

// peace is beside what the sinners are seen: as many sessions, and no failure.
var peace = sinner{"sessions that come and go", "sins", ""}

// A plan is how much there is to measure.
type plan struct {
	sessions, rounds, rate int
	short, long            time.Duration
}

func main() {
	var p plan
	flag.IntVar(&p.sessions, "n", 1000, "sessions on the lane")
	flag.IntVar(&p.rounds, "rounds", 50, "failures to measure")
	flag.DurationVar(&p.short, "for", 5*time.Second, "how long another plugin is watched beside each failure")
	flag.DurationVar(&p.long, "long", time.Minute, "how long beside failures at the rate")
	flag.IntVar(&p.rate, "rate", 1000, "failures a second")
	dir := flag.String("serve", "", "be the host, with the guests in this directory; for the program itself")
	flag.Parse()
	run := p.run
	if *dir != "" {
		run = func() error { return serve(*dir, p.sessions) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "failures:", err)
		os.Exit(1)
	}
}

func (p plan) run() (err error) {
	dir, err := os.MkdirTemp("", "failures-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for name, source := range map[string]string{"echo": "plugins/echo", "go": "host/guest/testdata/goguest"} {
		if err := bench.Build(filepath.Join(dir, name+".wasm"), source, true); err != nil {
			return err
		}
	}
	h, err := process.Start("-serve", dir, "-n", strconv.Itoa(p.sessions))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Stop()) }()
	fmt.Printf("pause of the others on the lane, %d sessions, %d failures, milliseconds\n", p.sessions, p.rounds)
	fmt.Printf("%-36s %8s %8s %8s\n", "", "median", "p90", "most")
	for _, s := range sinners {
		if err := pause(h.Addr, s, p.sessions, p.rounds); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if err := table(h, p.short, 0, append([]sinner{{"nothing", "", ""}, peace}, sinners...)); err != nil {
		return err
	}
	return table(h, p.long, p.rate, []sinner{{"nothing", "", ""}, peace, sinners[0]})
}

// table has a line for each of these, beside which another plugin is watched.
func table(h *process.Host, long time.Duration, rate int, all []sinner) error {
	pace := "without a break"
	if rate > 0 {
		pace = fmt.Sprint(rate, " a second")
	}
	fmt.Printf("\nround trips of another plugin's 50 sessions, 1000 a second in all, for %v, milliseconds; failures %s; host's memory, MB\n", long, pace)
	fmt.Printf("%-36s %8s %8s %8s %10s %8s %8s %8s\n", "beside", "median", "p99", "most", "failures/s", "before", "at most", "after")
	for _, s := range all {
		if err := beside(h, s, long, rate); err != nil {
			return fmt.Errorf("beside %s: %w", s.name, err)
		}
	}
	return nil
}

// serve is the host with the guests.
func serve(dir string, n int) error {
	return process.Serve(host.Config{
		CacheDir: filepath.Join(dir, "cache"), TraceDir: "off",
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1})),
		Plugins: []host.Plugin{
			{Name: "sins", Path: "host/testdata/guests/sins.wasm"},
			{Name: "go", Path: filepath.Join(dir, "go.wasm")},
			{Name: "echo", Path: filepath.Join(dir, "echo.wasm")},
		},
		Limits: host.Limits{Sessions: 2*n + 1000, Turn: 20 * time.Millisecond, PerAddress: 2*n + 1000},
	})
}
