// Package process runs a host in a process of its own, so that memory, goroutines
// and descriptors are not those of the clients that measure it. Linux.
package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
)

// Serve is for the process that [Start] has started: it is a host until standard
// input ends, and says for each line of it what it uses.
func Serve(c host.Config) error {
	c.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	h, err := host.New(context.Background(), c)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	fmt.Println(h.Addr(), h.AdminAddr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		most := status("VmHWM:")
		debug.FreeOSMemory()
		os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the most from here on
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return err
		}
		fmt.Println(status("VmRSS:"), most, runtime.NumGoroutine(), len(fds))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(h.Shutdown(ctx), <-served)
}

// status is a number of bytes that the kernel keeps about this process.
func status(name string) int {
	b, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(b), name)
	if fields := strings.Fields(rest); len(fields) > 0 {
		kb, _ := strconv.Atoi(fields[0])
		return kb << 10
	}
	return 0
}

// A Host is the other process.
type Host struct {
	Addr string // of its listener

	admin string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	over  bool
}

// Usage is what a host uses when its garbage has been collected.
type Usage struct {
	Resident int // bytes
	Most     int // bytes, since the last time it was asked
	Goroutines,
	Descriptors int
}

// Start runs this program again, with arguments that have it call [Serve].
func Start(args ...string) (*Host, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &Host{cmd: exec.Command(self, args...)}
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
	if err := h.line(&h.Addr, &h.admin); err != nil {
		return nil, errors.Join(err, h.Stop())
	}
	return h, nil
}

// line reads what the host says.
func (h *Host) line(into ...any) error {
	if !h.out.Scan() {
		return errors.New("the host has ended")
	}
	_, err := fmt.Sscan(h.out.Text(), into...)
	return err
}

// Usage asks the host.
func (h *Host) Usage() (u Usage, err error) {
	if _, err := io.WriteString(h.in, "usage\n"); err != nil {
		return u, err
	}
	return u, h.line(&u.Resident, &u.Most, &u.Goroutines, &u.Descriptors)
}

// Metric asks the host for a metric by plugin: the sum of those that have a label,
// `result="accepted"`, or of all.
func (h *Host) Metric(name, label string) (map[string]int, error) {
	r, err := http.NewRequest("GET", "http://"+h.admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	r.Close = true // the host is not to have a connection of it
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		return nil, err
	}
	sums := map[string]int{}
	for line := range bytes.Lines(text) {
		rest, ok := strings.CutPrefix(string(line), name+"{")
		if !ok || !strings.Contains(rest, label) {
			continue
		}
		_, plugin, _ := strings.Cut(rest, `plugin="`)
		plugin, _, _ = strings.Cut(plugin, `"`)
		v, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' '):]), 64)
		if err != nil {
			return nil, fmt.Errorf("metrics: %q: %w", line, err)
		}
		sums[plugin] += int(v)
	}
	return sums, nil
}

// Stop ends the host in good order, once.
func (h *Host) Stop() error {
	if h.over {
		return nil
	}
	h.over = true
	h.in.Close()
	return h.cmd.Wait()
}
