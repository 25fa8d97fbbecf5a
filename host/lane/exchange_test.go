package lane_test

import (
	"testing"
	"testing/synctest"

	"github.com/yimmo-host/yimmo-host/abi"
)

// What a guest says in tiny parts, or in parts of nothing, to a client that does not
// read takes no more memory than the bytes that are counted.
func TestPartsAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const parts = 10_000
		r := newRig(t, func(g *native, e abi.Event, _ []byte) {
			if e.Kind != abi.EventHTTPRequest {
				return
			}
			g.say(abi.Command{Kind: abi.CommandHTTPHead, Code: 200, ID: e.ID}, "")
			for n := range parts {
				payload := ""
				if n%10 == 0 {
					payload = "x"
				}
				g.say(abi.Command{Kind: abi.CommandHTTPBody, ID: e.ID}, payload)
			}
			g.say(abi.Command{Kind: abi.CommandHTTPBody, Flags: abi.FlagEnd | abi.FlagFlush, ID: e.ID}, "")
		})
		x, err := r.Request(abi.AppendFields(nil), true)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Leave(x)
		synctest.Wait()
		took, size := 0, 0
		for {
			p, err := x.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if took == 0 && p.Status != 200 {
				t.Errorf("the first part has status %d, want 200", p.Status)
			}
			took, size = took+1, size+len(p.Body)
			if p.End {
				if !p.Flush {
					t.Error("the last part is not to be flushed")
				}
				break
			}
		}
		if took > 10 || size != parts/10 {
			t.Errorf("got %d bytes in %d parts, want %d in a few", size, took, parts/10)
		}
	})
}
