package host_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// Connections come and go at once, so that descriptors are used again while what
// belonged to them is still under way: no session gets a byte of another.
func TestCloseStorm(t *testing.T) { eachTransport(t, testCloseStorm) }

func testCloseStorm(t *testing.T, on transport) {
	clients, lives := 16, 40
	if testing.Short() {
		clients = 4
	}
	s := on.serve(t, host.Limits{}, echo(t, ""))
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for life := range lives {
				if err := s.live(client, life); err != nil {
					t.Errorf("client %d, life %d: %v", client, life, err)
					return
				}
			}
		})
	}
	all.Wait()
	p := s.open(t, "/echo")
	p.text("after it")
	p.wantText("after it")
	p.leave()
}

// live is one connection of a client: it says more than it reads, and leaves in
// one way or another.
func (s *server) live(client, life int) error {
	c, err := rawws.Dial(s.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Patience = patience
	mine := fmt.Sprintf("client %d life %d ", client, life) + strings.Repeat("x", life%4*20000)
	const said = 8
	var out []byte
	for i := range said {
		out = rawws.AppendFrame(out, rawws.Frame{Flags: 0x81, Payload: fmt.Sprint(mine, i)})
	}
	if life%2 == 0 { // with the request
		if _, err := c.Upgrade("/echo", out); err != nil {
			return err
		}
	} else {
		if _, err := c.Upgrade("/echo", nil); err != nil {
			return err
		}
		if _, err := c.Write(out); err != nil {
			return err
		}
	}
	for i := range (client + life) % said {
		if f, err := c.ReadFrame(); err != nil || f.Payload != fmt.Sprint(mine, i) {
			return fmt.Errorf("frame %d: got %.60v, %v", i, f, err)
		}
	}
	switch life % 5 {
	case 0:
		return c.Reset()
	case 1: // with something unread
		return c.Send(0x81, "unread")
	case 2: // inside a frame
		_, err = c.Write([]byte{0x81, 0xfe})
		return err
	case 3:
		return c.Send(0x88, rawws.ClosePayload(1000, ""))
	}
	return nil
}
