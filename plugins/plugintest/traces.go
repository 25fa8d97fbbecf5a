package plugintest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// Traces gives the plugin what every trace in testdata has, each in a subtest of
// its name, and checks that it answers the same to the last byte. A host makes
// traces of what it serves (record = "all" in its configuration); the plugin may
// have changed since then, but not in what they show. There must be one.
func Traces(t *testing.T) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*"+trace.Suffix))
	if err != nil || len(names) == 0 {
		t.Fatalf("plugintest: no traces in testdata: %v", err)
	}
	c, err := code()
	if err != nil {
		t.Fatalf("plugintest: %v", err)
	}
	p := trace.Player{Digest: c.Digest(), Start: func(o guest.Options) (trace.Instance, error) {
		o.TurnTime, o.StartTime = turnTime, startTime
		return c.Start(t.Context(), o)
	}}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) { replay(t, &p, name) })
	}
}

func replay(t *testing.T, p *trace.Player, name string) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	result, err := p.Replay(t.Context(), f)
	switch d := result.Difference; {
	case err != nil:
		t.Error(err)
	case d != nil:
		t.Errorf("turn %d: %s differs\nevent     %s\nrecorded  %s\nreplayed  %s\n%s", d.Turn.Turn, d.What, d.Event, d.Recorded, d.Replayed, d.Detail)
	case result.Incomplete != nil:
		t.Errorf("replayed %d calls only: %v", result.Calls, result.Incomplete)
	}
}
