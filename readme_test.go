//go:build unix

// Package yimmo_test holds the whole repository to what it says of itself.
package yimmo_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A block of README.md between fences.
type block struct{ language, text string }

func blocks(t *testing.T) (all []block) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(read(t, "README.md"), -1) {
		all = append(all, block{m[1], m[2]})
	}
	return all
}

// Everything in the README works in a fresh clone: a block whose first line
// names a file becomes that file, Go compiles to a plugin, and every command is
// run in its order, on a port of the test's own. What serves does so until the
// next that serves.
func TestREADME(t *testing.T) {
	c := newClone(t)
	seen := map[string]int{}
	for _, b := range blocks(t) {
		seen[b.language]++
		c.place(t, b.text)
		switch b.language {
		case "go":
			c.compile(t, b.text)
		case "console":
			for _, command := range commands(b.text) {
				c.run(t, command)
			}
		}
	}
	c.stop(t)
	if seen["go"] == 0 || seen["console"] == 0 {
		t.Errorf("README.md: got blocks %v, want some of Go and of commands", seen)
	}
}

// A clone is what git has of this tree, in a directory of its own.
type clone struct {
	dir     string
	address string
	server  *exec.Cmd
	said    *bytes.Buffer // by the server
}

func newClone(t *testing.T) *clone {
	t.Helper()
	c := &clone{dir: t.TempDir(), address: freeAddress(t)}
	for _, name := range tracked(t) {
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // removed, but not yet for git
		}
		if err != nil {
			t.Fatal(err)
		}
		c.write(t, name, string(text))
	}
	t.Cleanup(func() { c.stop(t) })
	return c
}

func (c *clone) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
}

// place writes a block to the file that its first line names, if it does.
func (c *clone) place(t *testing.T, text string) {
	t.Helper()
	if m := regexp.MustCompile(`\A(?://|#) (\S+\.\w+)\n`).FindStringSubmatch(text); m != nil {
		c.write(t, m[1], text)
	}
}

// compile makes a plugin of a Go block.
func (c *clone) compile(t *testing.T, text string) {
	t.Helper()
	c.write(t, "plugins/readme/main.go", text)
	cmd := c.shell("GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o " + os.DevNull + " ./plugins/readme")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, text)
	}
}

// A command is a line of a console block and what it prints.
type command struct{ line, want string }

func commands(text string) (all []command) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "$ "); ok {
			rest, _, _ = strings.Cut(rest, "  #")
			all = append(all, command{line: strings.TrimSpace(rest)})
		} else if len(all) > 0 {
			all[len(all)-1].want += line
		}
	}
	return all
}

func (c *clone) run(t *testing.T, cmd command) {
	t.Helper()
	if cmd.line == "make run" || strings.Contains(cmd.line, "yimmo-host run ") {
		c.stop(t)
		c.serve(t, cmd.line)
		return
	}
	var stderr bytes.Buffer
	shell := c.shell(cmd.line)
	shell.Stderr = &stderr
	out, err := shell.Output()
	if err != nil {
		t.Errorf("$ %s: %v\n%s%s", cmd.line, err, out, &stderr)
		return
	}
	if got := strings.TrimSpace(string(out)); cmd.want != "" && got != strings.TrimSpace(cmd.want) {
		t.Errorf("$ %s: got\n%s\nwant\n%s", cmd.line, got, cmd.want)
	}
}

// shell is a command as it is typed in the clone, in a process group of its own.
func (c *clone) shell(line string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(line, "127.0.0.1:8081", c.address))
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "YIMMO_LISTEN="+c.address)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// serve starts a command that serves and waits until it answers.
func (c *clone) serve(t *testing.T, line string) {
	t.Helper()
	c.server, c.said = c.shell(line), &bytes.Buffer{}
	said, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.server.Stdout, c.server.Stderr = w, w
	if err := c.server.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	ended := make(chan struct{}) // when nobody can say any more
	go func() {
		io.Copy(c.said, said)
		close(ended)
	}()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for begin := time.Now(); time.Since(begin) < 5*time.Minute; {
		if answer, err := client.Get("http://" + c.address); err == nil {
			answer.Body.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("$ %s: ended:\n%s", line, c.said)
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("$ %s: does not serve", line)
}

// stop ends the server and all that it started.
func (c *clone) stop(t *testing.T) {
	t.Helper()
	if c.server == nil {
		return
	}
	group := -c.server.Process.Pid
	syscall.Kill(group, syscall.SIGTERM)
	c.server.Wait()
	for begin := time.Now(); syscall.Kill(group, 0) == nil; <-time.After(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Errorf("%s: does not end", c.server)
			syscall.Kill(group, syscall.SIGKILL)
			break
		}
	}
	c.server = nil
}

// freeAddress has a port that nobody uses, and that the system gives nobody by itself:
// it is free again and again while servers come and go on it.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 20000+rand.IntN(10000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free between 20000 and 30000")
	return ""
}

// Every file that a document at the root points to is there, and every target
// of make that one names.
func TestDocumentsPointSomewhere(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, document := range []string{"README.md", "RATIONALE.md", "CONTRIBUTING.md"} {
		text := read(t, document)
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(m[1]); err != nil && !strings.Contains(m[1], "://") {
				t.Errorf("%s: %v", document, err)
			}
		}
		for _, m := range regexp.MustCompile("(?:`|\\$ )make (\\w+)").FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s: the Makefile has no target %q", document, m[1])
			}
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
