package host_test

import (
	"fmt"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A watch is the monitor session of testdata/guests/witness.wat: it sees every
// event of the others, as the guest does.
type watch struct{ *peer }

// A heard is an event as the guest heard it.
type heard struct {
	abi.Event
	payload string
}

func (e heard) String() string {
	return fmt.Sprintf("%v{id %x code %d flags %#02x seq %d %.40q}", e.Kind, e.ID, e.Code, e.Flags, e.Seq, e.payload)
}

// watch opens the monitor; it must be the first session of the instance.
func (s *server) watch(t testing.TB) *watch {
	t.Helper()
	w := &watch{s.open(t, "/witness")}
	w.barrier()
	return w
}

// event returns the next event.
func (w *watch) event() heard {
	w.t.Helper()
	f := w.frame()
	e, ok := parseHeard(f)
	if !ok {
		w.t.Fatalf("monitor: got %v, want an event", f)
	}
	return e
}

func parseHeard(f rawws.Frame) (heard, bool) {
	e, ok := abi.ParseEvent([]byte(f.Payload))
	if f.Flags != 0x82 || !ok {
		return heard{}, false
	}
	return heard{e, f.Payload[abi.RecordSize:]}, true
}

// next returns the next event, which must be of that kind.
func (w *watch) next(kind abi.EventKind) heard {
	w.t.Helper()
	e := w.event()
	if e.Kind != kind {
		w.t.Fatalf("monitor: got %v, want %v", e, kind)
	}
	return e
}

// barrier returns what the guest has heard until now.
func (w *watch) barrier() (all []heard) {
	w.t.Helper()
	w.text("barrier")
	for {
		f := w.frame()
		if f.Payload == "barrier" {
			return all
		}
		e, ok := parseHeard(f)
		if !ok {
			w.t.Fatalf("monitor: got %v, want an event", f)
		}
		all = append(all, e)
	}
}

// leave ends the monitor; what it would still have heard is dropped.
func (w *watch) leave() {
	w.t.Helper()
	w.close(1000)
	for f := w.frame(); f.Flags != 0x88; f = w.frame() {
		if _, ok := parseHeard(f); !ok {
			w.t.Fatalf("monitor: got %v, want an event or close", f)
		}
	}
	w.wantEOF()
}
