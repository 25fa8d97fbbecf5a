package trace

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Difference is where an instance did something else than the one recorded.
type Difference struct {
	Call  uint64 // number of the call in the trace, from 1
	Turn  guest.Header
	What  string // in a few words: "command 2 of 3"
	Event string // the event that it comes from, "" = the call had none
	Sure  bool   // the event was found by giving the instance one event at a time

	// Recorded and Replayed are the two sides, a line each.
	Recorded, Replayed string
	Detail             string // more about where they differ; "" = nothing
	Redacted           bool   // the trace was: the guest has got other bytes than the one recorded

	events   []eventOf
	command  int    // index of the command that differs, -1 = none does
	session  uint64 // whom the command recorded was for
	trapped  bool   // in the replay
	first, n int
}

type eventOf struct {
	index int
	id    uint64
	text  string
}

// compare finds the first difference between a call and what was got for it.
func (p *player) compare(c *Call) *Difference {
	got := &p.got
	d := &Difference{Call: p.result.Calls, Turn: c.Turn, command: -1, Redacted: p.header.Redacted,
		trapped: got.trap != 0, first: c.First, n: c.N}
	d.Recorded = outcome(c.Trap, c.Text, c.Count, c.Consumed, c.N, c.More)
	d.Replayed = outcome(got.trap, got.text, got.count, got.consumed, c.N, got.more)
	switch {
	case c.Trap != got.trap:
		d.What = "outcome"
	case got.trap != 0:
		return nil
	case !p.sameCommands(c, d):
	case c.Consumed != got.consumed || c.More != got.more:
		d.What = "events consumed"
	default:
		return nil
	}
	p.describe(c, d)
	return d
}

// outcome says how a call ended.
func outcome(trap guest.Kind, text string, count, consumed, n int, more bool) string {
	if trap != 0 {
		return fmt.Sprintf("%v: %s", trap, oneLine(text))
	}
	left := ""
	if more {
		left = ", and more to come"
	}
	return fmt.Sprintf("%d commands, %d of %d events consumed%s", count, consumed, n, left)
}

// oneLine is the first line of a text.
func oneLine(text string) string {
	first, _, _ := bytes.Cut([]byte(text), []byte("\n"))
	return guest.Printable(string(first))
}

// sameCommands reports whether the commands are the same. If not it says in d
// what differs.
func (p *player) sameCommands(c *Call, d *Difference) bool {
	got := &p.got
	if c.Count == got.count && c.Digest == digest(got.commands, got.data, got.memory) {
		return true
	}
	if p.header.DigestsOnly || !c.Full {
		d.What = "commands, of which the trace has only the digest"
		if c.Count != got.count {
			d.What = "number of commands"
		}
		return false
	}
	replayed := Call{Count: got.count, Memory: got.memory, Commands: got.commands, Data: got.data}
	a, b := p.chosen(c), p.chosen(&replayed)
	for i := range max(len(a), len(b)) {
		var x, y *Command
		if i < len(a) {
			x = &a[i].Command
		}
		if i < len(b) {
			y = &b[i].Command
		}
		if x != nil && y != nil && equal(x, y) {
			continue
		}
		d.What = fmt.Sprintf("command %d of %d", i+1, len(a))
		if x == nil {
			d.What = fmt.Sprintf("command %d, of %d recorded", i+1, len(a))
		}
		d.Recorded, d.Replayed, d.Detail = sides(x, y)
		d.command = c.Count
		if y != nil {
			d.command = b[i].index
		}
		if x != nil {
			d.session = x.ID
		}
		return false
	}
	return true
}

// A numbered command knows its place in its call.
type numbered struct {
	Command
	index int
}

// chosen are the commands of a call that are compared.
func (p *player) chosen(c *Call) (all []numbered) {
	index, mine := 0, false
	for command := range c.AllCommands() {
		if command.Kind != abi.CommandPiece {
			mine = p.Session == 0 || concerns(&command, p.Session)
		}
		if mine {
			p.met = true
			all = append(all, numbered{command, index})
		}
		index++
	}
	return all
}

