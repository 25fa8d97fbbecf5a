// Command chat is a plugin with rooms: the last part of the path names one, so
// under the route /chat/ everybody at /chat/lobby talks to everybody else there.
// Its page is at the same address. A room is there as long as somebody is in it.
//
// Messages are JSON text. From a peer, an object of one string:
//
//	{"nick":"Ada"}    first, unless the address says ?nick=Ada; later, a new name
//	{"text":"hello"}  to everybody in the room, the sender too
//
// From the plugin, with times in milliseconds since 1970:
//
//	{"type":"welcome","room":"lobby","nick":"Ada","people":["Ada"],"history":[...],"limits":{"nick":32,"text":2000}}
//	{"type":"message","time":0,"nick":"Ada","text":"hello"}  and so each entry of history
//	{"type":"join","time":0,"nick":"Ada"}                    with "resumed":"true" nobody need be told
//	{"type":"rename","time":0,"nick":"Ada","to":"Eve"}
//	{"type":"leave","time":0,"nick":"Ada"}
//	{"type":"error","text":"..."}                            to the one who caused it
//
// Two people of one room have different names: who asks for one that is taken
// becomes "Ada-2". Close code 4001 says that a name cannot be one, 4002 that the
// room is full.
//
// Configuration: history, how many messages a newcomer is shown, default 50;
// nick and text, the longest of each in characters, default 32 and 2000; people,
// the most in one room, default 500. Rooms live in one instance: lanes is 1.
package main

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/plugins/internal/page"
)

// Close codes of this plugin.
const (
	closeNick = 4001 // the name in the address cannot be one
	closeFull = 4002
)

// chat is the plugin.
type chat struct {
	history, nick, text, people int // limits, see above

	rooms   map[string]*room
	members map[uint64]*member // by session
	kept    int                // bytes of history of all rooms
	site    *page.Site
}

// A member is a session: somebody in a room, or who has not said who they are.
type member struct {
	session guest.Session
	address string // name of the room asked for
	nick    string
	room    *room // nil until there is a name
}

// Start reads the configuration.
func (c *chat) Start(cfg guest.Config) error {
	if cfg.Lanes() > 1 {
		return errors.New("configuration: lanes: " + strconv.Itoa(cfg.Lanes()) + ": rooms live in one instance, set it to 1")
	}
	err := errors.Join(
		limit(cfg, "history", &c.history, 50, 0, 1000),
		limit(cfg, "nick", &c.nick, 32, 1, 100),
		limit(cfg, "text", &c.text, 2000, 1, 20_000),
		limit(cfg, "people", &c.people, 500, 1, 5000),
	)
	c.rooms, c.members = map[string]*room{}, map[uint64]*member{}
	c.site = newSite(cfg.Version())
	return err
}

func limit(cfg guest.Config, key string, n *int, def, least, most int) (err error) {
	if *n, err = cfg.Int(key, def); err == nil && (*n < least || *n > most) {
		err = errors.New("configuration: " + key + ": " + strconv.Itoa(*n) + ": want " +
			strconv.Itoa(least) + " to " + strconv.Itoa(most))
	}
	return err
}

// Connect lets in who has a name and notes who has not.
func (c *chat) Connect(s guest.Session) error {
	req := s.Request()
	name, ok := roomOf(req.Path())
	if !ok {
		return &guest.StatusError{Status: 404, Body: noRoom}
	}
	m := &member{session: s, address: name}
	c.members[s.ID()] = m
	nick, ok := parameter(req.Query(), "nick")
	if !ok && !s.Resumed() {
		return nil
	}
	if nick, ok = c.clean(nick); !ok && !s.Resumed() {
		return &guest.CloseError{Code: closeNick, Reason: c.badNick()}
	}
	if !ok {
		nick = "guest" // whose name went with the instance that knew it
	}
	return c.join(m, nick, s.Resumed())
}

// Recv takes one message, of text: it is whole.
func (c *chat) Recv(s guest.Session, flags guest.Flags, data []byte) error {
	const longest = len(`\uffff\uffff`) // of one character in JSON
	m := c.members[s.ID()]
	switch {
	case m == nil:
		return nil
	case flags != guest.Text:
		return &guest.CloseError{Code: guest.CloseUnsupported, Reason: "text messages only"}
	case len(data) > max(c.nick, c.text)*longest+100:
		return &guest.CloseError{Code: guest.CloseTooBig, Reason: "message too long"}
	}
	key, value, ok := pair(data)
	switch {
	case ok && key == "nick":
		return c.name(m, value)
	case ok && key == "text":
		return c.say(m, value)
	}
	return m.complain(`want {"text":"..."} or {"nick":"..."}`)
}

// Close takes the session out of its room.
func (c *chat) Close(s guest.Session, _ uint16, _ string) {
	m := c.members[s.ID()]
	delete(c.members, s.ID())
	if m != nil && m.room != nil {
		c.leave(m)
	}
}

// name gives a member the first name or another one.
func (c *chat) name(m *member, nick string) error {
	nick, ok := c.clean(nick)
	switch {
	case !ok:
		return m.complain(c.badNick())
	case m.room == nil:
		return c.join(m, nick, false)
	}
	return m.room.rename(m, nick)
}

// say publishes what a member has to say.
func (c *chat) say(m *member, text string) error {
	text = strings.TrimSpace(text)
	n := utf8.RuneCountInString(text)
	switch {
	case m.room == nil:
		return m.complain(`say who you are first: {"nick":"..."}`)
	case n == 0:
		return nil
	case n > c.text:
		return m.complain(strconv.Itoa(n) + " characters are too many, at most " + strconv.Itoa(c.text))
	}
	entry := event("message", now(), "nick", m.nick, "text", text)
	c.keep(m.room, entry)
	return m.room.publish(entry)
}

// complain tells a member, and nobody else, what went wrong.
func (m *member) complain(text string) error {
	return m.session.Send(guest.Text, event("error", 0, "text", text))
}

// clean returns the name that somebody wants to have, without space around it,
// and tells whether it can be one.
func (c *chat) clean(nick string) (string, bool) {
	nick = strings.TrimSpace(nick)
	n := 0
	for _, r := range nick {
		if n++; !strconv.IsPrint(r) || n > c.nick {
			return "", false
		}
	}
	return nick, n > 0
}

func (c *chat) badNick() string {
	return "a name has 1 to " + strconv.Itoa(c.nick) + " printable characters"
}

func now() int64 { return guest.Now().UnixMilli() }
