package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/yimmo-host/yimmo-host/bench/internal/client"
	"github.com/yimmo-host/yimmo-host/bench/internal/process"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

func beHost(n int, transport, plugin string) error {
	return process.Serve(host.Config{
		Transport: transport, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Plugins: []host.Plugin{{Name: "counts", Path: plugin, Route: "/"}},
		Limits:  host.Limits{Sessions: n + 100},
	})
}

func startHost(n int, transport, plugin string) (*process.Host, error) {
	return process.Start("-serve", "-n", strconv.Itoa(n), "-transport", transport, "-plugin", plugin)
}

// waitForCloses asks the plugin until it has heard of n closes.
func waitForCloses(addr string, n int) (counts string, err error) {
	for late := time.Now().Add(time.Minute); time.Now().Before(late); {
		if counts, err = ask(addr); err != nil {
			return "", err
		}
		var connects, recvs, closes int
		if _, err := fmt.Sscanf(counts, "connects %d recvs %d closes %d", &connects, &recvs, &closes); err != nil {
			return "", fmt.Errorf("plugin says %q: %w", counts, err)
		}
		counts = fmt.Sprintf("%d connects, %d messages, %d closes", connects, recvs, closes)
		if closes == n && connects == n {
			return counts, nil
		}
	}
	return "", fmt.Errorf("after a minute: %s", counts)
}

func ask(addr string) (string, error) {
	c, err := rawws.Dial(addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.Patience = client.Patience
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: scale\r\nConnection: close\r\n\r\n"); err != nil {
		return "", err
	}
	a, err := c.ReadAnswer("GET")
	if err != nil {
		return "", err
	}
	return a.Body, nil
}
