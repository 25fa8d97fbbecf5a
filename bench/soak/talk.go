package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/yimmo-host/yimmo-host/bench/internal/client"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// talk sends messages on a session, and waits for each to come back.
func (c *crowd) talk(plugin string, messages int) error {
	conn, err := c.open(plugin, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	for range messages {
		if c.done() {
			break
		}
		f := rawws.Frame{Flags: 0x81, Payload: c.text()}
		began := time.Now()
		if err := conn.Send(f.Flags, f.Payload); err != nil {
			return err
		}
		if err := want(conn, f); err != nil {
			return err
		}
		c.trips.Add(time.Since(began))
		c.messages.Add(1)
		c.wait(100 * time.Millisecond)
	}
	return leave(conn)
}

// talkPacked is talk with a client that compresses.
func (c *crowd) talkPacked() error {
	dialer := websocket.Dialer{EnableCompression: true, HandshakeTimeout: client.Patience}
	conn, a, err := dialer.Dial("ws://"+c.addr+"/packed", http.Header{})
	if err != nil {
		return fmt.Errorf("open packed: %w", err)
	}
	defer conn.Close()
	c.opened["packed"].Add(1)
	if ext := a.Header.Get("Sec-WebSocket-Extensions"); !strings.Contains(ext, "permessage-deflate") {
		return fmt.Errorf("extensions %q, want permessage-deflate", ext)
	}
	say := []string{"Hello!"} // the plugin's greeting
	for range 100 {
		if c.done() {
			break
		}
		text := strings.Repeat(c.text(), 1+c.rand.IntN(3))
		if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			return err
		}
		conn.SetReadDeadline(time.Now().Add(client.Patience))
		for _, want := range append(say, text) {
			if _, got, err := conn.ReadMessage(); err != nil || string(got) != want {
				return fmt.Errorf("got %d bytes %.40q, %v, want %d bytes %.40q", len(got), got, err, len(want), want)
			}
		}
		say = nil
		c.messages.Add(1)
		c.wait(100 * time.Millisecond)
	}
	return leavePacked(conn)
}

func leavePacked(conn *websocket.Conn) error {
	if err := conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "")); err != nil {
		return err
	}
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, 1000) {
				return fmt.Errorf("end: %w", err)
			}
			return nil
		}
	}
}

// room has a few people in a room of their own. One after the other says something,
// which all hear, and now and then one leaves and another one comes.
func (c *crowd) room() error {
	var people []*rawws.Conn
	defer func() {
		for _, p := range people {
			p.Close()
		}
	}()
	for said := 0; said < 200 && !c.done(); said++ {
		if said%20 == 0 && len(people) == 5 {
			if err := leave(people[0]); err != nil {
				return err
			}
			people = people[1:]
		}
		for len(people) < 5 {
			p, err := c.open("chat", fmt.Sprintf("/room%d?nick=somebody", c.n))
			if err != nil {
				return err
			}
			people = append(people, p)
			if err := hear(p, `"type":"welcome"`, `"type":"message"`); err != nil {
				return err
			}
		}
		text := strings.TrimSpace(fmt.Sprintf("%d %.100s", said, c.text()))
		if err := people[said%len(people)].Send(0x81, fmt.Sprintf(`{"text":%q}`, text)); err != nil {
			return err
		}
		for _, p := range people {
			if err := hear(p, fmt.Sprintf(`"text":%q}`, text), `"type":"message"`); err != nil {
				return err
			}
			c.messages.Add(1)
		}
		c.wait(200 * time.Millisecond)
	}
	for _, p := range people {
		if err := leave(p); err != nil {
			return err
		}
	}
	return nil
}

// hear reads past what is of no interest here, until what has to come.
func hear(p *rawws.Conn, wanted, never string) error {
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return err
		}
		if strings.Contains(f.Payload, wanted) {
			return nil
		}
		if f.Flags != 0x81 || strings.Contains(f.Payload, never) {
			return fmt.Errorf("got %v, want %s", f, wanted)
		}
	}
}
