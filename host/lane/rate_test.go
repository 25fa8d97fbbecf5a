package lane_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// What a peer sends above a rate ends its session with 1008.
func TestRates(t *testing.T) {
	const most = 1 << 20
	ping, pong := frame.Frame{Flags: 0x89, Payload: []byte("p")}, frame.Frame{Flags: 0x8a}
	fragment, more, last := frame.Frame{Flags: 0x01}, frame.Frame{Flags: 0x00}, frame.Frame{Flags: 0x80}
	kilobyte := text(strings.Repeat("x", 1000))
	tests := []struct {
		name   string
		limits lane.Limits
		frames []frame.Frame // sent in turn
		pause  time.Duration // before each
		want   int           // how many pass, most for all
		reason string
	}{
		{"pings at once", lane.Limits{Controls: lane.Rate{PerSecond: 20, AtOnce: 50}}, []frame.Frame{ping}, 0, 50, "too many control frames"},
		{"pongs at once", lane.Limits{Controls: lane.Rate{PerSecond: 20, AtOnce: 50}}, []frame.Frame{pong}, 0, 50, "too many control frames"},
		{"both at once", lane.Limits{Controls: lane.Rate{PerSecond: 20, AtOnce: 50}}, []frame.Frame{ping, pong}, 0, 50, "too many control frames"},
		{"pings at the rate", lane.Limits{Controls: lane.Rate{PerSecond: 20, AtOnce: 50}}, []frame.Frame{ping}, 50 * time.Millisecond, most, ""},
		{"pings at twice the rate", lane.Limits{Controls: lane.Rate{PerSecond: 20, AtOnce: 50}}, []frame.Frame{ping}, 25 * time.Millisecond, 99, "too many control frames"},
		{"data is no control frame", lane.Limits{Controls: lane.Rate{PerSecond: 20, AtOnce: 50}}, []frame.Frame{text("x")}, 0, most, ""},
		{"messages at once", lane.Limits{Messages: lane.Rate{PerSecond: 10, AtOnce: 25}}, []frame.Frame{text("x")}, 0, 25, "too many messages"},
		{"empty messages", lane.Limits{Messages: lane.Rate{PerSecond: 10, AtOnce: 25}}, []frame.Frame{{Flags: 0x82}}, 0, 25, "too many messages"},
		{"fragments are one message", lane.Limits{Messages: lane.Rate{PerSecond: 10, AtOnce: 25}}, []frame.Frame{fragment, more, more, last}, 0, 100, "too many messages"},
		{"control frames are no messages", lane.Limits{Messages: lane.Rate{PerSecond: 10, AtOnce: 25}}, []frame.Frame{ping, pong}, 0, most, ""},
		{"messages at the rate", lane.Limits{Messages: lane.Rate{PerSecond: 10, AtOnce: 25}}, []frame.Frame{text("x")}, 100 * time.Millisecond, most, ""},
		{"bytes at once", lane.Limits{Bytes: lane.Rate{PerSecond: 4000, AtOnce: 10000}}, []frame.Frame{kilobyte}, 0, 10, "too many bytes"},
		{"bytes at the rate", lane.Limits{Bytes: lane.Rate{PerSecond: 4000, AtOnce: 10000}}, []frame.Frame{kilobyte}, 250 * time.Millisecond, most, ""},
		{"bytes of fragments", lane.Limits{Bytes: lane.Rate{PerSecond: 4000, AtOnce: 10000}}, []frame.Frame{{Flags: 0x01, Payload: kilobyte.Payload}, {Flags: 0x80, Payload: kilobyte.Payload}}, 0, 10, "too many bytes"},
		{"no limit", lane.Limits{}, []frame.Frame{text("x"), ping, pong}, 0, most, ""},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			r := newRigWith(t, nil, func(c *lane.Config) {
				c.Limits.Controls, c.Limits.Messages, c.Limits.Bytes = tt.limits.Controls, tt.limits.Messages, tt.limits.Bytes
				c.Limits.Queue = 1 << 30
			})
			id, w := r.open()
			passed := 0
			for passed < 1000 {
				time.Sleep(tt.pause)
				r.frames(id, tt.frames[passed%len(tt.frames)])
				if strings.Contains(w.text(), "\x88") {
					break
				}
				passed++
			}
			if tt.want == most && passed != 1000 || tt.want != most && passed != tt.want {
				t.Fatalf("passed: got %d of 1000, want %d", passed, min(tt.want, 1000))
			}
			if tt.want == most {
				return
			}
			if got := w.text(); !strings.HasSuffix(got, "\x03\xf0"+tt.reason) {
				t.Errorf("wire: got %q at the end, want 1008 %s", got[max(0, len(got)-40):], tt.reason)
			}
			if got := r.closes(id); len(got) != 1 || got[0].Code != 1008 || got[0].Flags != abi.WhoHost {
				t.Errorf("close events: got %+v, want one, 1008 by the host", got)
			}
		})
	}
	bubble(t, "after a pause", func(t *testing.T) {
		r := newRigWith(t, nil, func(c *lane.Config) { c.Limits.Controls = lane.Rate{PerSecond: 20, AtOnce: 50} })
		id, w := r.open()
		for range 10 {
			for range 50 {
				r.frames(id, pong)
			}
			pass(2500 * time.Millisecond)
		}
		if w.text() != "" {
			t.Errorf("got %q, want a session that lives: the rate is an average", w.text())
		}
	})
}
