package lane_test

import (
	"testing"
	"testing/synctest"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// A session may end with its instance while the 101 is on its way. Its peer still
// gets what the guest said to it before that.
func TestSaidBeforeTheLink(t *testing.T) {
	const said = "\x81\x04kept"
	tests := []struct {
		name string
		code uint16 // with which the guest closes the session; 0 = it does not
		want string
	}{
		{"open", 0, said + string(frame.AppendClose(nil, abi.CloseInternal, "plugin failed"))},
		{"closed by the guest", abi.CloseNormal, said + string(frame.AppendClose(nil, abi.CloseNormal, ""))},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			var late uint64
			r := newRig(t, func(g *native, e abi.Event, payload []byte) {
				switch string(payload) {
				case "say":
					g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: late}, "kept")
					if tt.code != 0 {
						g.say(abi.Command{Kind: abi.CommandClose, ID: late, Code: tt.code}, "")
					}
				case "trap":
					g.trap = errTest
				}
			})
			other, _ := r.open()
			d, err := r.Connect(t.Context(), abi.AppendFields(nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			late = d.Session
			r.frames(other, text("say"))
			r.frames(other, text("trap"))
			w := &wire{}
			r.Attach(late, w)
			synctest.Wait()
			if string(w.bytes) != tt.want || !w.closed {
				t.Errorf("got %q, closed %v, want %q and the end", w.bytes, w.closed, tt.want)
			}
			again := &wire{}
			r.Attach(late, again) // stale: what was kept is gone
			synctest.Wait()
			if want := string(frame.AppendClose(nil, abi.CloseInternal, "plugin failed")); string(again.bytes) != want {
				t.Errorf("attached again: got %q, want %q", again.bytes, want)
			}
		})
	}
}
