package abitest

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A BadModule is a module that a host must refuse to load.
type BadModule struct {
	Name   string
	Module []byte
	Says   []string // what the error must contain, apart from case
}

// BadModules are mistakes that show before an instance takes its first session:
// bytes that are no plugin, exports and imports that are wrong, control blocks
// that do not hold water, and start-ups that fail.
func BadModules() []BadModule {
	turn, v1 := abi.ExportTurn, abi.ErrMajor.Error()
	all := []BadModule{
		{"empty", nil, nil},
		{"not_wasm", []byte("#!/bin/sh\n"), nil},
		{"header_alone", []byte("\x00asm\x01\x00\x00\x00"), nil},
		{"cut_short", Puppet()[:len(Puppet())-1], nil},
		{"cut_in_half", Puppet()[:len(Puppet())/2], nil},
	}
	says := map[string][]string{
		"no_memory": {abi.ExportMemory}, "memory_not_exported": {abi.ExportMemory}, "memory_imported": {"env"},
		"no_init": {abi.ExportInit}, "init_signature": {abi.ExportInit},
		"no_turn": {turn}, "turn_signature": {turn}, "turn_is_a_memory": {turn},
		"version_2": {v1, "2", "1"}, "import_env": {"env", "log"}, "import_wasi_unknown": {"fork"},
		"memory_65536_pages": {"memory"},
	}
	files, err := fs.Glob(guests, "guests/bad/*.wasm")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".wasm")
		all = append(all, BadModule{name, guest("bad/" + name), says[name]})
	}
	for _, b := range badBlocks {
		all = append(all, BadModule{"control_block_" + b.name, patched(b.patches...), b.says})
	}
	return all
}

var badBlocks = []struct {
	name    string
	patches []patch
	says    []string
}{
	{"magic", []patch{{abi.OffsetMagic, 0}}, says(abi.ErrMagic)},
	{"major_0", []patch{{abi.OffsetMajor, 0}}, says(abi.ErrMajor)},
	{"major_2", []patch{{abi.OffsetMajor, 2}}, says(abi.ErrMajor, "2", "1")},
	{"needs_reserved", []patch{{abi.OffsetNeeds, 1 << 31}}, says(abi.ErrNeeds)},
	{"needs_call", []patch{{abi.OffsetNeeds, uint32(abi.FeatureCall)}}, says(abi.ErrNeeds, "call")},
	{"events_none", []patch{{abi.OffsetEventsCap, 0}}, says(abi.ErrCapacity, "event")},
	{"events_few", []patch{{abi.OffsetEventsCap, abi.MinRing - 1}}, says(abi.ErrCapacity, "event")},
	{"events_many", []patch{{abi.OffsetEventsCap, abi.MaxRing + 1}}, says(abi.ErrCapacity, "event")},
	{"events_outside", []patch{{abi.OffsetEventsAddr, MemoryEnd - EventsCap*abi.RecordSize + 8}}, says(abi.ErrSpan, "event")},
	{"events_wrap", []patch{{abi.OffsetEventsAddr, 0xfffffff8}}, says(abi.ErrSpan, "event")},
	{"events_unaligned", []patch{{abi.OffsetEventsAddr, AddrEvents + 4}}, says(abi.ErrAlignment, "event")},
	{"commands_none", []patch{{abi.OffsetCommandsCap, 0}}, says(abi.ErrCapacity, "command")},
	{"commands_many", []patch{{abi.OffsetCommandsCap, 0xffffffff}}, says(abi.ErrCapacity, "command")},
	{"commands_outside", []patch{{abi.OffsetCommandsAddr, MemoryEnd}}, says(abi.ErrSpan, "command")},
	{"commands_unaligned", []patch{{abi.OffsetCommandsAddr, AddrCommands + 1}}, says(abi.ErrAlignment, "command")},
	{"area_small", []patch{{abi.OffsetAreaCap, abi.MinArea - 1}}, says(abi.ErrCapacity, "area")},
	{"area_large", []patch{{abi.OffsetAreaCap, abi.MaxArea + 1}}, says(abi.ErrCapacity, "area")},
	{"area_outside", []patch{{abi.OffsetAreaAddr, MemoryEnd - AreaCap + 8}}, says(abi.ErrSpan, "area")},
	{"area_unaligned", []patch{{abi.OffsetAreaAddr, AddrArea + 2}}, says(abi.ErrAlignment, "area")},
	{"rings_overlap", []patch{{abi.OffsetCommandsAddr, AddrEvents + 8}}, says(abi.ErrOverlap)},
	{"area_over_rings", []patch{{abi.OffsetAreaAddr, 0x2000}}, says(abi.ErrOverlap)},
	{"ring_over_block", []patch{{abi.OffsetEventsAddr, AddrControl}}, says(abi.ErrOverlap)},
	{"reserved", []patch{{52, 1}}, says(abi.ErrReserved)},
	{"reserved_end", []patch{{92, 1}}, says(abi.ErrReserved)},
	{"none", []patch{{patchResult, 0}}, nil},
	{"unaligned", []patch{{patchResult, AddrControl + 4}}, nil},
	{"past_the_end", []patch{{patchResult, MemoryEnd}}, says(abi.ErrShort)},
	{"across_the_end", []patch{{patchResult, MemoryEnd - abi.ControlSize + 8}}, says(abi.ErrShort)},
	{"wraps", []patch{{patchResult, 0xfffffff8}}, says(abi.ErrShort)},
}

