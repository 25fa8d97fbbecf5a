package host_test

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/leak"
)

// serveConfig is serve for a configuration that change has had a say in.
func serveConfig(t testing.TB, change func(c *host.Config), plugins ...host.Plugin) *server {
	t.Helper()
	leak.Check(t)
	log := newLogbook(t)
	c := config(log, host.Limits{}, plugins...)
	change(&c)
	h, err := host.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Host: h, addr: h.Addr().String(), log: log, served: make(chan error, 1)}
	go func() { s.served <- h.Serve() }()
	t.Cleanup(func() {
		if !s.over {
			s.stop(t, nil)
		}
	})
	return s
}
