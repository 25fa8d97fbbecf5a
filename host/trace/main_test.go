package trace_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

func TestMain(m *testing.M) {
	if out := os.Getenv("CHAOS"); out != "" { // see TestTwoProcesses
		os.Exit(childMain(out))
	}
	os.Exit(m.Run())
}

var engine = sync.OnceValue(func() *guest.Engine {
	e, err := guest.NewEngine(testguest.CacheDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	return e
})

// build builds testdata/chaos.
func build() ([]byte, error) { return testguest.Go("testdata/chaos") }

var codes sync.Map

// chaos is the guest testdata/chaos, compiled.
func chaos(t testing.TB) *guest.Code {
	t.Helper()
	wasm, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return code(t, "chaos", wasm)
}

// another makes a player play with another version of chaos, whose answers end
// with a question mark.
func another(p *trace.Player) {
	start := p.Start
	p.Digest = "another"
	p.Start = func(o guest.Options) (trace.Instance, error) {
		i, err := start(o)
		return questions{i}, err
	}
}

type questions struct{ trace.Instance }

func (q questions) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	commands, consumed, more, err = q.Instance.Turn(first, n, h)
	for i := range commands {
		c, _ := abi.ParseCommand(q.Commands()[i*abi.RecordSize:])
		if p, _ := c.Range(q.Memory()); len(p) > 0 && p[len(p)-1] == '!' {
			p[len(p)-1] = '?'
		}
	}
	return commands, consumed, more, err
}

// wat is a module of host/guest.
func wat(t testing.TB, name string) *guest.Code {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("../guest/testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return code(t, name, wasm)
}

func code(t testing.TB, name string, wasm []byte) *guest.Code {
	t.Helper()
	compiled, _ := codes.LoadOrStore(name, sync.OnceValues(func() (*guest.Code, error) {
		return engine().Compile(t.Context(), name, wasm)
	}))
	c, err := compiled.(func() (*guest.Code, error))()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// options leave a guest time under the race detector on a busy machine.
func options() guest.Options {
	return guest.Options{
		Rings: 64, Area: abi.MinArea, MemoryMax: 32 << 20, TurnTime: time.Minute, StartTime: time.Minute,
		Offered: abi.FeatureHTTP | abi.FeatureTimers,
		Boot:    guest.Header{Now: 1767225600e9, Mono: 1, Seed: 99},
	}
}

// headerOf is the header of a trace of an instance started with o.
func headerOf(c *guest.Code, o guest.Options) trace.Header {
	return trace.Header{
		Plugin: "chaos", Host: "test", Digest: c.Digest(), ABI: abi.Major, Rings: o.Rings, Area: o.Area,
		Memory: o.MemoryMax, Offered: o.Offered, Boot: o.Boot,
	}
}

// A recording is a test's plugin, its recordings and what they logged.
type recording struct {
	*trace.Recordings
	t    testing.TB
	dir  string
	code *guest.Code
	log  bytes.Buffer
}

func recorded(t testing.TB, c *guest.Code, o trace.RecordOptions) *recording {
	t.Helper()
	r := &recording{t: t, dir: t.TempDir(), code: c}
	o.Dir, o.Log = r.dir, slog.New(slog.NewTextHandler(&lockedWriter{w: &r.log}, nil))
	var err error
	if r.Recordings, err = trace.NewRecordings(o); err != nil {
		t.Fatal(err)
	}
	return r
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(p)
}

// start starts an instance that is recorded.
func (r *recording) start() *driver {
	r.t.Helper()
	o := options()
	i, err := r.code.Start(r.t.Context(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	return &driver{t: r.t, Instance: r.Record(i, headerOf(r.code, o))}
}

// files ends the recording and returns its traces, oldest first.
func (r *recording) files() (all [][]byte) {
	r.t.Helper()
	if err := r.Recordings.Close(); err != nil {
		r.t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(r.dir, "*.trace"))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// A driver gives an instance turns as a lane would.
type driver struct {
	t testing.TB
	trace.Instance
	turn uint64
	said []string // payloads of all that the guest sent
	err  error    // of the call that failed
}

// start gives it the start event and a session, 7.
func (d *driver) start() *driver {
	d.give(abi.Event{Kind: abi.EventStart}, string(abi.AppendField(abi.AppendFields(nil), 0, ":plugin", "chaos")))
	fields := abi.AppendFields(nil)
	for _, f := range [][2]string{{":method", "GET"}, {":path", "/chaos?key=secret"}, {"cookie", "secret"}} {
		fields = abi.AppendField(fields, 0, f[0], f[1])
	}
	d.give(abi.Event{Kind: abi.EventConnect, ID: 7}, string(fields))
	return d
}

// texts gives it messages of session 7 in one turn.
func (d *driver) texts(all ...string) *driver {
	var events []any
	for _, text := range all {
		events = append(events, abi.Event{Kind: abi.EventRecv, Flags: abi.FlagFIN | abi.OpText, ID: 7}, text)
	}
	return d.give(events...)
}

// give runs one turn of events and payloads in turn.
func (d *driver) give(events ...any) *driver {
	area, addr := d.Area()
	used, n := 0, 0
	for ; 2*n < len(events); n++ {
		e, payload := events[2*n].(abi.Event), events[2*n+1].(string)
		e.Addr, e.Len = addr+uint32(used), uint32(copy(area[used:], payload))
		abi.PutEvent(d.Events()[n*abi.RecordSize:], &e)
		used += (len(payload) + 7) &^ 7
	}
	for first, more := 0, true; more; {
		d.turn++
		h := guest.Header{Now: 1767225600e9 + int64(d.turn)*1e6, Mono: int64(d.turn) * 1e6, Seed: d.turn * 77, Turn: d.turn}
		m, consumed, left, err := d.Turn(first, n, h)
		if d.err = err; err != nil {
			return d
		}
		for i := range m {
			c, _ := abi.ParseCommand(d.Commands()[i*abi.RecordSize:])
			p, _ := c.Range(d.Memory())
			d.said = append(d.said, string(p))
		}
		first, more = consumed, consumed < n || left
	}
	return d
}

// written waits until all that was recorded is.
func (d *driver) written() {
	for d.Instance.(*trace.Recorder).Busy() {
		runtime.Gosched()
	}
}

func (d *driver) close() {
	d.t.Helper()
	if err := d.Close(); err != nil {
		d.t.Error(err)
	}
}

// replay runs a trace against a module.
func replay(t testing.TB, c *guest.Code, b []byte, change ...func(p *trace.Player)) (trace.Result, error) {
	t.Helper()
	p := &trace.Player{Digest: c.Digest(), Start: func(o guest.Options) (trace.Instance, error) {
		o.TurnTime, o.StartTime = time.Minute, time.Minute
		return c.Start(t.Context(), o)
	}}
	for _, f := range change {
		f(p)
	}
	return p.Replay(t.Context(), bytes.NewReader(b))
}

// same replays a trace, which must have so many calls, all as recorded.
func same(t testing.TB, c *guest.Code, b []byte, calls uint64) {
	t.Helper()
	got, err := replay(t, c, b)
	if err != nil || got.Difference != nil || got.Incomplete != nil || got.Calls != calls {
		t.Errorf("Replay: got %+v, %v, %+v, want %d calls without a difference", got, err, got.Difference, calls)
	}
}
