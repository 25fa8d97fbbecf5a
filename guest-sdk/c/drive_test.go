package c_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A driver is a host without sockets: it puts events into the ring, runs turns
// and writes down the commands, one line each:
//
//	send 1 81 "Hello!"    refuse 1 403    log info 1 "open"
//
// Records it takes apart with package abi; that no byte of a command is outside
// memory, no brigade is parted and every call makes progress it checks.
type driver struct {
	t      testing.TB
	i      *guest.Instance
	header guest.Header
	said   []string
	logs   []string
	queue  []queued
	calls  int
	err    error // of the last turn, once one failed
	timers map[uint64]int64
}

type queued struct {
	e       abi.Event
	payload []byte
}

const allFeatures = abi.FeatureHTTP | abi.FeatureHold | abi.FeatureSendMany | abi.FeatureTimers |
	abi.FeatureTopics | abi.FeatureBackPressure | abi.FeatureState | abi.FeatureMessages

var engine = sync.OnceValues(func() (*guest.Engine, error) {
	return guest.NewEngine(guest.CacheOff, slog.New(slog.DiscardHandler))
})

// options are what a driver is started with.
type options struct {
	features abi.Feature // offered; zero: all but messages
	rings    int
	area     int
	memory   int64
	units    int64 // that a call may use; zero: any number
}

