package host

import (
	"fmt"
	"runtime/debug"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// What of a plugin is recorded.
const (
	RecordOff  = "off"  // nothing; costs nothing
	RecordAll  = "all"  // everything, in a file for each instance
	RecordRing = "ring" // the last of it, for each lane
)

// Record says what is recorded of a plugin, see package trace. What an instance is
// given and what it answers is copied on its lane; a goroutine writes it to disk,
// and what that cannot keep up with is left out.
type Record struct {
	// Mode is [RecordAll], [RecordRing] or [RecordOff]. Default off. Plugins that are
	// native are not recorded.
	Mode string

	// Dir gets the traces and a copy of the module. It is made with mode 0700, for
	// traces have what people sent. Required unless Mode is off.
	Dir string

	// Size is about how many bytes a ring keeps of each lane, not counting the
	// instance's memory, of which four copies are kept. Default 64 MiB.
	Size int64

	// Redact leaves out what was sent, but for how long it was. Not with a ring. Traces
	// of failures are then not written at all, whatever Mode says.
	Redact bool

	// Digests leaves commands out, but for a sum of each call's: a replay then tells
	// that something differs, and not what.
	Digests bool
}

const defaultRing = 64 << 20

func (r *Record) validate(key string, bad func(key string, value any, remedy string)) {
	switch r.Mode {
	case "", RecordOff:
		return
	case RecordAll, RecordRing:
	default:
		bad(key+".record", fmt.Sprintf("%q", r.Mode), "off, all or ring")
	}
	if r.Dir == "" {
		bad(key+".record_dir", `""`, "name a directory for the traces, which have what people send")
	}
	if r.Mode == RecordRing && r.Redact {
		bad(key+".record_redact", true, "not with a ring, whose files begin with the plugin's memory; record all")
	}
	if r.Size != 0 && r.Size < 1<<20 {
		bad(key+".record_size", r.Size, "at least 1MiB")
	}
}

// startRecording makes the plugin's recordings, if it is to be recorded.
func (p *plugin) startRecording(wasm []byte) (err error) {
	r := &p.cfg.Record
	if r.Mode == "" || r.Mode == RecordOff {
		return nil
	}
	o := trace.RecordOptions{Dir: r.Dir, Redact: r.Redact, DigestsOnly: r.Digests, Log: p.log}
	if r.Mode == RecordRing {
		o.Ring = r.Size
	}
	if p.recordings, err = trace.NewRecordings(o); err == nil {
		err = p.recordings.KeepModule(p.digest, wasm)
	}
	if err != nil {
		return fmt.Errorf("record_dir: %w", err)
	}
	return nil
}

// An instance is a [guest.Instance], recorded or not.
type instance interface {
	trace.Instance
	Again(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
}

// recorded is g, or what records it.
func (p *plugin) recorded(g *guest.Instance, h trace.Header) instance {
	if p.recordings == nil {
		return g
	}
	return p.recordings.Record(g, h)
}

// traceHeader says whose trace it is and how to start such an instance.
func (p *plugin) traceHeader(o guest.Options, lane int) trace.Header {
	fill(&o.Rings, abi.DefaultRing)
	fill(&o.Area, abi.DefaultArea)
	h := trace.Header{
		Plugin: p.cfg.Name, Host: program(), Lane: lane, Digest: p.digest, ABI: abi.Major,
		Rings: o.Rings, Area: o.Area, Memory: o.MemoryMax, Offered: o.Offered, Boot: o.Boot,
	}
	h.Budget(&o)
	return h
}

// program names this host and its version.
func program() string {
	const path, name = "github.com/yimmo-host/yimmo-host", "yimmo-host"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == path && m.Version != "" {
			return name + " " + m.Version
		}
	}
	return name
}
