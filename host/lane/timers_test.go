package lane_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// clockwork is a guest that is told "ID DELAY [repeat]" by its peer and notes
// when its timers come; of timer 0 it arms 1 in its turn, without delay.
type clockwork struct {
	begun time.Time
	came  []string // id, after how many milliseconds, what it missed
	busy  time.Duration

	refused int // for the limit
}

func (c *clockwork) on(g *native, e abi.Event, payload []byte) {
	g.features |= abi.FeatureTimers
	set := func(id uint64, after time.Duration, flags uint8) {
		g.say(abi.Command{Kind: abi.CommandTimerSet, ID: id, Arg: uint64(after), Flags: flags}, "")
	}
	switch e.Kind {
	case abi.EventStart:
		c.begun = time.Now()
	case abi.EventTimer:
		c.came = append(c.came, fmt.Sprintf("%d@%d-%d", e.ID, time.Since(c.begun).Milliseconds(), e.User))
		time.Sleep(c.busy)
		if e.ID == 0 {
			set(1, 0, 0)
		}
	case abi.EventRefused:
		if abi.Status(e.Code) == abi.StatusQuota {
			c.refused++
		}
	case abi.EventRecv:
		for line := range strings.Lines(string(payload)) {
			word := strings.Fields(line)
			var id uint64
			fmt.Sscan(word[0], &id)
			if word[1] == "clear" {
				g.say(abi.Command{Kind: abi.CommandTimerClear, ID: id}, "")
				continue
			}
			after, _ := time.ParseDuration(word[1])
			set(id, after, uint8(len(word)-2)*abi.FlagRepeat)
		}
	}
}

// Timers come when they are due, in that order, never early and never twice: one
// that repeats and is late comes once and says what it has missed.
func TestTimers(t *testing.T) {
	tests := []struct {
		name string
		say  string
		busy time.Duration // of each timer event
		wait time.Duration
		want string
	}{
		{"once", "7 5ms", 0, time.Second, "7@5-0"},
		{"no delay", "7 0s", 0, time.Second, "7@0-0"},
		{"in order", "1 30ms\n2 10ms\n3 20ms", 0, time.Second, "2@10-0 3@20-0 1@30-0"},
		{"set again", "1 10ms\n1 30ms", 0, time.Second, "1@30-0"},
		{"cleared", "1 10ms\n2 20ms\n1 clear\n3 clear", 0, time.Second, "2@20-0"},
		{"another in its turn", "0 10ms", 0, time.Second, "0@10-0 1@10-0"},
		{"again and again", "1 10ms repeat", 0, 35 * time.Millisecond, "1@10-0 1@20-0 1@30-0"},
		{"no longer", "1 10ms repeat\n1 25ms", 0, time.Second, "1@25-0"},
		{"late", "1 10ms repeat", 25 * time.Millisecond, 75 * time.Millisecond, "1@10-0 1@35-1 1@60-2"},
		{"for ever", "1 2562047h\n2 10ms", 0, time.Second, "2@10-0"},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			c := &clockwork{busy: tt.busy}
			r := newRig(t, c.on)
			id, _ := r.open()
			r.frames(id, text(tt.say))
			time.Sleep(tt.wait)
			synctest.Wait()
			if got := strings.Join(c.came, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// An instance has only so many timers, which may all come at once, more of them
// than the ring holds; each comes once.
func TestManyTimers(t *testing.T) {
	bubble(t, "all at once", func(t *testing.T) {
		c := &clockwork{}
		r := newRig(t, c.on)
		id, _ := r.open()
		for n := range abi.MaxTimers/64 + 1 {
			var say []string
			for i := range 64 {
				say = append(say, fmt.Sprintf("%d 1s", 1+n*64+i))
			}
			r.frames(id, text(strings.Join(say, "\n")))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if c.refused != 64 {
			t.Errorf("%d refused, want the 64 above %d", c.refused, abi.MaxTimers)
		}
		slices.Sort(c.came)
		if n := len(slices.Compact(c.came)); n != abi.MaxTimers {
			t.Errorf("%d came, want %d", n, abi.MaxTimers)
		}
	})
}
