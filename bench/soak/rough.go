package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/bench/internal/client"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// visit opens a session, uses it once and ends it in any way there is.
func (c *crowd) visit() error {
	plugin := []string{"echo", "sins"}[c.rand.IntN(2)]
	conn, err := c.open(plugin, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	f := rawws.Frame{Flags: 0x82, Payload: c.text()}
	if err := conn.Send(f.Flags, f.Payload); err != nil {
		return err
	}
	if err := want(conn, f); err != nil {
		return err
	}
	c.messages.Add(1)
	switch c.rand.IntN(5) {
	case 0:
		return conn.Reset()
	case 1: // without a word
	case 2: // with something unread
		return conn.Send(0x81, "unread")
	case 3: // inside a frame
		_, err := conn.Write(rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: "cut"})[:7])
		return err
	case 4:
		return leave(conn)
	}
	return nil
}

// fail makes a plugin fail at a message, once.
func (c *crowd) fail() error {
	conn, err := c.open("sins", "")
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Send(0x81, []string{"!t", "!t", "!t", "!f", "!c", "!g", "!o"}[c.rand.IntN(7)]); err != nil {
		return err
	}
	return client.End(conn, 1011)
}

// readSlowly sends more than it reads for a while, and still gets everything.
func (c *crowd) readSlowly() error {
	conn, err := c.open("echo", "")
	if err != nil {
		return err
	}
	defer conn.Close()
	const messages = 200
	text := strings.Repeat(fmt.Sprint(" of client ", c.n), 3000)
	numbered := func(n int) rawws.Frame { return rawws.Frame{Flags: 0x82, Payload: fmt.Sprint(n, text)} }
	sent := make(chan error, 1)
	go func() {
		for n := range messages {
			g := numbered(n)
			if err := conn.Send(g.Flags, g.Payload); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for n := range messages {
		if err := want(conn, numbered(n)); err != nil {
			return err
		}
		c.messages.Add(1)
		c.wait(5 * time.Millisecond)
	}
	if err := <-sent; err != nil {
		return err
	}
	return leave(conn)
}

// readNothing sends until the host has had enough of a peer that does not read.
func (c *crowd) readNothing() error {
	conn, err := c.open("echo", "")
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetWriteDeadline(time.Now().Add(client.Patience))
	text := strings.Repeat("unread", 10_000)
	for {
		if err := conn.Send(0x82, text); err != nil {
			if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
				return fmt.Errorf("not cut after %v", client.Patience)
			}
			return nil
		}
	}
}