// start instantiates the module without an event.
func start(t testing.TB, m *module, o options) (*driver, error) {
	t.Helper()
	m.compiled.Do(func() {
		e, err := engine()
		if err != nil {
			m.codeErr = err
			return
		}
		m.code, m.codeErr = e.Compile(context.Background(), "program", m.wasm)
	})
	if m.codeErr != nil {
		return nil, m.codeErr
	}
	if o.features == 0 {
		o.features = allFeatures &^ abi.FeatureMessages
	}
	d := &driver{
		t: t, timers: map[uint64]int64{},
		header: guest.Header{Now: 1_700_000_000_000_000_000, Mono: 1_000_000, Seed: 0x9e3779b97f4a7c15},
	}
	i, err := m.code.Start(t.Context(), guest.Options{
		Rings: o.rings, Area: o.area, MemoryMax: o.memory, Offered: o.features, Units: o.units,
		TurnTime: time.Minute, StartTime: time.Minute,
		Log: func(level abi.Level, text string) { d.logs = append(d.logs, fmt.Sprintf("%v %q", level, text)) },
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	d.i = i
	return d, nil
}

// load is start for modules that must.
func load(t testing.TB, m *module, o options) *driver {
	t.Helper()
	d, err := start(t, m, o)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return d
}

// begin starts the module: the start event has been taken.
func begin(t testing.TB, m *module, o options, config ...string) *driver {
	t.Helper()
	d := load(t, m, o)
	d.start(config...)
	return d
}

func (d *driver) start(config ...string) {
	d.t.Helper()
	d.event(abi.Event{Kind: abi.EventStart}, fields(append([]string{":plugin", "sample", ":port", "8081"}, config...)...))
	d.turn()
}

func fields(pairs ...string) []byte {
	f := abi.AppendFields(nil)
	for i := 0; i+1 < len(pairs); i += 2 {
		f = abi.AppendField(f, 0, pairs[i], pairs[i+1])
	}
	return f
}

// event puts an event into the queue for the next turn.
func (d *driver) event(e abi.Event, payload []byte) {
	d.queue = append(d.queue, queued{e, payload})
}

// Events of the usual kinds. Sessions and requests have small numbers; that a
// request's has the top bit set is looked after here.
func (d *driver) connect(id uint64, headers ...string) {
	d.event(abi.Event{Kind: abi.EventConnect, ID: id}, fields(append([]string{":method", "GET", ":scheme", "http",
		":authority", "example.org", ":path", "/chat?x=1", ":remote", "127.0.0.1:9"}, headers...)...))
}

func (d *driver) connectTo(id uint64, path string, headers ...string) {
	d.event(abi.Event{Kind: abi.EventConnect, ID: id}, fields(append([]string{":method", "GET",
		":authority", "example.org", ":path", path}, headers...)...))
}

func (d *driver) recv(id uint64, flags byte, data string) {
	d.event(abi.Event{Kind: abi.EventRecv, ID: id, Flags: flags}, []byte(data))
}

func (d *driver) text(id uint64, data string) { d.recv(id, 0x81, data) }

func (d *driver) close(id uint64, code uint16) {
	d.event(abi.Event{Kind: abi.EventClose, ID: id, Code: code, Flags: abi.WhoPeer}, nil)
}

const requestBit = 1 << 63

func (d *driver) request(id uint64, method, path, body string, headers ...string) {
	e := abi.Event{Kind: abi.EventHTTPRequest, ID: id | requestBit}
	if body == "" {
		e.Flags = abi.FlagEnd
	}
	d.event(e, fields(append([]string{":method", method, ":authority", "example.org", ":path", path}, headers...)...))
	for n := 1000; body != ""; body = body[n:] {
		n = min(n, len(body))
		e := abi.Event{Kind: abi.EventHTTPBody, ID: id | requestBit}
		if n == len(body) {
			e.Flags = abi.FlagEnd
		}
		d.event(e, []byte(body[:n]))
	}
}

func (d *driver) gone(id uint64) {
	d.event(abi.Event{Kind: abi.EventHTTPGone, ID: id | requestBit}, nil)
}

// advance lets time pass; timers that run out then become events.
func (d *driver) advance(by time.Duration) {
	end := d.header.Mono + int64(by)
	for {
		next, at := uint64(0), end+1
		for id, t := range d.timers {
			if t < at || t == at && id < next {
				next, at = id, t
			}
		}
		if at > end {
			break
		}
		d.pass(at - d.header.Mono)
		delete(d.timers, next)
		d.event(abi.Event{Kind: abi.EventTimer, ID: next}, nil)
		d.turn()
	}
	d.pass(end - d.header.Mono)
}

func (d *driver) pass(ns int64) {
	d.header.Mono += ns
	d.header.Now += ns
}

// turn runs turns until the queue is empty. A test that expects a failure looks
// at err; the others are ended by it.
func (d *driver) turn() {
	d.t.Helper()
	d.try()
	if d.err != nil {
		d.t.Fatalf("turn: %v", d.err)
	}
}

func (d *driver) try() {
	d.t.Helper()
	for len(d.queue) > 0 && d.err == nil {
		n := d.fill()
		for first := 0; d.err == nil; {
			consumed, more := d.call(first, n)
			if consumed == n && !more {
				break
			}
			first = consumed
		}
	}
}

// fill writes as many events as there is room for and takes them off the queue.
func (d *driver) fill() (n int) {
	d.t.Helper()
	area, addr := d.i.Area()
	used := 0
	for n < len(d.queue) && n < len(d.i.Events())/abi.RecordSize {
		q := &d.queue[n]
		if used+len(q.payload) > len(area) {
			break
		}
		copy(area[used:], q.payload)
		q.e.Addr, q.e.Len = addr+uint32(used), uint32(len(q.payload))
		if q.e.Len == 0 {
			q.e.Addr = 0
		}
		abi.PutEvent(d.i.Events()[n*abi.RecordSize:], &q.e)
		used += len(q.payload)
		n++
	}
	if n == 0 {
		d.t.Fatalf("an event of %d bytes does not fit the receive area", len(d.queue[0].payload))
	}
	d.queue = slices.Delete(d.queue, 0, n)
	return n
}

func (d *driver) call(first, n int) (consumed int, more bool) {
	d.t.Helper()
	d.header.Turn++
	d.header.Seed = d.header.Seed*6364136223846793005 + 1442695040888963407
	d.calls++
	var m int
	m, consumed, more, d.err = d.i.Turn(first, n, d.header)
	if d.err == nil {
		d.commit(m)
	}
	return consumed, more
}

func (d *driver) commit(m int) {
	d.t.Helper()
	mem := d.i.Memory()
	for at := 0; at < m; at++ {
		c, _ := abi.ParseCommand(d.i.Commands()[at*abi.RecordSize:])
		if s := c.Check(d.i.Features()); s != 0 {
			d.t.Errorf("command %+v: refused: %v", c, s)
		}
		payload := d.payload(mem, &c)
		var pieces []byte
		for ; at+1 < m; at++ {
			p, _ := abi.ParseCommand(d.i.Commands()[(at+1)*abi.RecordSize:])
			if p.Kind != abi.CommandPiece {
				break
			}
			pieces = append(pieces, d.payload(mem, &p)...)
		}
		d.carryOut(&c, payload, pieces)
	}
}

func (d *driver) payload(mem []byte, c *abi.Command) []byte {
	d.t.Helper()
	p, ok := c.Range(mem)
	if !ok {
		d.t.Fatalf("command %+v: payload is outside memory", c)
	}
	return p
}

func (d *driver) carryOut(c *abi.Command, payload, pieces []byte) {
	id := fmt.Sprint(c.ID &^ requestBit)
	end := ""
	if c.Flags&abi.FlagEnd != 0 {
		end = " end"
	}
	line := ""
	switch c.Kind {
	case abi.CommandSend:
		line = fmt.Sprintf("send %s %02x %q", id, c.Flags, append(slices.Clip(payload), pieces...))
	case abi.CommandSendMany:
		ids, _ := abi.ParseIDs(payload)
		line = "many"
		for id := range ids.All() {
			line += fmt.Sprintf(" %d", id)
		}
		line += fmt.Sprintf(" %02x %q", c.Flags, pieces)
	case abi.CommandClose:
		line = fmt.Sprintf("close %s %d", id, c.Code)
		if len(payload) > 0 {
			line += fmt.Sprintf(" %q", payload)
		}
	case abi.CommandRefuse:
		line = fmt.Sprintf("refuse %s %d%s", id, c.Code, d.fields(payload))
		if len(pieces) > 0 {
			line += fmt.Sprintf(" %q", pieces)
		}
	case abi.CommandAccept:
		line = fmt.Sprintf("accept %s%s", id, d.fields(payload))
	case abi.CommandHold:
		line = "hold " + id
	case abi.CommandHTTPHead:
		line = fmt.Sprintf("head %s %d%s%s %q", id, c.Code, end, d.fields(payload), pieces)
	case abi.CommandHTTPBody:
		line = fmt.Sprintf("body %s%s %q", id, end, append(slices.Clip(payload), pieces...))
	case abi.CommandLog:
		line = fmt.Sprintf("%v %q", abi.Level(c.Flags), append(slices.Clip(payload), pieces...))
		if c.ID != 0 {
			line = fmt.Sprintf("%v %s %q", abi.Level(c.Flags), id, append(slices.Clip(payload), pieces...))
		}
		d.logs = append(d.logs, line)
		return
	case abi.CommandTimerSet:
		d.timers[c.ID] = d.header.Mono + int64(c.Arg)
		return
	case abi.CommandTimerClear:
		delete(d.timers, c.ID)
		return
	case abi.CommandPublish:
		line = fmt.Sprintf("publish %q %02x %q except %d", payload, c.Flags, pieces, c.ID)
	case abi.CommandSubscribe:
		line = fmt.Sprintf("subscribe %d %q", c.ID, payload)
	case abi.CommandUnsubscribe:
		line = fmt.Sprintf("unsubscribe %d %q", c.ID, payload)
	case abi.CommandSetUser:
		line = fmt.Sprintf("user %s %d", id, c.Arg)
	case abi.CommandMetric:
		line = fmt.Sprintf("metric %d %q %x", c.Flags, payload, c.Arg)
	case abi.CommandState:
		line = fmt.Sprintf("state%s %q", end, append(slices.Clip(payload), pieces...))
	default:
		d.t.Errorf("command %+v: unknown kind", c)
	}
	if c.Tag != 0 {
		line += fmt.Sprintf(" tag %d", c.Tag)
	}
	d.said = append(d.said, line)
}

func (d *driver) fields(payload []byte) string {
	d.t.Helper()
	if len(payload) == 0 {
		return ""
	}
	f, err := abi.ParseFields(payload)
	if err != nil {
		d.t.Errorf("fields: %v", err)
	}
	var b strings.Builder
	for name, value := range f.All() {
		fmt.Fprintf(&b, " %s=%s", name, value)
	}
	return b.String()
}

// want compares the commands since the last time, logs and timers aside.
func (d *driver) want(lines ...string) {
	d.t.Helper()
	if !slices.Equal(d.said, lines) {
		d.t.Errorf("commands:\ngot  %s\nwant %s", strings.Join(d.said, "\n     "), strings.Join(lines, "\n     "))
	}
	d.said = nil
}

// wantLogs compares the log lines since the last time.
func (d *driver) wantLogs(lines ...string) {
	d.t.Helper()
	if !slices.Equal(d.logs, lines) {
		d.t.Errorf("log:\ngot  %s\nwant %s", strings.Join(d.logs, "\n     "), strings.Join(lines, "\n     "))
	}
	d.logs = nil
}

// stop sends the stop event.
func (d *driver) stop() {
	d.t.Helper()
	d.event(abi.Event{Kind: abi.EventStop}, nil)
	d.turn()
}

// where tells the address of the k-th command's payload of the last call.
func (d *driver) where(k int) uint32 {
	return binary.LittleEndian.Uint32(d.i.Commands()[k*abi.RecordSize+abi.RecordOffsetAddr:])
}
