package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// What made a plugin fail is on disk, and fails again when it is replayed, be it at
// what it had yet to say.
func TestFailureTrace(t *testing.T) {
	for _, sin := range []string{"!t", "!+t"} {
		t.Run(sin, func(t *testing.T) { testFailureTrace(t, sin) })
	}
}

func testFailureTrace(t *testing.T, sin string) {
	dir := filepath.Join(t.TempDir(), "traces")
	bad := sins(t, "")
	s := auto.serveWith(t, func(c *host.Config) { c.TraceDir = dir }, host.Limits{}, bad)
	p := s.open(t, "/sins")
	for range 100 {
		p.text("hello")
		p.wantText("hello")
	}
	for range 3 { // one trace in ten seconds
		sinner := s.open(t, "/sins")
		sinner.text("fine")
		sinner.wantText("fine")
		sinner.text(sin)
		sinner.wantEnd(1011)
	}
	s.log.wait(t, "trace of the failure written")
	p.leave()
	s.stop(t, nil)
	traces, _ := filepath.Glob(filepath.Join(dir, "sins.0.*.failure.trace"))
	if len(traces) != 1 {
		t.Fatalf("%s has %v, want one trace", dir, traces)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, traces[0]: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want mode %o", name, info.Mode(), err, want)
		}
	}
	replayAll(t, bad.Module, dir, func(name string, _ []byte, got trace.Result) {
		if got.Difference != nil || got.Incomplete != nil || got.Calls == 0 {
			t.Errorf("replay of %s: got %+v, want no difference", name, got)
		}
	})
	if log := s.log.String(); strings.Count(log, "trace of the failure written") != 1 {
		t.Error("more than one trace was written")
	}
}

// A plugin whose recordings are redacted leaves no trace of a failure, which would
// have its memory, and it is said why.
func TestFailureRedacted(t *testing.T) {
	for _, mode := range []string{host.RecordAll, host.RecordOff} {
		failures := t.TempDir()
		bad := sins(t, "")
		bad.Record = host.Record{Mode: mode, Redact: true, Dir: t.TempDir()}
		s := auto.serveWith(t, func(c *host.Config) { c.TraceDir = failures }, host.Limits{}, bad)
		s.log.wait(t, "no traces of failures")
		sinner := s.open(t, "/sins")
		sinner.text("!t")
		sinner.wantEnd(1011)
		s.stop(t, nil)
		if names, _ := os.ReadDir(failures); len(names) > 0 {
			t.Errorf("record %s: got %v, want nothing", mode, names)
		}
	}
}
