//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A program is a server that can be started.
type program struct {
	name string
	file string
	args []string // the address follows
}

// A process is a server that runs.
type process struct {
	name string
	addr string
	cmd  *exec.Cmd
	said bytes.Buffer // on standard output and error
}

// cpus are the processors of server and client; nil when there are not two.
var cpus = func() []int {
	var all unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil || all.Count() < 2 {
		return nil
	}
	var two []int
	for n := 0; len(two) < 2; n++ {
		if all.IsSet(n) {
			two = append(two, n)
		}
	}
	return two
}()

// pin binds the calling thread, and what it starts from now on, to the
// processor of the server (0) or of the client (1).
func pin(n int) error {
	if cpus == nil {
		return nil
	}
	var one unix.CPUSet
	one.Set(cpus[n])
	return unix.SchedSetaffinity(0, &one)
}

// start runs a server on its processor and waits until it answers: it may listen
// long before, while it compiles its plugins.
func (g *program) start() (*process, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	free.Close()
	p := &process{name: g.name, addr: free.Addr().String()}
	p.cmd = exec.Command(g.file, append(g.args[:len(g.args):len(g.args)], p.addr)...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = os.Environ(), &p.said, &p.said
	if cpus != nil {
		p.cmd.Env = append(p.cmd.Env, "GOMAXPROCS=1")
	}
	if err := pin(0); err != nil {
		return nil, err
	}
	err = p.cmd.Start()
	if err := pin(1); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.name, err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(5 * time.Millisecond) {
		if answer, err := client.Get("http://" + p.addr); err == nil {
			answer.Body.Close()
			return p, nil
		}
		if p.ended() {
			break
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s: does not answer on %s:\n%s", g.name, p.addr, &p.said)
}

// ended says whether the process is gone or waits to be collected.
func (p *process) ended() bool {
	b, err := os.ReadFile(p.proc("stat"))
	return err != nil || strings.HasPrefix(string(b[bytes.LastIndexByte(b, ')')+1:]), " Z")
}

func (p *process) stop() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *process) proc(file string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), file)
}

// processor is the time that all threads of the server have run.
func (p *process) processor() (sum time.Duration, err error) {
	files, err := filepath.Glob(p.proc("task/*/schedstat"))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("%s: no %s: has it ended?", p.name, p.proc("task/*/schedstat"))
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has ended since
		}
		first, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", f, err)
		}
		sum += time.Duration(n)
	}
	return sum, nil
}

// memory is the server's resident memory, in bytes.
func (p *process) memory() (int64, error) {
	b, err := os.ReadFile(p.proc("status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("%s: no VmRSS in %s", p.name, p.proc("status"))
}

// with runs f beside a fresh process.
func (g *program) with(f func(p *process) error) error {
	p, err := g.start()
	if err != nil {
		return err
	}
	err = f(p)
	p.stop()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, &p.said)
	}
	return nil
}
