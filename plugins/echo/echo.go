// Command echo is the smallest useful plugin: it greets, then sends back every
// frame as it came. The key "greeting" of its configuration is what it says
// first, "Hello!" unless set; empty means nothing.
package main

import (
	"strconv"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
)

type echo struct{ greeting string }

func (e *echo) Start(cfg guest.Config) error {
	e.greeting = cfg.String("greeting", "Hello!")
	return nil
}

func (e *echo) Connect(s guest.Session) error {
	s.Log(guest.LevelInfo, "open")
	if e.greeting == "" || s.Resumed() {
		return nil
	}
	return s.SendText(e.greeting)
}

func (e *echo) Recv(s guest.Session, flags guest.Flags, data []byte) error {
	return s.Send(flags, data)
}

func (e *echo) Close(s guest.Session, code uint16, reason string) {
	s.Log(guest.LevelInfo, "closed "+strconv.Itoa(int(code)))
}

func (e *echo) HTTP(req *guest.Request, resp *guest.Response) error {
	resp.Header("content-type", "text/plain")
	_, err := resp.WriteString("OK")
	return err
}
