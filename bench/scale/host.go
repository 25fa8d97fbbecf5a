package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// beHost serves until standard input ends, and says what it uses for each line of it.
func beHost(n int, transport, plugin string) error {
	h, err := host.New(context.Background(), host.Config{
		Listen: "127.0.0.1:0", Transport: transport, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Plugins: []host.Plugin{{Name: "counts", Path: plugin, Route: "/"}},
		Limits:  host.Limits{Sessions: n + 100},
	})
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	fmt.Println(h.Addr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		debug.FreeOSMemory()
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return err
		}
		fmt.Println(resident(), runtime.NumGoroutine(), len(fds))
	}
	return errors.Join(h.Shutdown(context.Background()), <-served)
}

// resident is the memory of this process that is in use, in bytes.
func resident() int {
	statm, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// child is the host in its own process.
type child struct {
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	over bool
}

// usage is what the host uses, its garbage collected.
type usage struct{ rss, goroutines, descriptors int }

func startHost(n int, transport, plugin string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &child{cmd: exec.Command(self, "-serve", "-n", strconv.Itoa(n), "-transport", transport, "-plugin", plugin)}
	h.cmd.Stderr = os.Stderr
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	h.out = bufio.NewScanner(out)
	if h.addr, err = h.line(); err != nil {
		h.stop()
		return nil, err
	}
	return h, nil
}

func (h *child) line() (string, error) {
	if !h.out.Scan() {
		return "", errors.New("the host has ended")
	}
	return h.out.Text(), nil
}

func (h *child) usage() (u usage, err error) {
	if _, err := io.WriteString(h.in, "usage\n"); err != nil {
		return u, err
	}
	line, err := h.line()
	if err == nil {
		_, err = fmt.Sscan(line, &u.rss, &u.goroutines, &u.descriptors)
	}
	return u, err
}

// stop ends the host in good order, once.
func (h *child) stop() error {
	if h.over {
		return nil
	}
	h.over = true
	h.in.Close()
	return h.cmd.Wait()
}

// waitForCloses asks the plugin until it has heard of n closes.
func (h *child) waitForCloses(n int) (counts string, err error) {
	for late := time.Now().Add(time.Minute); time.Now().Before(late); {
		if counts, err = h.ask(); err != nil {
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

func (h *child) ask() (string, error) {
	c, err := rawws.Dial(h.addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.Patience = time.Minute
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: scale\r\nConnection: close\r\n\r\n"); err != nil {
		return "", err
	}
	a, err := c.ReadAnswer("GET")
	if err != nil {
		return "", err
	}
	return a.Body, nil
}
