package trace_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// A ring keeps the last of what happened: four files, each of which begins with
// the plugin's state and is replayed by itself.
func TestRing(t *testing.T) {
	c := chaos(t)
	r := recorded(t, c, trace.RecordOptions{Ring: 64 << 10})
	d := r.start().start()
	for range 150 {
		d.texts("one two", "bytes "+strings.Repeat("x", 1000))
		d.written() // or the disk decides where a file begins
	}
	d.close()
	all := r.files()
	if len(all) != 4 {
		t.Fatalf("got %d files, want 4", len(all))
	}
	next := uint64(0)
	for i, b := range all {
		h, records, err := readAll(bytes.NewReader(b))
		if err != io.EOF || !h.Continuation {
			t.Fatalf("file %d: got %+v, %v", i, h, err)
		}
		if _, ok := records[0].(*trace.Checkpoint); !ok {
			t.Errorf("file %d begins with %T, want a checkpoint", i, records[0])
		}
		end := records[len(records)-1].(*trace.End)
		want := uint8(trace.EndPart)
		if i == len(all)-1 {
			want = trace.EndClosed
		}
		if end.Reason != want || end.Calls == 0 {
			t.Errorf("file %d: end: got %+v, want reason %d", i, end, want)
		}
		for _, rec := range records {
			if call, ok := rec.(*trace.Call); ok {
				if next != 0 && call.Turn.Turn != next {
					t.Errorf("file %d: turn %d, want %d: calls are missing", i, call.Turn.Turn, next)
				}
				next = call.Turn.Turn + 1
			}
		}
		same(t, c, b, end.Calls)
		if got, err := replay(t, c, b, another); !errors.Is(err, trace.ErrOtherModule) {
			t.Errorf("file %d, another module: got %+v, %v, want %v", i, got, err, trace.ErrOtherModule)
		}
	}
	if next != d.turn+1 {
		t.Errorf("the last turn is %d, want %d", next-1, d.turn)
	}
	if _, err := trace.NewRecordings(trace.RecordOptions{Dir: t.TempDir(), Ring: 1, Redact: true}); !errors.Is(err, trace.ErrRedactedRing) {
		t.Errorf("a redacted ring: got %v, want %v", err, trace.ErrRedactedRing)
	}
}

// A host that puts its instance back says so in the trace, and the replay does it
// too.
func TestSaveAndLoad(t *testing.T) {
	c := chaos(t)
	for _, ring := range []int64{0, 100 << 10} {
		r := recorded(t, c, trace.RecordOptions{Ring: ring})
		d := r.start().start()
		var first, second guest.Checkpoint
		save := func(c *guest.Checkpoint) {
			if err := d.Save(c); err != nil {
				t.Fatal(err)
			}
		}
		load := func(c *guest.Checkpoint) {
			if err := d.Load(c); err != nil {
				t.Fatal(err)
			}
		}
		d.texts("one")
		save(&first)
		d.texts("two")
		if d.texts("panic over"); d.err == nil {
			t.Fatal("the guest did not trap")
		}
		load(&first)
		d.texts("three")
		save(&second)
		d.texts(strings.Repeat("four ", 10_000)) // more than a file of the ring
		load(&second)
		d.texts("five")
		d.written()
		if d.texts("six", "panic again"); d.err == nil {
			t.Fatal("the guest did not trap")
		}
		load(&first)
		d.texts("seven")
		d.close()
		calls := uint64(0)
		for _, b := range r.files() {
			_, records, _ := readAll(bytes.NewReader(b))
			end := records[len(records)-1].(*trace.End)
			same(t, c, b, end.Calls)
			calls += end.Calls
		}
		if calls != d.turn {
			t.Errorf("ring of %d: got %d calls recorded, want %d", ring, calls, d.turn)
		}
		if log := r.log.String(); strings.Contains(log, "WARN") || strings.Contains(log, "ERROR") {
			t.Errorf("log: %s", log)
		}
	}
}

