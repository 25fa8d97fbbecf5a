// Package test judges the echo in C by what the one in Go is judged by. It lies in a
// folder of its own because Go packages must not hold C files.
package test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	host "github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/plugins/internal/echotest"
)

// code is the plugin, built with its makefile and compiled to machine code once.
var code = sync.OnceValues(func() (*host.Code, error) {
	wasm, err := build()
	if err != nil {
		return nil, err
	}
	engine, err := host.NewEngine(host.CacheOff, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return engine.Compile(context.Background(), "echo-c", wasm)
})

func build() ([]byte, error) {
	dir, err := os.MkdirTemp("", "echo-c-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "echo.wasm")
	out, err := exec.Command("make", "-s", "-C", "..", "OUT="+file).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("make: %w\n%s\nthis needs clang and wasm-ld; on Debian: apt-get install clang lld make", err, out)
	}
	return os.ReadFile(file)
}

// machine is an instance as [guesttest.Guest] wants it.
type machine struct {
	*host.Instance
	t testing.TB
}

func (m *machine) Features() guest.Feature { return guest.Feature(m.Instance.Features()) }

func (m *machine) Turn(first, n int, h guesttest.Header) (commands, consumed int, more bool, err error) {
	return m.Instance.Turn(first, n, host.Header(h))
}

func (m *machine) Close() {
	if err := m.Instance.Close(); err != nil {
		m.t.Errorf("close: %v", err)
	}
}

// run runs the test with an instance of the usual size and with one of the smallest.
func run(t *testing.T, test func(t *testing.T, g *guesttest.Guest)) {
	t.Helper()
	for _, o := range []host.Options{{}, {Rings: abi.MinRing, Area: abi.MinArea}} {
		t.Run(fmt.Sprintf("rings %d", o.Rings), func(t *testing.T) {
			c, err := code()
			if err != nil {
				t.Fatal(err)
			}
			o.Offered = abi.Feature(guesttest.Offered)
			o.TurnTime, o.StartTime = time.Minute, time.Minute
			i, err := c.Start(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			test(t, guesttest.New(t, &machine{i, t}))
		})
	}
}

func TestEcho(t *testing.T) { echotest.Run(t, run) }
