//go:build unix

package c_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var blocks = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every command of the README works, from the root of the repository, on a port of
// the test's own. The one that serves ends with the test.
func TestREADMECommands(t *testing.T) {
	t.Parallel()
	if err := watchSources(); err != nil {
		t.Fatal(err)
	}
	build := t.TempDir()
	var address string // of the one that serves
	var server *exec.Cmd
	defer func() { stop(t, server) }()
	for _, block := range blocks.FindAllStringSubmatch(readme(t), -1) {
		if block[1] != "console" {
			continue
		}
		for line := range strings.Lines(block[2]) {
			line, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				continue
			}
			if strings.Contains(line, "--target=wasm32-wasi") {
				if err := haveWASI(); err != nil {
					t.Fatal(err)
				}
				line = strings.ReplaceAll(line, " program.c", " guest-sdk/c/test/programs/totals.c")
				line = strings.ReplaceAll(line, " program.wasm", " guest-sdk/c/build/program.wasm")
			}
			line, _, _ = strings.Cut(line, "  #")
			line = strings.ReplaceAll(strings.TrimSpace(line), "127.0.0.1:8081", address)
			line = strings.ReplaceAll(line, "guest-sdk/c/build", build)
			cmd := exec.Command("sh", "-c", line)
			cmd.Dir = filepath.Join("..", "..")
			cmd.Env = append(os.Environ(), "YIMMO_LISTEN=127.0.0.1:0")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if strings.Contains(line, "yimmo-host run ") {
				server = cmd
				address = serve(t, cmd)
				continue
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			if strings.Contains(line, "yimmo-host say ") && !strings.Contains(string(out), "< Hello!\n< hi\n") {
				t.Errorf("%s: got %q", line, out)
			}
		}
	}
}

// serve starts a server and returns the address that its log tells.
func serve(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(log); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if at := regexp.MustCompile(`msg=listening addr=(\S+)`).FindStringSubmatch(lines.Text()); at != nil {
			go func() {
				io.Copy(io.Discard, log)
				cmd.Wait() // or it would never be gone
			}()
			return at[1]
		}
	}
	t.Fatalf("%s: ended with %v: %s", cmd, cmd.Wait(), &said)
	return ""
}

func stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if cmd == nil || cmd.Process == nil {
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

// Every block of C is a plugin that compiles.
func TestREADMECode(t *testing.T) {
	t.Parallel()
	found := 0
	for _, block := range blocks.FindAllStringSubmatch(readme(t), -1) {
		if block[1] == "c" {
			found++
			d := begin(t, plugin(t, source(t, block[2])), options{})
			d.connect(1)
			d.text(1, "x")
			d.turn()
			d.want(`send 1 81 "Hello!"`, `send 1 81 "x"`)
		}
	}
	if found == 0 {
		t.Error("no code found")
	}
}

// The build line of the README is that of yimmo.mk.
func TestREADMEBuildLine(t *testing.T) {
	t.Parallel()
	line, err := flags()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range line {
		f = strings.ReplaceAll(f, "./include", "guest-sdk/c/include")
		f, _, _ = strings.Cut(f, ",-z,") // programs have a larger stack
		if !strings.Contains(readme(t), " "+f) && f != "clang" {
			t.Errorf("README.md: the build line has no %s", f)
		}
	}
}

// The table of statuses is what happens.
func TestStatusTable(t *testing.T) {
	t.Parallel()
	header, err := os.ReadFile("include/libc/errno.h")
	if err != nil {
		t.Fatal(err)
	}
	number := func(name string) int {
		m := regexp.MustCompile(`#define ` + name + ` (\w+)`).FindSubmatch(header)
		if m == nil {
			t.Fatalf("errno.h has no %s", name)
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			m = regexp.MustCompile(`#define ` + string(m[1]) + ` (\d+)`).FindSubmatch(header)
			n, _ = strconv.Atoi(string(m[1]))
		}
		return n
	}
	d := begin(t, program(t, "statuses"), options{})
	row := regexp.MustCompile(`(?m)^\| (.*) \| (\d{4}) \| (\d{3}) \|$`)
	id, seen := uint64(0), 0
	for _, r := range row.FindAllStringSubmatch(readme(t), -1) {
		names := regexp.MustCompile("`(E\\w+)`").FindAllStringSubmatch(r[1], -1)
		numbers := []int{5, 200} // every other
		if names != nil {
			numbers = nil
		}
		for _, n := range names {
			numbers = append(numbers, number(n[1]))
		}
		for _, n := range numbers {
			seen++
			id++
			d.connect(id)
			d.text(id, fmt.Sprint(n))
			d.turn()
			d.want(fmt.Sprintf("close %d %s", id, r[2]))
			id++
			d.connect(id)
			d.text(id, fmt.Sprintf("c%d", n))
			id++
			d.connect(id)
			d.turn()
			d.want(fmt.Sprintf("refuse %d %s", id, r[3]))
		}
	}
	if seen < 25 {
		t.Errorf("found %d statuses", seen)
	}
}
