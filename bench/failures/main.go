// Command failures measures what everyone else notices when a plugin fails.
//
//	go run ./bench/failures [-n 1000] [-rounds 50] [-for 5s]
//
// First the pause: n sessions are open on one lane, one of them echoes without a
// break, and now and then another one sends what makes the guest fail. Then what
// another plugin's sessions notice of one that does nothing but fail, beside what
// they notice of sessions that come and go in peace. Host and clients share the
// machine, and so the figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/yimmo-host/yimmo-host/bench"
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

func main() {
	n := flag.Int("n", 1000, "sessions on the lane")
	rounds := flag.Int("rounds", 50, "failures to measure")
	long := flag.Duration("for", 5*time.Second, "how long another plugin is watched")
	flag.Parse()
	if err := run(*n, *rounds, *long); err != nil {
		fmt.Fprintln(os.Stderr, "failures:", err)
		os.Exit(1)
	}
}

func run(n, rounds int, long time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "failures-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h, err := start(dir, n)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if e := h.Shutdown(ctx); !errors.Is(e, host.ErrForced) {
			err = errors.Join(err, e)
		}
		err = errors.Join(err, <-served)
	}()
	addr := h.Addr().String()
	fmt.Printf("pause of the others on the lane, %d sessions, %d failures, milliseconds\n", n, rounds)
	fmt.Printf("%-36s %8s %8s %8s\n", "", "median", "p90", "most")
	for _, s := range sinners {
		if err := pause(addr, s, n, rounds); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	fmt.Printf("\nround trips of another plugin's 50 sessions, 1000 a second in all, for %v, milliseconds\n", long)
	fmt.Printf("%-36s %8s %8s %8s %10s\n", "beside", "median", "p99", "most", "failures/s")
	for _, s := range append([]sinner{{"nothing", "", ""}, {"sessions that come and go", "sins", ""}}, sinners...) {
		if err := beside(addr, s, long); err != nil {
			return fmt.Errorf("beside %s: %w", s.name, err)
		}
	}
	return nil
}

// start builds the guests and starts a host with them.
func start(dir string, n int) (*host.Host, error) {
	for name, source := range map[string]string{"echo": "plugins/echo", "go": "host/guest/testdata/goguest"} {
		if err := bench.Build(filepath.Join(dir, name+".wasm"), source, true); err != nil {
			return nil, err
		}
	}
	return host.New(context.Background(), host.Config{
		Listen: "127.0.0.1:0", CacheDir: filepath.Join(dir, "cache"), TraceDir: "off",
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1})),
		Plugins: []host.Plugin{
			{Name: "sins", Path: "host/testdata/guests/sins.wasm"},
			{Name: "go", Path: filepath.Join(dir, "go.wasm")},
			{Name: "echo", Path: filepath.Join(dir, "echo.wasm")},
		},
		Limits: host.Limits{Sessions: 2*n + 1000, Turn: 20 * time.Millisecond, PerAddress: 2*n + 1000},
	})
}