func says(err error, also ...string) []string { return append(also, err.Error()) }

// runLoad is about modules that are not the puppet.
func runLoad(t *testing.T, start Start) {
	for _, bad := range BadModules() {
		t.Run("refused: "+bad.Name, func(t *testing.T) {
			t.Parallel()
			server, err := start(t, Plugin{Module: bad.Module})
			if err == nil {
				t.Cleanup(server.Stop)
				t.Fatalf("start: no error, want one that says %q", bad.Says)
			}
			for _, word := range bad.Says {
				if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(word)) {
					t.Errorf("start: %v: want it to say %q", err, word)
				}
			}
		})
	}
	for _, name := range []string{"minimal", "initialize", "two_majors"} {
		t.Run(name, func(t *testing.T) {
			c := open(t, start, guest("good/"+name))
			c.Send(t, abi.FlagFIN|abi.OpPing, nil)
			c.Expect(t, abi.FlagFIN|abi.OpPong, nil)
		})
	}
	t.Run("wasi", func(t *testing.T) { runWASI(t, start) })
}

// open starts a server and opens a session with a guest that accepts by itself.
func open(t *testing.T, start Start, module []byte) *Client {
	t.Helper()
	server, err := start(t, Plugin{Module: module})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(server.Stop)
	c, err := upgrade(server.URL, Request{})
	if err != nil {
		t.Fatalf("peer: upgrade: %v", err)
	}
	t.Cleanup(c.Cut)
	c.mustAnswer(t, 101)
	return c
}

// runWASI checks what a guest is told by WASI preview 1: nothing that its
// events do not say.
func runWASI(t *testing.T, start Start) {
	c := open(t, start, guest("good/wasi"))
	f := c.Recv(t)
	if len(f.Payload) != 192 {
		t.Fatalf("report: got frame %s, want 192 bytes", f)
	}
	p := f.Payload
	control, err := abi.ParseControl(p[96:])
	if err != nil {
		t.Fatalf("control block: %v", err)
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(p[at:]) }
	i64 := func(at int) int64 { return int64(binary.LittleEndian.Uint64(p[at:])) }
	const hour = int64(time.Hour)
	for _, clock := range []struct {
		name      string
		got, want int64
	}{
		{"wall clock", i64(0), control.Now}, {"monotonic clock", i64(8), control.Mono},
		{"wall clock after an hour's sleep", i64(16), control.Now + hour},
		{"monotonic clock after an hour's sleep", i64(24), control.Mono + hour},
	} {
		if clock.got != clock.want {
			t.Errorf("%s: got %d, want %d, as the control block says", clock.name, clock.got, clock.want)
		}
	}
	if bytes.Equal(p[32:48], make([]byte, 16)) {
		t.Error("random_get: 16 bytes are all zero")
	}
	if u32(48) != 0 || u32(52) > 1 || u32(56) != 6 { // the variable is GOMEMLIMIT
		t.Errorf("got %d arguments, %d environment variables, %d bytes written, want 0, at most 1, 6", u32(48), u32(52), u32(56))
	}
	const badf = 8
	for i, want := range []uint32{0, 0, 0, 0, 0, 0, badf, 0} {
		if got := u32(64 + 4*i); got != want {
			t.Errorf("error number of call %d: got %d, want %d", i, got, want)
		}
	}
	c.SendText(t, "exit")
	c.ExpectClose(t, abi.CloseInternal)
	c.SendClose(t, abi.CloseInternal, "")
	c.ExpectEOF(t)
}
