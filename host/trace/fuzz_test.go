package trace_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// Whatever is in a trace, a player comes to an end, and shows it without a panic.
func FuzzPlayer(f *testing.F) {
	c := wat(f, "echo")
	for _, o := range []trace.RecordOptions{{}, {DigestsOnly: true}, {Redact: true}, {Ring: 4000}} {
		r := recorded(f, c, o)
		d := r.start().start()
		var saved guest.Checkpoint
		d.Save(&saved)
		for range 10 {
			d.texts("one", "two")
		}
		d.Load(&saved)
		d.texts("three")
		d.close()
		for _, b := range r.files() {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = reseal(b)
		p := trace.Player{Digest: c.Digest(), Start: func(o guest.Options) (trace.Instance, error) {
			o.TurnTime, o.StartTime = time.Second, time.Second
			o.MemoryMax = min(max(o.MemoryMax, 0), 1<<20)
			return c.Start(t.Context(), o)
		}}
		result, err := p.Replay(t.Context(), bytes.NewReader(b))
		if err == nil && result.Difference != nil && result.Difference.What == "" {
			t.Errorf("a difference of nothing: %+v", result.Difference)
		}
		if r, err := trace.NewReader(bytes.NewReader(b)); err == nil {
			var out bytes.Buffer
			trace.Show(&out, r, 0)
		}
	})
}
