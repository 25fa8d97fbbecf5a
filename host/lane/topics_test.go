package lane_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/bus"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// topical does what its peers tell it, a word for what and one for the topic:
//
//	join T      subscribe, self T: the instance itself
//	part T      no longer
//	say T TEXT  publish, others T TEXT: not to whom it comes from
//	begin, end  a message in two fragments
func topical(g *native, e abi.Event, payload []byte) {
	g.features |= abi.FeatureTopics
	if e.Kind != abi.EventRecv {
		return
	}
	word := strings.SplitN(string(payload)+"  ", " ", 3)
	text := strings.TrimSpace(word[2])
	switch word[0] {
	case "join":
		g.say(abi.Command{Kind: abi.CommandSubscribe, ID: e.ID}, word[1])
	case "self":
		g.say(abi.Command{Kind: abi.CommandSubscribe}, word[1])
	case "part":
		g.say(abi.Command{Kind: abi.CommandUnsubscribe, ID: e.ID}, word[1])
	case "say":
		g.brigade(abi.Command{Kind: abi.CommandPublish, Flags: 0x81}, word[1], text)
	case "others":
		g.brigade(abi.Command{Kind: abi.CommandPublish, Flags: 0x81, ID: e.ID}, word[1], text)
	case "begin":
		g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x01, ID: e.ID}, "be")
	case "end":
		g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x80, ID: e.ID}, "gun")
	}
}

// brigade is say for a payload behind a head.
func (g *native) brigade(c abi.Command, head, payload string) {
	g.say(c, head)
	g.say(abi.Command{Kind: abi.CommandPiece}, payload)
}

// say has a session say each of that to the guest, one after the other.
func (r *rig) say(session uint64, all ...string) {
	for _, s := range all {
		r.frames(session, text(s))
	}
}

// take returns the short text messages that a wire has been given since the last
// time, one behind the other; fragments count as messages.
func (w *wire) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for b := w.bytes; len(b) > 0; {
		n := 2 + int(b[1])
		all = append(all, string(b[2:n]))
		b = b[n:]
	}
	w.bytes = nil
	return strings.Join(all, " ")
}

// What waits behind a fragmented message counts as waiting for the peer, as long as
// it does.
func TestTopicsBehindFragmentsCount(t *testing.T) {
	for _, end := range []string{"end", "gone", "too much"} {
		bubble(t, end, func(t *testing.T) {
			r := newRig(t, topical)
			id, _ := r.open()
			r.say(id, "join news", "begin", "say news 1", "say news 22")
			queued := r.Counters().Queued.Load()
			switch end {
			case "end":
				r.say(id, "end")
			case "gone":
				r.Gone(id)
			case "too much":
				for range 2 {
					r.say(id, "say news "+strings.Repeat("x", 40<<10))
				}
				r.Gone(id)
			}
			synctest.Wait()
			if after := r.Counters().Queued.Load(); queued != 3+4 || after != 0 {
				t.Errorf("queued: got %d, then %d, want 7, then 0", queued, after)
			}
		})
	}
}

// twoLanes are the lanes of one plugin, on one bus.
func twoLanes(t *testing.T, change func(*lane.Config)) (rigs [2]*rig) {
	b := new(bus.Local)
	for n := range rigs {
		rigs[n] = newRigWith(t, topical, func(c *lane.Config) {
			c.Number, c.Bus = n, b
			change(c)
		})
	}
	return rigs
}

// Publications reach the subscribers in all lanes, each once, in the order of each
// publisher, but not the session that is left out.
func TestTopicsAcrossLanes(t *testing.T) {
	bubble(t, "order and who", func(t *testing.T) {
		rigs := twoLanes(t, func(*lane.Config) {})
		var ids [4]uint64
		var wires [4]*wire // two of each lane
		for i := range ids {
			ids[i], wires[i] = rigs[i/2].open()
			rigs[i/2].say(ids[i], "join news")
		}
		rigs[1].say(ids[2], "self news")
		for n := range 100 {
			rigs[0].say(ids[0], fmt.Sprint("others news a", n))
			rigs[1].say(ids[3], fmt.Sprint("say news b", n), "say void nobody")
		}
		for i, w := range wires {
			got := strings.Fields(w.take())
			var of [2][]string
			for _, s := range got {
				of[s[0]-'a'] = append(of[s[0]-'a'], s)
			}
			want := [2]int{100, 100}
			if i == 0 {
				want[0] = 0
			}
			for p, all := range of {
				if len(all) != want[p] {
					t.Errorf("session %d: got %d messages of publisher %d, want %d", i, len(all), p, want[p])
				}
				for n, s := range all {
					if s[1:] != fmt.Sprint(n) {
						t.Fatalf("session %d: message %d of publisher %d is %q", i, n, p, s)
					}
				}
			}
		}
		if n := countKind(rigs[1].guests[0], abi.EventTopic); n != 200 {
			t.Errorf("the instance that subscribed heard of %d messages, want 200", n)
		}
		if n := countKind(rigs[0].guests[0], abi.EventTopic); n != 0 {
			t.Errorf("the other instance heard of %d messages, want none", n)
		}
		rigs[0].say(ids[1], "part news")
		rigs[1].say(ids[2], "say news late")
		for i, want := range []string{"late", "", "late", "late"} {
			if got := wires[i].take(); got != want {
				t.Errorf("session %d, when session 1 has unsubscribed: got %q, want %q", i, got, want)
			}
		}
	})
}

