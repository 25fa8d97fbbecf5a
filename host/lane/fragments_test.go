package lane_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// What a guest is asked for below, by the first word of a message. The session
// that asks gets it.
func speaks(g *native, e abi.Event, payload []byte) {
	g.features |= abi.FeatureTopics | abi.FeatureSendMany
	if e.Kind != abi.EventRecv {
		return
	}
	var ids [8]byte
	binary.LittleEndian.PutUint64(ids[:], e.ID)
	many := func(flags uint8, text string) {
		g.say(abi.Command{Kind: abi.CommandSendMany, Flags: flags}, string(ids[:]))
		g.say(abi.Command{Kind: abi.CommandPiece}, text)
	}
	switch word, rest, _ := strings.Cut(string(payload), " "); word {
	case "subscribe":
		g.say(abi.Command{Kind: abi.CommandSubscribe, Flags: abi.PolicyLast, ID: e.ID}, "topic")
	case "publish":
		g.say(abi.Command{Kind: abi.CommandPublish, Flags: 0x81}, "topic")
		g.say(abi.Command{Kind: abi.CommandPiece}, rest)
	case "fill":
		g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x82, ID: e.ID}, strings.Repeat(".", 60<<10))
	case "begin":
		g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x01, ID: e.ID}, "fra")
	case "end":
		g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x80, ID: e.ID}, "ment")
	case "begin-many":
		many(0x01, strings.Repeat("fra", 4<<10))
	case "end-many":
		many(0x80, "ment")
	}
}

// Messages of topics wait for the end of a fragmented one, whoever ends it, and no
// longer; of those that were kept for a slow peer nothing older than they follows.
func TestFragmentsHoldUp(t *testing.T) {
	const message = "\x01\x03fra\x80\x04ment"
	tests := []struct {
		name  string
		words string // "read": the peer takes all that waits, and whatever comes from then on
		wire  string // after that
	}{
		{"send", "read, begin, publish a, end, publish b", message + "\x81\x01a\x81\x01b"},
		{"send_many", "read, begin, publish a, end-many, publish b", message + "\x81\x01a\x81\x01b"},
		{"kept before", "fill, publish a, read, begin, end", "\x81\x01a" + message},
		{"kept meanwhile", "fill, publish a, begin, read, end", "\x80\x04ment\x81\x01a"},
		{"kept meanwhile, send_many", "fill, publish a, begin, read, end-many", "\x80\x04ment\x81\x01a"},
		{"kept, then a newer one", "fill, publish a, begin, read, publish b, end", "\x80\x04ment\x81\x01b"},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			r := newRig(t, speaks)
			id, w := r.open()
			w.stuck = true
			r.frames(id, text("subscribe"))
			for word := range strings.SplitSeq(tt.words, ", ") {
				if word == "read" {
					w.stuck, w.bytes = false, nil
					r.Drained(id)
					continue
				}
				r.frames(id, text(word))
			}
			if string(w.bytes) != tt.wire {
				t.Errorf("got %q, want %q", w.bytes, tt.wire)
			}
		})
	}
}

// The rest of a message that is dropped is dropped too, and not refused.
func TestDroppedFragments(t *testing.T) {
	for _, words := range []string{"begin-many, end-many", "begin-many, end"} {
		bubble(t, words, func(t *testing.T) {
			r := newRigWith(t, speaks, func(c *lane.Config) { c.Policy = abi.PolicyDrop })
			id, w := r.open()
			w.stuck = true
			r.frames(id, text("fill"))
			before := len(w.bytes)
			for word := range strings.SplitSeq(words, ", ") {
				r.frames(id, text(word))
			}
			if len(w.bytes) > before {
				t.Errorf("got %q, want nothing", w.bytes[before:])
			}
			for _, e := range r.guests[0].heard {
				if e.Kind == abi.EventRefused {
					t.Errorf("the guest heard of %v, want no refusal", abi.Status(e.Code))
				}
			}
		})
	}
}
