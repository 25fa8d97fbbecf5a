package clients_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// clientTime only ends what would never end.
const clientTime = 2 * time.Minute

// serve starts a host with the echo plugin, which greets and may compress, and
// returns its address.
func serve(t *testing.T, transport string) string {
	t.Helper()
	wasm, err := testguest.Go("../echo")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h, err := host.New(t.Context(), host.Config{
		Listen: "127.0.0.1:0", CacheDir: testguest.CacheDir(), Transport: transport, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Plugins: []host.Plugin{{Name: "echo", Module: wasm}}, Compression: host.Compression{Enabled: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	t.Cleanup(func() {
		if err := h.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the host:\n%s", log.String())
		}
	})
	return h.Addr().String()
}

// run runs a program against a host for each transport. It fails by its exit code.
func run(t *testing.T, program string, args ...string) {
	for _, transport := range []string{host.TransportAuto, host.TransportStream} {
		t.Run(transport, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), clientTime)
			defer cancel()
			cmd := exec.CommandContext(ctx, program, args...)
			cmd.Env = append(os.Environ(), "URL=ws://"+serve(t, transport)+"/echo", "PYTHONDONTWRITEBYTECODE=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
			}
		})
	}
}

func TestWS(t *testing.T) { run(t, node(t, "ws"), "testdata/ws.mjs") }

func TestUndici(t *testing.T) { run(t, node(t, "undici"), "testdata/undici.mjs") }

func TestPython(t *testing.T) { run(t, python(t), "testdata/talk.py") }

func TestK6(t *testing.T) { run(t, k6(t), "run", "--quiet", "--no-usage-report", "testdata/k6.js") }

// Every way in which curl can ask, and what it says it got.
func TestCurl(t *testing.T) {
	curl := curl(t)
	addr := serve(t, host.TransportAuto)
	url := "http://" + addr + "/echo"
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, bytes.Repeat([]byte("x"), 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	upgrade := []string{"--max-time", "1", "--no-buffer", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket",
		"-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	const ended, late = 0, 28 // exit codes; an open session is waited for in vain
	tests := []struct {
		name string
		args []string
		want string // version, status, and what the body begins with
		exit int
	}{
		{"get", []string{url}, "1.1 200 OK", ended},
		{"1.0", []string{"--http1.0", url}, "1 200 OK", ended},
		{"1.0, keep-alive", []string{"--http1.0", "-H", "Connection: keep-alive", url, "--next", "--http1.0", url}, "1 200 OK", ended},
		{"head", []string{"--head", url}, "1.1 200 HTTP/1.1 200 OK", ended},
		{"h2c", []string{"--http2", url}, "1.1 200 OK", ended},
		{"post", []string{"--data", "hello", url}, "1.1 200 OK", ended},
		{"chunked", []string{"--data", "hello", "-H", "Transfer-Encoding: chunked", url}, "1.1 200 OK", ended},
		{"too large, 100-continue", []string{"--data-binary", "@" + large, "-H", "Expect: 100-continue", url}, "1.1 413 the body is larger", ended},
		{"another path", []string{"http://" + addr + "/elsewhere"}, "1.1 404 ", ended},
		{"upgrade", append(upgrade, url), "1.1 101 \x81\x06Hello!", late},
		{"upgrade by 1.0", append(upgrade, "--http1.0", url), "1 400 a WebSocket handshake needs HTTP/1.1", ended},
		{"upgrade by post", append(upgrade, "--data", "hello", url), "1.1 405 a WebSocket handshake is a GET request", ended},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			cmd := exec.Command(curl, append([]string{"--silent", "--http1.1", "--noproxy", "*", "--write-out", "%{stderr}%{http_version} %{http_code} "}, tt.args...)...)
			var body bytes.Buffer
			cmd.Stdout, cmd.Stderr = &body, &out
			err := cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != tt.exit {
				t.Errorf("exit code: got %d, %v, want %d", got, err, tt.exit)
			}
			if got := out.String() + body.String(); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %.80q, want %q", got, tt.want)
			}
		})
	}
}

// A tool that is missing fails the tests that need it, and says how to get it.

func node(t *testing.T, module string) string {
	t.Helper()
	found, err := exec.LookPath("node")
	if err != nil {
		missing(t, "Node.js", "apt-get install nodejs npm")
	}
	if _, err := os.Stat(filepath.Join("node_modules", module)); err != nil {
		missing(t, "npm package "+module, "npm ci --prefix plugins/clients")
	}
	return found
}

var pythons = sync.OnceValue(func() string {
	for _, name := range []string{os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		if file, err := exec.LookPath(name); err == nil && exec.Command(file, "-c", "import websockets").Run() == nil {
			return file
		}
	}
	return ""
})

func python(t *testing.T) string {
	t.Helper()
	if pythons() == "" {
		missing(t, "Python with websockets", "apt-get install python3-websockets")
	}
	return pythons()
}

func curl(t *testing.T) string {
	t.Helper()
	found, err := exec.LookPath("curl")
	if err != nil {
		missing(t, "curl", "apt-get install curl")
	}
	return found
}

func k6(t *testing.T) string {
	t.Helper()
	for _, name := range []string{filepath.Join("bin", "k6"), "k6"} {
		if file, err := exec.LookPath(name); err == nil {
			if file, err = filepath.Abs(file); err == nil {
				return file
			}
		}
	}
	missing(t, "k6", "go install go.k6.io/k6@v1.8.1")
	return ""
}

func missing(t *testing.T, what, remedy string) {
	t.Helper()
	t.Fatalf("no %s: install it with: make tools, or: %s", what, remedy)
}
