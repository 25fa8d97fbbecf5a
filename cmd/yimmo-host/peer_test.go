package main

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/gorilla/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

// setUpServers gives each script a peer for say, $PEER and $TLSPEER, whose path
// says how it behaves.
func setUpServers(e *testscript.Env) error {
	plain, secure := httptest.NewServer(http.HandlerFunc(behave)), httptest.NewUnstartedServer(http.HandlerFunc(behave))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // one client is to refuse it
	secure.StartTLS()
	e.Defer(plain.Close)
	e.Defer(secure.Close)
	e.Setenv("PEER", "ws"+strings.TrimPrefix(plain.URL, "http"))
	e.Setenv("TLSPEER", "wss"+strings.TrimPrefix(secure.URL, "https"))
	e.Values[serverKey{}] = new(*server)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	return os.WriteFile(e.WorkDir+"/peer.pem", cert, 0o666)
}

func behave(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/refuse" {
		http.Error(w, "members only", http.StatusForbidden)
		return
	}
	conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	closeWith := func(code int, reason string) {
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
	}
	switch r.URL.Path {
	case "/greet":
		_ = conn.WriteMessage(websocket.TextMessage, []byte("Hello!"))
	case "/binary":
		_ = conn.WriteMessage(websocket.BinaryMessage, []byte("\x00\xff\x10"))
	case "/tricks":
		_ = conn.WriteMessage(websocket.TextMessage, []byte("a\x1b[2Jb\n"))
	}
	for {
		kind, data, err := conn.ReadMessage()
		switch {
		case err != nil:
			return
		case r.URL.Path == "/fail":
			closeWith(websocket.CloseInternalServerErr, "plugin failed")
			return
		case r.URL.Path == "/bye":
			closeWith(websocket.CloseNormalClosure, "")
			return
		case r.URL.Path == "/cut":
			return
		case r.URL.Path == "/silent":
			continue
		}
		if conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}
