package trace_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// What a recorded instance did is repeated by another one to the last byte.
func TestReplaySame(t *testing.T) {
	c := chaos(t)
	r := recorded(t, c, trace.RecordOptions{})
	d := r.start().start()
	for range 20 {
		d.texts("one two", "three", "bytes \xff")
	}
	d.texts("fill", "after")
	d.give(abi.Event{Kind: abi.EventClose, ID: 7, Code: 1000, Flags: abi.WhoPeer | abi.FlagClean}, "bye")
	d.give(abi.Event{Kind: abi.EventStop}, "")
	d.close()
	all := r.files()
	if len(all) != 1 {
		t.Fatalf("got %d files, want 1", len(all))
	}
	if d.turn <= 25 {
		t.Errorf("got %d calls, want a turn of several", d.turn)
	}
	same(t, c, all[0], d.turn)
	_, records, err := readAll(bytes.NewReader(all[0]))
	if err != io.EOF {
		t.Fatal(err)
	}
	if end, ok := records[len(records)-1].(*trace.End); !ok || *end != (trace.End{Reason: trace.EndClosed, Calls: d.turn}) {
		t.Errorf("the end: got %+v", records[len(records)-1])
	}
}

// conversation is a trace of a short one, and its calls.
func conversation(t *testing.T, o trace.RecordOptions) []byte {
	t.Helper()
	r := recorded(t, chaos(t), o)
	d := r.start().start()
	d.texts("one")
	d.give(abi.Event{Kind: abi.EventConnect, ID: 8}, string(abi.AppendFields(nil)))
	recv := abi.Event{Kind: abi.EventRecv, Flags: abi.FlagFIN | abi.OpText, ID: 7}
	other := recv
	other.ID = 8
	d.give(recv, "bytes mine", other, "bytes theirs", recv, "two", other, "three")
	d.texts("four")
	d.close()
	return r.files()[0]
}

// Another version of a plugin differs; the difference names the event that it
// comes from and shows both sides.
func TestReplayOther(t *testing.T) {
	b := conversation(t, trace.RecordOptions{})
	tests := []struct {
		name   string
		change func(p *trace.Player)
		want   *trace.Difference
	}{
		{"the first", func(*trace.Player) {}, &trace.Difference{
			Call: 2, What: "command 1 of 1", Sure: true,
			Event:    `connect 0000000000000007 :method=GET :path=/chaos?key=secret cookie=secret`,
			Recorded: `send 0000000000000007 text `, Replayed: `send 0000000000000007 text `}},
		{"of a session", func(p *trace.Player) { p.Session = 8 }, &trace.Difference{
			Call: 4, What: "command 1 of 1", Sure: true,
			Event:    `connect 0000000000000008`,
			Recorded: `send 0000000000000008 text `, Replayed: `send 0000000000000008 text `}},
		{"none until then", func(p *trace.Player) { p.Until = 1 }, nil},
	}
	for _, tt := range tests {
		got, err := replay(t, chaos(t), b, another, tt.change)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		d, want := got.Difference, tt.want
		if d == nil || want == nil {
			if d != nil || want != nil {
				t.Errorf("%s: got %+v, want %+v", tt.name, d, want)
			}
			continue
		}
		if d.Call != want.Call || d.What != want.What || d.Event != want.Event || d.Sure != want.Sure ||
			!strings.HasPrefix(d.Recorded, want.Recorded) || !strings.HasPrefix(d.Replayed, want.Replayed) || !strings.HasPrefix(d.Detail, want.Detail) {
			t.Errorf("%s: got %+v, want %+v", tt.name, d, want)
		}
	}
}

// A session that the trace does not know is more likely a slip than all the same.
func TestReplayNoSession(t *testing.T) {
	b := conversation(t, trace.RecordOptions{})
	if _, err := replay(t, chaos(t), b, another, func(p *trace.Player) { p.Session = 9 }); !errors.Is(err, trace.ErrNoSession) {
		t.Errorf("got %v, want %v", err, trace.ErrNoSession)
	}
}

