package browser_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scriptTime only ends what would never end.
const scriptTime = 3 * time.Minute

// What people see, and what the page of a plugin must be able to do.
func TestPages(t *testing.T) {
	tools := findTools(t)
	s := startServer(t)
	for _, script := range []string{"echo", "chat", "names", "reconnect", "ticker"} {
		t.Run(script, func(t *testing.T) { run(t, tools, s, script) })
	}
}

// run runs testdata/SCRIPT.mjs, which fails by its exit code. Its lines "host:
// stop" and "host: start" are carried out and answered with a line each; the rest
// of what it says is logged.
func run(t *testing.T, tools tools, s *server, script string) {
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, tools.node, filepath.Join("testdata", script+".mjs"))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it ends its browser too
	cmd.WaitDelay = 10 * time.Second
	home := scratch(t)
	cmd.Env = append(os.Environ(), "BASE=http://"+s.cfg.Listen, "CHROMIUM="+tools.chromium,
		"SHOTS="+t.ArtifactDir(), "HOME="+home, "TMPDIR="+home, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=")
	out, answer := pipes(t, cmd)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch lines.Text() {
		case "host: stop":
			s.stop(t)
		case "host: start":
			s.start(t)
		default:
			t.Log(lines.Text())
			continue
		}
		io.WriteString(answer, "done\n")
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s.mjs: %v\n%s", script, err, stderr.String())
	}
}

func pipes(t *testing.T, cmd *exec.Cmd) (out io.Reader, in io.Writer) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err = cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	return out, in
}

// scratch is a directory for the browser's profile. Unlike t.TempDir it may still
// be written to by a helper of the browser when the test is over.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
