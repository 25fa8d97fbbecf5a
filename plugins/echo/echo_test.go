package main

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/plugins/internal/echotest"
	"github.com/yimmo-host/yimmo-host/plugins/plugintest"
)

func newEcho() guest.Handler { return &echo{} }

func TestEcho(t *testing.T) {
	echotest.Run(t, func(t *testing.T, test func(t *testing.T, g *guesttest.Guest)) {
		plugintest.Run(t, newEcho, test)
	})
}

func BenchmarkEcho(b *testing.B) { plugintest.Benchmark(b, newEcho) }

// What the plugin once did it still does.
func TestTraces(t *testing.T) { plugintest.Traces(t) }