// In a turn of several events the one that a difference comes from is found.
func TestReplayLocates(t *testing.T) {
	c := chaos(t)
	r := recorded(t, c, trace.RecordOptions{})
	d := r.start().start()
	d.texts("bytes a", "bytes b", "bytes c", "panic no", "bytes d")
	d.close()
	if d.err == nil {
		t.Fatal("the guest did not trap")
	}
	b := r.files()[0]
	same(t, c, b, d.turn) // it traps again
	_, records, _ := readAll(bytes.NewReader(b))
	call := records[len(records)-2].(*trace.Call)
	if end := records[len(records)-1].(*trace.End); end.Reason != trace.EndTrap || call.Trap != guest.KindTrap || call.Text == "" {
		t.Errorf("got %+v and %v %q, want the end of a trap", end, call.Trap, call.Text)
	}

	// The same with another payload recorded: the third event is to blame.
	h, _, _ := readAll(bytes.NewReader(b))
	forged := trace.AppendHeader(trace.AppendPreamble(nil), h)
	r2 := recorded(t, c, trace.RecordOptions{})
	d = r2.start().start()
	d.texts("bytes a", "bytes b", "bytes c", "bytes d")
	d.close()
	_, records, _ = readAll(bytes.NewReader(r2.files()[0]))
	for _, rec := range records {
		call, ok := rec.(*trace.Call)
		if !ok {
			continue
		}
		if bytes.Contains(call.Data, []byte("bytes c")) {
			call.Data = bytes.Replace(call.Data, []byte("bytes c"), []byte("bytes C"), 1)
			call.Digest++
		}
		forged = trace.AppendCall(forged, call)
	}
	got, err := replay(t, c, trace.AppendEnd(forged, &trace.End{Reason: trace.EndClosed}))
	if err != nil || got.Difference == nil {
		t.Fatalf("got %+v, %v, want a difference", got, err)
	}
	if d := got.Difference; !d.Sure || d.What != "command 3 of 4" || d.Event != `recv 0000000000000007 seq 0 text 7 B "bytes c"` ||
		d.Recorded != `send 0000000000000007 binary 7 B "bytes C"` || d.Replayed != `send 0000000000000007 binary 7 B "bytes c"` {
		t.Errorf("got %+v", d)
	}
}

// A trace of digests tells that something differs, not what.
func TestReplayDigests(t *testing.T) {
	b := conversation(t, trace.RecordOptions{DigestsOnly: true})
	same(t, chaos(t), b, 6)
	got, err := replay(t, chaos(t), b, another)
	if err != nil || got.Difference == nil || got.Difference.Call != 2 || !strings.Contains(got.Difference.What, "digest") {
		t.Errorf("another version: got %+v, %v", got.Difference, err)
	}
	if _, err := replay(t, chaos(t), b, func(p *trace.Player) { p.Session = 7 }); !errors.Is(err, trace.ErrNoCommands) {
		t.Errorf("for a session: got %v, want %v", err, trace.ErrNoCommands)
	}
	if whole := conversation(t, trace.RecordOptions{}); len(b) >= len(whole) {
		t.Errorf("digests take %d bytes, commands %d", len(b), len(whole))
	}
}

