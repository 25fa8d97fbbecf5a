// Command soak keeps a host busy for as long as it is told, with all that clients and
// plugins do, and says at the end whether anything was lost or left behind.
//
//	go run ./bench/soak [-for 10m] [-transport auto]
//
// There are sessions that echo, some of them compressed, rooms that people join and
// leave, sessions that come and go in any way, readers that are slow or do not read at
// all, and a plugin that fails, again and again, beside sessions of its own that go on.
// A line a minute, or twenty in all, say how it goes. In the end, and where it can be told before:
//
//   - every message came back as it was sent, once and in order
//   - every session that was accepted has had one close event, by the host's count
//     and by the plugins'
//   - memory has not grown in the second half
//   - goroutines and descriptors are as many as before
//
// The exit code is 1 if not. Linux.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/yimmo-host/yimmo-host/bench"
	"github.com/yimmo-host/yimmo-host/bench/internal/process"
	"github.com/yimmo-host/yimmo-host/host"
)

func main() {
	long := flag.Duration("for", 10*time.Minute, "how long")
	transport := flag.String("transport", "auto", "of the host: auto, poll or stream")
	dir := flag.String("serve", "", "be the host, with the plugins in this directory; for the program itself")
	flag.Parse()
	run := func() error { return soak(*long, *transport) }
	if *dir != "" {
		run = func() error { return serve(*dir, *transport) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// soak runs a host and its clients and returns all that was wrong.
func soak(long time.Duration, transport string) (err error) {
	dir, err := os.MkdirTemp("", "soak-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"echo", "chat"} {
		if err := bench.Build(filepath.Join(dir, name+".wasm"), "plugins/"+name, true); err != nil {
			return err
		}
	}
	h, err := process.Start("-transport", transport, "-serve", dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Stop()) }()
	w := newWatch(h, long)
	if err := w.begin(); err != nil {
		return err
	}
	l := startLoad(h.Addr)
	watched := w.until(l)
	if err := errors.Join(l.stop(), watched); err != nil {
		return err
	}
	if err := w.judge(l); err != nil {
		return err
	}
	fmt.Println("ok: nothing lost, nothing altered, every session ended once, nothing left behind")
	return nil
}

// serve is the host with the plugins.
func serve(dir, transport string) error {
	echo := filepath.Join(dir, "echo.wasm")
	return process.Serve(host.Config{
		CacheDir: filepath.Join(dir, "cache"), TraceDir: "off", Transport: transport,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1})),
		Plugins: []host.Plugin{
			{Name: "echo", Path: echo},
			{Name: "packed", Path: echo, Compression: host.CompressionOn},
			{Name: "chat", Path: filepath.Join(dir, "chat.wasm"), Route: "/chat/"},
			{Name: "sins", Path: "host/testdata/guests/sins.wasm"},
		},
		// Time is plenty: what is late because the machine has other work is not wrong.
		Limits: host.Limits{Turn: 10 * time.Second, WriteTime: 2 * time.Second},
	})
}
