//go:build unix

// Package yimmo_test holds the whole repository to what it says of itself.
package yimmo_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var blocks = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// Every command of the README is run as it is written there, on a port of the
// test's own; those that serve, until the next command that serves.
func TestREADMECommands(t *testing.T) {
	text := read(t, "README.md")
	address := freeAddress(t)
	t.Cleanup(func() { os.Remove("echo.wasm") })
	var server *exec.Cmd
	for _, block := range blocks.FindAllStringSubmatch(text, -1) {
		if block[1] != "console" {
			continue
		}
		for _, c := range commands(block[2]) {
			line := strings.ReplaceAll(c.line, "127.0.0.1:8081", address)
			if serves(line) {
				stop(t, server)
				server = serve(t, line, address)
				continue
			}
			out, err := shell(t.Context(), line, address).CombinedOutput()
			if err != nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%s: got %q, %v, want %q", c.line, out, err, c.want)
			}
		}
	}
	stop(t, server)
}

// A command is a line of a console block and what it prints.
type command struct{ line, want string }

func commands(block string) (all []command) {
	for line := range strings.Lines(block) {
		if rest, ok := strings.CutPrefix(line, "$ "); ok {
			rest, _, _ = strings.Cut(rest, "  #")
			all = append(all, command{line: strings.TrimSpace(rest)})
		} else if len(all) > 0 {
			all[len(all)-1].want += line
		}
	}
	for i := range all {
		all[i].want = strings.TrimSpace(all[i].want)
	}
	return all
}

func serves(line string) bool { return line == "make run" || strings.Contains(line, "yimmo-host run ") }

// serve starts a command that serves and waits until it does.
func serve(t *testing.T, line, address string) *exec.Cmd {
	t.Helper()
	cmd := shell(t.Context(), line, address)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return cmd
		}
		select {
		case err := <-ended:
			t.Fatalf("%s: ended with %v: %s", line, err, &out)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s: does not serve", line)
	return nil
}

// stop asks a command and all it started to end, and waits for the port.
func stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if cmd == nil {
		return
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	for end := time.Now().Add(time.Minute); syscall.Kill(-cmd.Process.Pid, 0) == nil; {
		if time.Now().After(end) {
			t.Fatalf("%s: does not end", cmd)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func shell(ctx context.Context, line, address string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env = append(os.Environ(), "YIMMO_LISTEN="+address)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Every Go block of the README is a plugin that compiles.
func TestREADMECode(t *testing.T) {
	sdk, err := filepath.Abs("guest-sdk/go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range blocks.FindAllStringSubmatch(read(t, "README.md"), -1) {
		if block[1] != "go" {
			continue
		}
		found++
		dir := t.TempDir()
		write(t, filepath.Join(dir, "main.go"), block[2])
		write(t, filepath.Join(dir, "go.mod"), "module readme\n\ngo 1.26.0\n\n"+
			"require github.com/yimmo-host/yimmo-host/guest-sdk/go v0.0.0\n\n"+
			"replace github.com/yimmo-host/yimmo-host/guest-sdk/go => "+sdk+"\n")
		cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", os.DevNull, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	if found == 0 {
		t.Error("no Go block found")
	}
}

// Every file that the README points to is there.
func TestREADMELinks(t *testing.T) {
	for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(read(t, "README.md"), -1) {
		if _, err := os.Stat(m[1]); err != nil && !strings.Contains(m[1], "://") {
			t.Error(err)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