// Nothing that was sent is in a redacted trace, and an echo still replays.
func TestRedacted(t *testing.T) {
	c := wat(t, "echo")
	r := recorded(t, c, trace.RecordOptions{Redact: true})
	d := r.start().start()
	d.texts("my secret", "and another secret")
	d.give(abi.Event{Kind: abi.EventTopic, Code: 6}, "secret rooms")
	d.close()
	if got := d.said[len(d.said)-1]; got != "and another secret" {
		t.Errorf("the guest itself said %q", got)
	}
	b := r.files()[0]
	if bytes.Contains(b, []byte("secret")) {
		t.Error("the trace has what was sent")
	}
	for _, kept := range []string{":method", "GET", ":path", "cookie", ":plugin", "chaos"} {
		if !bytes.Contains(b, []byte(kept)) {
			t.Errorf("the trace lacks %s", kept)
		}
	}
	h, records, _ := readAll(bytes.NewReader(b))
	if !h.Redacted {
		t.Error("the header does not say that it is redacted")
	}
	for _, rec := range records {
		if call, ok := rec.(*trace.Call); ok {
			for e, p := range call.AllEvents() {
				if e.Kind == abi.EventRecv && (len(p) == 0 || bytes.Trim(p, "\x00") != nil) {
					t.Errorf("recv: got payload %q, want zeros", p)
				}
			}
		}
	}
	same(t, c, b, d.turn)

	b = conversation(t, trace.RecordOptions{Redact: true})
	got, err := replay(t, chaos(t), b)
	if err != nil || got.Difference == nil || !got.Difference.Redacted {
		t.Errorf("a plugin that reads what it gets: got %+v, %v, want a difference marked so", got, err)
	}
}

// A trace that is cut off is replayed as far as it goes.
func TestReplayTruncated(t *testing.T) {
	b := conversation(t, trace.RecordOptions{})
	got, err := replay(t, chaos(t), b[:len(b)-40])
	if err != nil || got.Difference != nil || got.Calls != 5 || !errors.Is(got.Incomplete, trace.ErrTruncated) {
		t.Errorf("got %+v, %v, want 5 calls and %v", got, err, trace.ErrTruncated)
	}
	bad := bytes.Clone(b)
	bad[len(bad)/2] ^= 1
	if _, err := replay(t, chaos(t), bad); !errors.Is(err, trace.ErrDamaged) {
		t.Errorf("damaged: got %v, want %v", err, trace.ErrDamaged)
	}
	if _, err := replay(t, chaos(t), nil); !errors.Is(err, trace.ErrNotTrace) {
		t.Errorf("nothing: got %v, want %v", err, trace.ErrNotTrace)
	}
}

// Events that another plugin has no room for are no difference but an error.
func TestReplayDoesNotFit(t *testing.T) {
	c := chaos(t)
	r := recorded(t, c, trace.RecordOptions{})
	d := r.start().start()
	d.texts(strings.Repeat("x", 60000))
	d.close()
	h, records, _ := readAll(bytes.NewReader(r.files()[0]))
	h.Area, h.AreaAt.Cap = 1<<20, 1<<20
	b := trace.AppendHeader(trace.AppendPreamble(nil), h)
	for _, rec := range records {
		if call, ok := rec.(*trace.Call); ok {
			call.Area = h.AreaAt
			if len(call.Payloads) > 50000 {
				e, _ := abi.ParseEvent(call.Events)
				e.Addr += 512 << 10
				call.Events = abi.AppendEvent(nil, &e)
			}
			b = trace.AppendCall(b, call)
		}
	}
	small := func(p *trace.Player) {
		start := p.Start
		p.Start = func(o guest.Options) (trace.Instance, error) { o.Area = abi.MinArea; return start(o) }
	}
	if _, err := replay(t, c, b, small); !errors.Is(err, trace.ErrDoesNotFit) {
		t.Errorf("got %v, want %v", err, trace.ErrDoesNotFit)
	}
}

// What a checkpoint claims costs nothing before its memory has come.
func TestReplayClaims(t *testing.T) {
	c := wat(t, "echo")
	h := headerOf(c, options())
	h.Memory = 65535 << 16
	b := trace.AppendHeader(trace.AppendPreamble(nil), &h)
	b = trace.AppendState(b, &trace.Checkpoint{Memory: uint64(h.Memory)})
	p := trace.Player{Digest: c.Digest(), Start: func(guest.Options) (trace.Instance, error) { return c.Start(t.Context(), options()) }}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := p.Replay(t.Context(), bytes.NewReader(b))
	runtime.ReadMemStats(&after)
	if err != nil || !errors.Is(got.Incomplete, trace.ErrTruncated) {
		t.Errorf("Replay: got %+v, %v, want one that is cut off", got, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("a trace of %d bytes: %d allocated", len(b), n)
	}
}
