// Package test judges the echo in C by what the one in Go is judged by. It lies in a
// folder of its own because Go packages must not hold C files.
package test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	host "github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
	"github.com/yimmo-host/yimmo-host/plugins/internal/echotest"
)

// code is the plugin, built with its makefile and compiled to machine code once.
var code = sync.OnceValues(func() (*host.Code, error) {
	wasm, err := testguest.C("..")
	if err != nil {
		return nil, err
	}
	engine, err := host.NewEngine(testguest.CacheDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return engine.Compile(context.Background(), "echo-c", wasm)
})

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
