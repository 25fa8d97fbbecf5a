package plugintest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	sdk "github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// Limits of time for a plugin under test: only to end what would never end.
const (
	turnTime  = time.Minute
	startTime = 2 * time.Minute
)

// code is the plugin of this test binary.
var code = sync.OnceValues(func() (*guest.Code, error) {
	wasm, err := testguest.Go(".")
	if err != nil {
		return nil, err
	}
	engine, err := guest.NewEngine(testguest.CacheDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return engine.Compile(context.Background(), "plugin under test", wasm)
})

// machine is an instance of a module as [guesttest.Guest] wants it.
type machine struct {
	*guest.Instance
	t     testing.TB
	words []string // what the running call wrote to standard error
}

func newMachine(t testing.TB, s guesttest.Sizes) guesttest.Machine {
	t.Helper()
	c, err := code()
	if err != nil {
		t.Fatalf("plugintest: %v", err)
	}
	m := &machine{t: t}
	m.Instance, err = c.Start(t.Context(), guest.Options{
		Rings: s.Events, Area: s.Area, Offered: abi.Feature(guesttest.Offered),
		TurnTime: turnTime, StartTime: startTime, Log: m.log,
		Boot: guest.Header(guesttest.Boot),
	})
	if err != nil {
		t.Fatalf("plugintest: %v", err)
	}
	return m
}

func (m *machine) log(level abi.Level, text string) {
	m.t.Logf("%v: %s", level, text)
	m.words = append(m.words, text)
}

// Features are those in force.
func (m *machine) Features() sdk.Feature { return sdk.Feature(m.Instance.Features()) }

// Turn runs one call. An error has the guest's last words: they say what a panic
// said, where the trap itself is only "unreachable".
func (m *machine) Turn(first, n int, h guesttest.Header) (commands, consumed int, more bool, err error) {
	m.words = m.words[:0]
	commands, consumed, more, err = m.Instance.Turn(first, n, guest.Header(h))
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, strings.Join(m.words, "\n"))
	}
	return commands, consumed, more, err
}

// Close ends the instance.
func (m *machine) Close() {
	if err := m.Instance.Close(); err != nil {
		m.t.Errorf("plugintest: close: %v", err)
	}
}
