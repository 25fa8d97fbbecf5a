package host_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi/abitest"
	"github.com/yimmo-host/yimmo-host/host"
)

// TestConformance runs the kit of the contract against this host over real
// sockets, once for each transport, with one server for each case.
func TestConformance(t *testing.T) {
	waits(t)
	cache := t.TempDir()
	for _, transport := range []string{host.TransportAuto, host.TransportStream} {
		t.Run(transport, func(t *testing.T) {
			waits(t)
			abitest.Run(t, func(t *testing.T, p abitest.Plugin) (*abitest.Server, error) {
				recovery := host.RecoveryRollback
				if p.Fails {
					recovery = host.RecoveryFail
				}
				return serveKit(t, host.Config{
					Listen:    "127.0.0.1:0",
					CacheDir:  cache,
					Transport: transport,
					Log:       slog.New(slog.DiscardHandler),
					Plugins: []host.Plugin{{
						Name: "kit", Module: p.Module, Route: "/", Origins: []string{"*"}, Memory: 16 << 20, Config: p.Config, Recovery: recovery,
					}},
					Limits: host.Limits{
						Turn: 500 * time.Millisecond, Start: time.Second, Answer: 5 * time.Second, CloseTime: 4 * time.Second, Drain: 5 * time.Second,
					},
				})
			})
		})
	}
}

func serveKit(t *testing.T, c host.Config) (*abitest.Server, error) {
	h, err := host.New(context.Background(), c)
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	return &abitest.Server{URL: "http://" + h.Addr().String(), Stop: func() {
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	}}, nil
}
