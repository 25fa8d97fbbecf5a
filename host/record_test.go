package host_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// What a plugin served, an instance on another day does again, to the last byte.
func TestRecord(t *testing.T) { eachTransport(t, testRecord) }

func testRecord(t *testing.T, on transport) {
	for _, record := range []host.Record{
		{Mode: host.RecordAll}, {Mode: host.RecordRing}, {Mode: host.RecordAll, Redact: true}, {Mode: host.RecordAll, Digests: true},
	} {
		record.Dir = filepath.Join(t.TempDir(), "traces")
		plugin := echo(t, "Hello!")
		plugin.Record, plugin.Lanes = record, 2
		s := on.serve(t, host.Limits{}, plugin)
		peers := []*peer{s.open(t, "/echo"), s.open(t, "/echo", "Cookie: confidential")}
		for _, p := range peers {
			p.wantText("Hello!")
			p.text("confidential")
			p.wantText("confidential")
			p.text(strings.Repeat("x", 300<<10)) // more than the receive area
			p.frame()
			p.frame()
			p.leave()
		}
		s.stop(t, nil)
		calls := replayAll(t, plugin.Module, record.Dir, func(name string, b []byte, got trace.Result) {
			if got.Difference != nil || got.Incomplete != nil {
				t.Errorf("%+v: %s: got %+v %+v", record, name, got, got.Difference)
			}
			if got := bytes.Contains(b, []byte("confidential")); got == record.Redact {
				t.Errorf("%+v: %s has what was sent: %v", record, name, got)
			}
		})
		if calls < 10 {
			t.Errorf("%+v: got %d calls, want more", record, calls)
		}
	}
}

// replayAll replays all traces in a directory, and returns how many calls they
// have.
func replayAll(t *testing.T, module []byte, dir string, check func(name string, b []byte, got trace.Result)) (calls uint64) {
	t.Helper()
	r, err := host.NewReplayer(t.Context(), module, host.Config{CacheDir: testguest.CacheDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	names, _ := filepath.Glob(filepath.Join(dir, "*.trace"))
	for _, name := range names {
		b := readAll(t, name)
		got, err := r.Replay(t.Context(), bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		check(name, b, got)
		calls += got.Calls
	}
	if modules, _ := filepath.Glob(filepath.Join(dir, "*.wasm")); len(modules) != 1 || !bytes.Equal(readAll(t, modules[0]), module) {
		t.Errorf("beside the traces are %v, want a copy of the module", modules)
	}
	return calls
}

// A plugin that fails is recorded too, and what the host did about it: a replay
// fails at the same event and is put back as that one was.
func TestRecordTrap(t *testing.T) {
	for _, tt := range []struct {
		mode, recovery string
		back           bool
	}{
		{host.RecordAll, host.RecoveryRollback, true},
		{host.RecordRing, host.RecoveryRollback, true},
		{host.RecordAll, host.RecoveryFail, false},
	} {
		t.Run(tt.mode+", "+tt.recovery, func(t *testing.T) {
			plugin := wat(t, "trap_in_recv")
			plugin.Record, plugin.Recovery = host.Record{Mode: tt.mode, Dir: t.TempDir()}, tt.recovery
			s := auto.serve(t, host.Limits{}, plugin)
			p, other := s.open(t, "/trap_in_recv"), s.open(t, "/trap_in_recv")
			p.text("good")
			p.wantText("good")
			p.text("bad!")
			p.wantClose(1011)
			p.close(1011)
			p.Close()
			if tt.back {
				other.text("still here")
				other.wantText("still here")
				other.leave()
			}
			other.Close()
			s.stop(t, nil)
			traps, back := 0, false
			replayAll(t, plugin.Module, plugin.Record.Dir, func(name string, b []byte, got trace.Result) {
				if got.Difference != nil {
					t.Errorf("%s: got %+v", name, got.Difference)
				}
				r, err := trace.NewReader(bytes.NewReader(b))
				for err == nil {
					var rec trace.Record
					rec, err = r.Next()
					switch rec := rec.(type) {
					case *trace.Call:
						if rec.Trap == guest.KindTrap {
							traps++
						}
					case *trace.Mark:
						back = back || rec.Load
					}
				}
			})
			if traps == 0 || back != tt.back {
				t.Errorf("got %d traps in the traces, put back %v, want %v", traps, back, tt.back)
			}
		})
	}
}

// A plugin that is put back to before several calls, because it failed at the rest of
// what it had to say, is recorded like any other.
func TestRecordRest(t *testing.T) {
	for _, mode := range []string{host.RecordAll, host.RecordRing} {
		plugin := sins(t, "")
		plugin.Record = host.Record{Mode: mode, Dir: t.TempDir()}
		s := auto.serve(t, host.Limits{}, plugin)
		p := s.open(t, "/sins")
		for range 2 {
			bad := s.open(t, "/sins")
			bad.text("one")
			bad.text("!*t")
			bad.wantText("one")
			for range 3072 {
				bad.frame()
			}
			bad.wantEnd(1011)
			p.alive()
		}
		p.leave()
		s.stop(t, nil)
		calls := replayAll(t, plugin.Module, plugin.Record.Dir, func(name string, _ []byte, got trace.Result) {
			if got.Difference != nil || got.Incomplete != nil {
				t.Errorf("%s: %s: got %+v %+v", mode, name, got, got.Difference)
			}
		})
		if calls < 10 {
			t.Errorf("%s: got %d calls, want more", mode, calls)
		}
	}
}

// A plugin that has used up its budget does so again in a replay, at the same place.
func TestRecordBudget(t *testing.T) {
	plugin, failures := wat(t, "loop_in_recv"), t.TempDir()
	plugin.Record = host.Record{Mode: host.RecordAll, Dir: t.TempDir()}
	s := auto.serveWith(t, func(c *host.Config) { c.TraceDir = failures }, host.Limits{TurnUnits: 1_000_000}, plugin)
	p := s.open(t, "/loop_in_recv")
	p.text("bad!")
	p.wantEnd(1011)
	s.log.wait(t, "kind=budget")
	s.stop(t, nil)
	for _, dir := range []string{plugin.Record.Dir, failures} {
		calls := replayAll(t, plugin.Module, dir, func(name string, _ []byte, got trace.Result) {
			if got.Difference != nil {
				t.Errorf("%s: got %+v, want no difference", name, got.Difference)
			}
		})
		if calls == 0 {
			t.Errorf("%s has no calls", dir)
		}
	}
}

// A directory that cannot be made keeps the plugin from starting.
func TestRecordNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	plugin := echo(t, "")
	plugin.Record = host.Record{Mode: host.RecordAll, Dir: filepath.Join(file, "traces")}
	_, err := host.New(t.Context(), config(newLogbook(t), host.Limits{}, plugin))
	if err == nil || !strings.Contains(err.Error(), "plugin echo: record_dir: mkdir") {
		t.Errorf("New: got %v, want that the directory cannot be made", err)
	}
}
