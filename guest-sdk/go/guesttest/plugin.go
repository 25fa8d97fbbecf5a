package guesttest

import (
	"cmp"
	"slices"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Line is what the plugin logged.
type Line struct {
	Level   guest.Level
	Session uint64 // 0 if it concerns none
	Text    string
}

// A Sample is what the plugin measured.
type Sample struct {
	Kind  Metric
	Name  string
	Value float64
}

// A Metric is a kind of sample.
type Metric uint8

// Metrics.
const (
	Counter   Metric = abi.MetricCounter
	Gauge     Metric = abi.MetricGauge
	Histogram Metric = abi.MetricHistogram
)

// A Message was published.
type Message struct {
	Topic  string
	Flags  guest.Flags
	Data   string
	Except uint64 // session left out, 0 = none
}

// Logs returns the plugin's log lines since the last call.
func (g *Guest) Logs() []Line { return taken(&g.lines) }

// Samples returns the plugin's metrics since the last call.
func (g *Guest) Samples() []Sample { return taken(&g.samples) }

// Published returns the plugin's messages to topics since the last call.
func (g *Guest) Published() []Message { return taken(&g.published) }

// Refusals returns the commands that were refused since the last call.
func (g *Guest) Refusals() []guest.Refusal { return taken(&g.refusals) }

// Publish publishes a message from elsewhere, for sessions and the plugin if
// they are subscribed to the topic.
func (g *Guest) Publish(topic string, flags guest.Flags, data []byte) {
	g.t.Helper()
	g.deliver(Message{Topic: topic, Flags: flags, Data: string(data)})
	g.settle()
}

// deliver hands a message to sessions at once and queues it for the plugin.
func (g *Guest) deliver(m Message) {
	for id, s := range g.sessions {
		_, hears := s.topics[m.Topic]
		switch {
		case !hears || id == m.Except || s.state != Open:
		case s.within:
			s.queued = append(s.queued, Frame{m.Flags, m.Data})
		default:
			s.sent = append(s.sent, Frame{m.Flags, m.Data})
		}
	}
	if _, hears := g.topics[m.Topic]; hears {
		g.queue = append(g.queue, event{
			record:  abi.Event{Kind: abi.EventTopic, Flags: uint8(m.Flags), Code: uint16(len(m.Topic))},
			payload: []byte(m.Topic + m.Data),
		})
	}
}

type timer struct {
	due   time.Duration // on the plugin's monotonic clock
	every time.Duration // 0 = once
}

// Advance lets that much time pass at once: timers that are due by then run out
// in the order of their times, a repeating one once, with what it missed.
func (g *Guest) Advance(d time.Duration) {
	g.t.Helper()
	g.now += d
	g.mono += d
	var due []uint64
	for id, t := range g.timers {
		if t.due <= g.mono {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(g.timers[a].due, g.timers[b].due), cmp.Compare(a, b))
	})
	for _, id := range due {
		t, missed := g.timers[id], uint64(0)
		if t == nil || t.due > g.mono {
			continue // an earlier one cleared it or set it anew
		}
		if t.every == 0 {
			delete(g.timers, id)
		} else {
			missed = uint64((g.mono - t.due) / t.every)
			t.due += t.every * time.Duration(missed+1)
		}
		g.event(abi.Event{Kind: abi.EventTimer, ID: id, User: missed}, nil, nil)
	}
}