// A disk that is slow does not hold up the lane: calls are left out, the trace and
// the log say so, and a checkpoint leads on.
func TestGap(t *testing.T) {
	c := chaos(t)
	r := recorded(t, c, trace.RecordOptions{Buffer: 64 << 10})
	stuck, goOn := make(chan struct{}), make(chan struct{})
	r.Slow(stuck, goOn)
	d := r.start().start()
	<-stuck // the disk takes no more
	for range 20 {
		d.texts("bytes " + strings.Repeat("x", 10_000))
	}
	close(goOn)
	d.written()
	d.texts("one").texts("two")
	d.close()
	b := r.files()[0]
	_, records, err := readAll(bytes.NewReader(b))
	if err != io.EOF {
		t.Fatal(err)
	}
	var gap *trace.Gap
	calls, after := uint64(0), ""
	for i, rec := range records {
		switch rec := rec.(type) {
		case *trace.Call:
			calls++
		case *trace.Gap:
			gap = rec
			if _, ok := records[i+1].(*trace.Checkpoint); ok {
				after = "checkpoint"
			}
		}
	}
	if gap == nil || gap.Calls < 5 || gap.Calls+calls != d.turn || after != "checkpoint" {
		t.Fatalf("got gap %+v and %d calls of %d, after it %q", gap, calls, d.turn, after)
	}
	same(t, c, b, calls)
	if got, err := replay(t, c, b); err != nil || got.Missing != gap.Calls {
		t.Errorf("Replay: got %d calls missing, %v, want %d", got.Missing, err, gap.Calls)
	}
	if log := r.log.String(); !strings.Contains(log, "trace has a gap") {
		t.Errorf("log: got %s, want the gap", log)
	}
}

// A trace that is redacted has no checkpoint, behind a gap neither nor after the
// instance was put back to what it was before: the memory has what was sent.
func TestRedactedHasNoMemory(t *testing.T) {
	r := recorded(t, chaos(t), trace.RecordOptions{Buffer: 64 << 10, Redact: true})
	stuck, goOn := make(chan struct{}), make(chan struct{})
	r.Slow(stuck, goOn)
	d := r.start().start()
	<-stuck // the disk takes no more
	var saved guest.Checkpoint
	for range 20 {
		d.texts("bytes " + strings.Repeat("x", 10_000))
	}
	if err := d.Save(&saved); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	d.written()
	d.texts("one").texts("two")
	if err := d.Load(&saved); err != nil {
		t.Fatal(err)
	}
	d.texts("three")
	d.close()
	_, records, err := readAll(bytes.NewReader(r.files()[0]))
	if err != io.EOF {
		t.Fatal(err)
	}
	gaps := 0
	for _, rec := range records {
		switch rec.(type) {
		case *trace.Gap:
			gaps++
		case *trace.Checkpoint, *trace.Memory:
			t.Fatalf("got %T", rec)
		}
	}
	if gaps != 2 {
		t.Errorf("got %d gaps, want one of the disk and one to the end", gaps)
	}
}

// A disk that fails ends the recording and nothing else.
func TestDiskFails(t *testing.T) {
	r := recorded(t, wat(t, "echo"), trace.RecordOptions{})
	r.Fail(io.ErrShortWrite)
	d := r.start().start()
	d.texts("one").texts("two")
	d.close()
	if d.err != nil || d.said[len(d.said)-1] != "two" {
		t.Errorf("the guest said %q, %v", d.said, d.err)
	}
	r.files()
	if log := r.log.String(); strings.Count(log, "recording stops") != 1 || !strings.Contains(log, "short write") {
		t.Errorf("log: got %s, want that the recording stops, once", log)
	}
}

// Traces are for nobody but the host's user, and have the module beside them.
func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	r, err := trace.NewRecordings(trace.RecordOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	c := wat(t, "echo")
	i, err := c.Start(t.Context(), options())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.KeepModule(c.Digest(), []byte("module")); err != nil {
			t.Fatal(err)
		}
	}
	g := r.Record(i, headerOf(c, options()))
	g.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{dir: 0o700}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range names {
		want[name] = 0o600
	}
	if len(names) != 2 {
		t.Errorf("got files %v, want a trace and a module", names)
	}
	for name, mode := range want {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: got %v, %v, want mode %v", name, info.Mode(), err, mode)
		}
	}
}

// Recording a call allocates nothing.
func TestRecorderAllocates(t *testing.T) {
	r := recorded(t, wat(t, "echo"), trace.RecordOptions{})
	d := r.start().start()
	area, addr := d.Area()
	copy(area, "hello")
	for i := range 8 {
		abi.PutEvent(d.Events()[i*abi.RecordSize:], &abi.Event{Kind: abi.EventRecv, Flags: 0x81, ID: 7, Addr: addr, Len: 5})
	}
	turn := func() {
		for range 100 {
			if _, _, _, err := d.Turn(0, 8, guest.Header{Turn: 9}); err != nil {
				t.Fatal(err)
			}
		}
	}
	turn()
	if got := testing.AllocsPerRun(10, turn); got > 20 { // buffers of the queue grow now and then
		t.Errorf("100 calls: got %v allocations, want none but for buffers", got)
	}
	d.close()
	r.files()
}
