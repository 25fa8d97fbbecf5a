// Command baseline is what the server is compared with: an echo and a broadcast
// in plain Go on gorilla/websocket, written as most programs are, with the
// library's defaults, no plugin and no sandbox.
//
//	baseline -listen 127.0.0.1:9001
//
// What a connection on /broadcast says goes to all others there, prepared once.
// Every other path echoes. It checks no origin: keep it on loopback.
package main

import (
	"flag"
	"log"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9001", "`address` to listen on")
	flag.Parse()
	http.HandleFunc("/", serve(echo))
	http.HandleFunc("/broadcast", serve((&room{members: map[*websocket.Conn]bool{}}).visit))
	log.Fatal(http.ListenAndServe(*listen, nil))
}

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func serve(talk func(*websocket.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		talk(c)
	}
}

func echo(c *websocket.Conn) {
	for {
		kind, data, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// room is the connections that hear each other.
type room struct {
	mu      sync.Mutex // held while writing: a connection has one writer at a time
	members map[*websocket.Conn]bool
}

func (r *room) visit(c *websocket.Conn) {
	r.mu.Lock()
	r.members[c] = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.members, c)
		r.mu.Unlock()
	}()
	for {
		kind, data, err := c.ReadMessage()
		if err != nil || r.tell(c, kind, data) != nil {
			return
		}
	}
}

// tell writes a message to all but its sender. Who cannot be written to is
// noticed by the goroutine that reads from it.
func (r *room) tell(from *websocket.Conn, kind int, data []byte) error {
	m, err := websocket.NewPreparedMessage(kind, data)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.members {
		if c != from {
			_ = c.WritePreparedMessage(m)
		}
	}
	return nil
}