// concerns says whether a command is for a session.
func concerns(c *Command, session uint64) bool {
	if c.Kind == abi.CommandSendMany {
		ids, err := abi.ParseIDs(c.Payload)
		return err == nil && slices.Contains(slices.Collect(ids.All()), session)
	}
	return c.ID == session
}

// equal compares all of two commands but where their payloads lie.
func equal(a, b *Command) bool {
	x, y := a.Command, b.Command
	x.Addr, y.Addr = 0, 0
	return x == y && a.Missing == b.Missing && bytes.Equal(a.Payload, b.Payload)
}

// sides shows two commands of which one may be missing.
func sides(recorded, replayed *Command) (a, b, detail string) {
	const nothing = "nothing more"
	a, b = nothing, nothing
	if recorded != nil {
		a = CommandText(*recorded)
	}
	if replayed != nil {
		b = CommandText(*replayed)
	}
	if recorded == nil || replayed == nil {
		return a, b, ""
	}
	if x, y := recorded.Payload, replayed.Payload; !bytes.Equal(x, y) && (a == b || len(x) > quoted) {
		at := 0
		for at < min(len(x), len(y)) && x[at] == y[at] {
			at++
		}
		detail = fmt.Sprintf("payloads differ from byte %d on: %s, then %s", at, around(x, at), around(y, at))
	} else if a == b {
		detail = fmt.Sprintf("flags %#x, code %d, length %d, arg %#x; then flags %#x, code %d, length %d, arg %#x",
			recorded.Flags, recorded.Code, recorded.Len, recorded.Arg, replayed.Flags, replayed.Code, replayed.Len, replayed.Arg)
	}
	return a, b, detail
}

// around shows what p has where it begins to differ.
func around(p []byte, at int) string {
	from := max(0, at-8)
	text := quote(p[from:], 24)
	if from > 0 {
		text = "..." + text
	}
	return text
}

// describe notes the events of the call, and which of them it was if there is no
// doubt or only a guess.
func (p *player) describe(c *Call, d *Difference) {
	for e, payload := range c.AllEvents() {
		d.events = append(d.events, eventOf{c.First + len(d.events), e.ID, EventText(e, payload)})
	}
	for i := c.First; !c.Written && i < c.N; i++ { // those that a call before wrote
		e, _ := abi.ParseEvent(p.guest.Events()[i*abi.RecordSize:])
		payload, _ := (&abi.Command{Addr: e.Addr, Len: e.Len}).Range(p.guest.Memory())
		d.events = append(d.events, eventOf{i, e.ID, EventText(e, payload)})
	}
	if len(d.events) == 0 {
		return
	}
	guess := d.events[len(d.events)-1]
	for _, e := range d.events {
		if d.session != 0 && e.id == d.session {
			guess = e
		}
	}
	d.Event, d.Sure = guess.text, len(d.events) == 1
}

// locate finds the event that a difference comes from: a fresh instance gets the
// trace up to that call, and then its events one at a time. What fails on the way
// leaves the guess.
func (p *Player) locate(ctx context.Context, r io.ReadSeeker, result *Result) {
	d := result.Difference
	run := player{Player: p, ctx: ctx, before: d.Call}
	if run.open(r) != nil {
		return
	}
	defer run.close()
	if _, err := run.all(); err != nil || run.result.Calls+1 != d.Call {
		return
	}
	seen, calls := 0, 0
	for _, e := range d.events {
		for first, more := e.index, true; more; first = run.got.consumed {
			run.got.make(run.guest, first, e.index+1, d.Turn)
			seen += run.got.count
			calls++
			more = run.got.more && run.got.trap == 0 && calls < maxSteps
		}
		switch {
		case run.got.trap != 0 && d.trapped, seen > d.command && d.command >= 0:
			d.Event, d.Sure = e.text, true
			return
		case run.got.trap != 0 || run.got.consumed != e.index+1:
			return
		}
	}
}

// maxSteps bounds the calls that locate makes: a guest may ask for more without end.
const maxSteps = 1 << 16

// When is the time of the call on the wall clock.
func (d *Difference) When() time.Time { return time.Unix(0, d.Turn.Now).UTC() }