// A lane that does not get to what others publish loses the newest of it, and says
// so; what it holds has a bound. When it has caught up it hears everything again.
func TestTopicsOutrun(t *testing.T) {
	bubble(t, "behind", func(t *testing.T) {
		goOn := make(chan struct{})
		r := newRig(t, func(g *native, e abi.Event, payload []byte) {
			if string(payload) == "wait" {
				<-goOn
			}
			g.features |= abi.FeatureBackPressure
			topical(g, e, payload)
		})
		id, w := r.open()
		r.say(id, "join news", "self other", "wait")
		const size, sent, most = 64 << 10, 2000, 64 << 20
		flood := &lane.Message{Topic: "flood", Flags: 0x82, Frame: make([]byte, size)}
		for range sent {
			r.Deliver(flood)
		}
		if kept := (sent - r.Counters().Missed.Load()) * size; kept > most || kept < most/2 {
			t.Errorf("%d bytes wait, want nearly %d", kept, most)
		}
		close(goOn)
		synctest.Wait()
		r.Deliver(&lane.Message{Topic: "news", Flags: 0x81, Frame: []byte("\x81\x04here"), Data: []byte("here")})
		synctest.Wait()
		if got := w.take(); got != "here" {
			t.Errorf("afterwards: got %q, want the message", got)
		}
		if n := countKind(r.guests[0], abi.EventDropped); n != 1 {
			t.Errorf("the instance heard %d times that it loses messages, want once", n)
		}
	})
}

// tired is a wire that takes a millisecond for each write and counts them.
type tired struct {
	wire
	writes int
}

func (w *tired) Write(p []byte) int { w.writes++; time.Sleep(time.Millisecond); return 0 }

// A lane that has much to do for what others publish does not let everything else
// wait until all of it is done.
func TestTopicsShare(t *testing.T) {
	bubble(t, "timer", func(t *testing.T) {
		w, written := &tired{}, 0
		r := newRig(t, func(g *native, e abi.Event, payload []byte) {
			g.features |= abi.FeatureTimers
			topical(g, e, payload)
			switch {
			case string(payload) == "arm":
				g.say(abi.Command{Kind: abi.CommandTimerSet, ID: 1, Arg: uint64(10 * time.Millisecond)}, "")
			case e.Kind == abi.EventTimer:
				written = w.writes
			}
		})
		d, err := r.Connect(t.Context(), abi.AppendFields(nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Attach(d.Session, w)
		r.say(d.Session, "join news", "arm")
		data := make([]byte, 64<<10) // each is written by itself
		encoded := append(frame.AppendHeader(nil, 0x82, len(data)), data...)
		for range 1000 {
			r.Deliver(&lane.Message{Topic: "news", Flags: 0x82, Frame: encoded, Data: encoded[len(encoded)-len(data):]})
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if written == 0 || written > 20 {
			t.Errorf("a timer of 10ms came after %d writes of 1ms, want 10 and a few", written)
		}
		if w.writes != 1000 {
			t.Errorf("%d of 1000 messages came", w.writes)
		}
	})
}

func countKind(g *native, kind abi.EventKind) (n int) {
	for _, k := range g.kinds() {
		if k == kind {
			n++
		}
	}
	return n
}

// A session has only so many subscriptions, and so has an instance. Ending one
// makes room for another.
func TestTopicsPerSession(t *testing.T) {
	for _, verb := range []string{"join", "self"} {
		bubble(t, verb, func(t *testing.T) {
			r := newRig(t, topical)
			id, _ := r.open()
			refused := func() int { return countKind(r.guests[0], abi.EventRefused) }
			for n := range abi.MaxSubscriptions {
				r.say(id, fmt.Sprint(verb, " topic-", n))
			}
			r.say(id, verb+" topic-0") // once more is nothing new
			if n := refused(); n != 0 {
				t.Errorf("%d of %d refused", n, abi.MaxSubscriptions)
			}
			r.say(id, verb+" one-more")
			e := r.guests[0].heard[len(r.guests[0].heard)-1]
			if e.Kind != abi.EventRefused || abi.Status(e.Code) != abi.StatusQuota {
				t.Fatalf("one more: got %+v, want it refused for the quota", e)
			}
			if verb == "join" {
				r.say(id, "part topic-7", verb+" one-more")
				if n := refused(); n != 1 {
					t.Errorf("in the place of another: refused")
				}
			}
		})
	}
}
