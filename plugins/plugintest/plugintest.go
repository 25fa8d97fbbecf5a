// Package plugintest runs the test of a plugin twice: as ordinary Go, and as the
// module that a host would load. What holds for one and not for the other is a
// bug of the SDK, of the host, or of a plugin that depends on where it runs.
package plugintest

import (
	"testing"

	guest "github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

// Run runs test as subtest "native", with the handler that newHandler returns,
// and as subtest "wasm", with the package of the test's own directory built for
// wasip1; that must be package main and register an equal handler. Each has a
// guest of its own that nothing has happened to yet.
//
// The module is built once for each test binary, which takes the go command;
// without it the test fails. Neither half is ever skipped.
func Run(t *testing.T, newHandler func() guest.Handler, test func(t *testing.T, g *guesttest.Guest)) {
	t.Helper()
	run(t, guesttest.Sizes{}, newHandler, test)
}

// RunSmall is Run with the smallest rings and receive area that a guest may
// have: 16 events, 16 commands, 64 KiB.
func RunSmall(t *testing.T, newHandler func() guest.Handler, test func(t *testing.T, g *guesttest.Guest)) {
	t.Helper()
	run(t, guesttest.Sizes{Events: 16, Commands: 16, Area: 64 << 10}, newHandler, test)
}

func run(t *testing.T, s guesttest.Sizes, newHandler func() guest.Handler, test func(t *testing.T, g *guesttest.Guest)) {
	t.Helper()
	t.Run("native", func(t *testing.T) {
		test(t, guesttest.New(t, guesttest.NewNative(t, newHandler(), s)))
	})
	t.Run("wasm", func(t *testing.T) {
		test(t, guesttest.New(t, newMachine(t, s)))
	})
}
