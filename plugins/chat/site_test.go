package main

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/plugins/internal/page/pagetest"
	"github.com/yimmo-host/yimmo-host/plugins/plugintest"
)

func TestPage(t *testing.T) {
	for _, address := range []string{"/chat/lobby", "/lobby", "/far/away/Room_1"} {
		t.Run(address, func(t *testing.T) { pagetest.Check(t, newChat, address) })
	}
}

func TestHTTP(t *testing.T) {
	plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
		if a := g.HTTP(guesttest.Request{Path: "/chat/"}); a.Status != 302 || a.Header("location") != "lobby" {
			t.Errorf("/chat/: got %d to %q, want 302 to lobby", a.Status, a.Header("location"))
		}
		for _, path := range []string{"/chat/a.b", "/chat/index.html", "/favicon.ico", "/chat/%2e%2e"} {
			if a := g.HTTP(guesttest.Request{Path: path}); a.Status != 404 || a.Body != noRoom {
				t.Errorf("%s: got %d %q, want 404", path, a.Status, a.Body)
			}
		}
	})
}
