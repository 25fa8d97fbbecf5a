package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
)

// A room is where everybody hears everybody. Its name is the topic that its
// members are subscribed to: the host sends each message to all of them.
type room struct {
	name    string
	people  []*member          // in the order they came
	names   map[string]*member // by name in lower case
	history [][]byte           // messages as they were published, the oldest first
	bytes   int                // of history
}

// Bounds on history, in bytes. It goes to a newcomer in one message, and all of
// it has to fit the plugin's memory, whoever opens how many rooms.
const (
	maxHistory    = 256 << 10 // of one room
	maxAllHistory = 16 << 20
)

// join lets a member into its room, which is made if need be, and tells the
// others. resumed: they know, it was there before this instance was.
func (c *chat) join(m *member, nick string, resumed bool) error {
	r := c.rooms[m.address]
	if r == nil {
		r = &room{name: m.address, names: map[string]*member{}}
		c.rooms[r.name] = r
	}
	if len(r.people) >= c.people {
		return &guest.CloseError{Code: closeFull, Reason: "the room is full"}
	}
	m.room, m.nick = r, r.free(m, nick)
	r.people = append(r.people, m)
	r.names[strings.ToLower(m.nick)] = m
	m.session.Subscribe(r.name)
	members := []string{"nick", m.nick}
	if resumed {
		members = append(members, "resumed", "true")
	}
	if err := c.welcome(m); err != nil {
		return err
	}
	return m.session.Publish(r.name, guest.Text, event("join", now(), members...))
}

// welcome tells a newcomer where it is. History is sent from where it is kept.
func (c *chat) welcome(m *member) error {
	r := m.room
	names := make([]string, len(r.people))
	for i, p := range r.people {
		names[i] = p.nick
	}
	b := event("welcome", 0, "room", r.name, "nick", m.nick)
	b = appendStrings(append(b[:len(b)-1], `,"people":`...), names)
	b = append(b, `,"limits":{"nick":`...)
	b = strconv.AppendInt(b, int64(c.nick), 10)
	b = append(b, `,"text":`...)
	b = strconv.AppendInt(b, int64(c.text), 10)
	buckets := []guest.Bucket{guest.Ref(append(b, `},"history":[`...))}
	for i, entry := range r.history {
		if i > 0 {
			buckets = append(buckets, guest.RefString(","))
		}
		buckets = append(buckets, guest.Ref(entry))
	}
	return m.session.SendBuckets(guest.Text, append(buckets, guest.RefString("]}"))...)
}

// leave takes a member out of its room, and the room away with the last one.
func (c *chat) leave(m *member) {
	r := m.room
	r.people = slices.DeleteFunc(r.people, func(p *member) bool { return p == m })
	delete(r.names, strings.ToLower(m.nick))
	if len(r.people) == 0 {
		delete(c.rooms, r.name)
		c.kept -= r.bytes
		return
	}
	r.publish(event("leave", now(), "nick", m.nick))
}

// rename gives a member another name and tells everybody.
func (r *room) rename(m *member, nick string) error {
	nick = r.free(m, nick)
	if nick == m.nick {
		return nil
	}
	notice := event("rename", now(), "nick", m.nick, "to", nick)
	delete(r.names, strings.ToLower(m.nick))
	m.nick = nick
	r.names[strings.ToLower(nick)] = m
	return r.publish(notice)
}

// free is nick if nobody else in the room has it, else nick with a number.
func (r *room) free(m *member, nick string) string {
	name := nick
	for n := 2; ; n++ {
		if other := r.names[strings.ToLower(name)]; other == nil || other == m {
			return name
		}
		name = nick + "-" + strconv.Itoa(n)
	}
}

// publish sends b, which must not change any more, to everybody in the room.
func (r *room) publish(b []byte) error { return guest.Publish(r.name, guest.Text, b) }

// keep adds a message to the room's history, and drops the oldest that are too
// many.
func (c *chat) keep(r *room, entry []byte) {
	r.history = append(r.history, entry)
	r.bytes += len(entry)
	c.kept += len(entry)
	drop := 0
	for len(r.history)-drop > c.history || r.bytes > maxHistory || c.kept > maxAllHistory && drop < len(r.history) {
		r.bytes -= len(r.history[drop])
		c.kept -= len(r.history[drop])
		drop++
	}
	if drop > 0 {
		r.history = slices.Delete(r.history, 0, drop)
	}
}
