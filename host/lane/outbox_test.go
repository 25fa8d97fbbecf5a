package lane_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// letters is a wire that keeps the writes apart.
type letters struct {
	wire
	got []string
}

func (w *letters) Write(p []byte) int { w.got = append(w.got, string(p)); return 0 }

// dictated does what its peers tell it, a word at a time, in one turn: a digit sends
// it to that session, "all" to all of them, "topic" too, "close" ends session 0, and
// "big" is 40,000 bytes for session 1.
func dictated(ids *[]uint64) func(g *native, e abi.Event, payload []byte) {
	return func(g *native, e abi.Event, payload []byte) {
		g.features |= abi.FeatureTopics | abi.FeatureSendMany
		switch {
		case e.Kind == abi.EventConnect:
			g.say(abi.Command{Kind: abi.CommandSubscribe, ID: e.ID}, "topic")
			return
		case e.Kind != abi.EventRecv:
			return
		}
		for word := range strings.FieldsSeq(string(payload)) {
			switch word {
			case "all":
				g.brigade(abi.Command{Kind: abi.CommandSendMany, Flags: 0x81}, string(abi.AppendIDs(nil, *ids...)), word)
			case "topic":
				g.brigade(abi.Command{Kind: abi.CommandPublish, Flags: 0x81}, "topic", word)
			case "close":
				g.say(abi.Command{Kind: abi.CommandClose, Code: 4000, ID: (*ids)[0]}, "")
			case "big":
				g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x82, ID: (*ids)[1]}, strings.Repeat("x", 40_000))
			default:
				g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: (*ids)[word[0]-'0']}, word)
			}
		}
	}
}

// What a turn has for a session leaves with one write, in the order in which the
// guest said it, whoever else it spoke to meanwhile.
func TestOneWriteForEachSession(t *testing.T) {
	big := "\x82\x7e" + string(binary.BigEndian.AppendUint16(nil, 40_000)) + strings.Repeat("x", 40_000)
	tests := []struct {
		name, say string
		want      [2][]string // writes to each session
	}{
		{"one after the other", "0 0 1 1", [2][]string{{"\x81\x010\x81\x010"}, {"\x81\x011\x81\x011"}}},
		{"in turns", "0 1 0 1 1", [2][]string{{"\x81\x010\x81\x010"}, {"\x81\x011\x81\x011\x81\x011"}}},
		{"to many", "all 0 all 1", [2][]string{{"\x81\x03all\x81\x010\x81\x03all"}, {"\x81\x03all\x81\x03all\x81\x011"}}},
		{"to a topic", "1 topic topic 0", [2][]string{{"\x81\x05topic\x81\x05topic\x81\x010"}, {"\x81\x011\x81\x05topic\x81\x05topic"}}},
		{"before a close", "0 1 close 0 1", [2][]string{{"\x81\x010", "\x88\x02\x0f\xa0"}, {"\x81\x011\x81\x011"}}},
		{"much at once", "0 big big 0 big", [2][]string{{"\x81\x010\x81\x010"}, {big + big, big}}},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			ids := new([]uint64)
			r := newRigWith(t, dictated(ids), func(c *lane.Config) { c.Limits.Queue = 1 << 20 })
			var wires [2]*letters
			for i := range wires {
				d, err := r.Connect(t.Context(), abi.AppendFields(nil), nil)
				if err != nil {
					t.Fatal(err)
				}
				*ids, wires[i] = append(*ids, d.Session), &letters{}
				r.Attach(d.Session, wires[i])
			}
			r.frames((*ids)[1], text(tt.say))
			for i, w := range wires {
				if !slices.Equal(w.got, tt.want[i]) {
					t.Errorf("session %d: got %d writes %.80q, want %d: %.80q", i, len(w.got), w.got, len(tt.want[i]), tt.want[i])
				}
			}
		})
	}
}
