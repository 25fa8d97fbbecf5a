package trace_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

var header = trace.Header{
	Plugin: "echo", Host: "yimmo-host v1.2.3", Lane: 2, Time: time.Unix(1767225600, 5).UTC(),
	Digest: strings.Repeat("0123456789abcdef", 4), ABI: 1,
	Rings: 64, Area: 65536, Memory: 1 << 24, Offered: 0x7f, Boot: guest.Header{Now: 1, Mono: 2, Seed: 3, Turn: 0},
	Units: 1 << 40, StartTimes: 20, HookTimes: 21,
	Granted: 5, EventsCap: 64, CommandsCap: 32, AreaAt: abi.Span{Addr: 0x1000, Cap: 65536},
}

// events are records with payloads as a call has them.
func events(all ...any) (records, payloads []byte) {
	for i := 0; i < len(all); i += 2 {
		e, p := all[i].(abi.Event), all[i+1].(string)
		e.Addr, e.Len = header.AreaAt.Addr+uint32(len(payloads)), uint32(len(p))
		records, payloads = abi.AppendEvent(records, &e), append(payloads, p...)
	}
	return records, payloads
}

func commands(all ...any) (records, payloads []byte) {
	for i := 0; i < len(all); i += 2 {
		c, p := all[i].(abi.Command), all[i+1].(string)
		c.Addr, c.Len = 0x40000+uint32(len(payloads)), uint32(len(p))
		records, payloads = abi.AppendCommand(records, &c), append(payloads, p...)
	}
	return records, payloads
}

// calls are one of each sort.
func calls() []trace.Call {
	recv := abi.Event{Kind: abi.EventRecv, Flags: 0x81, ID: 7}
	send := abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: 7}
	full := trace.Call{
		Turn: guest.Header{Now: 10, Mono: 11, Seed: 12, Turn: 1}, N: 2, Written: true, Area: header.AreaAt,
		Consumed: 1, More: true, Count: 2, Memory: 1 << 20, Digest: 99, Full: true,
	}
	full.Events, full.Payloads = events(recv, "hello", recv, "")
	full.Commands, full.Data = commands(send, "hello", send, "you")
	again := trace.Call{
		Turn: guest.Header{Now: 10, Mono: 11, Seed: 13, Turn: 2}, First: 1, N: 2, Area: header.AreaAt,
		Consumed: 2, Count: 3, Memory: 1 << 20, Digest: 98,
	}
	trapped := trace.Call{
		Turn: guest.Header{Now: -1, Mono: 12, Seed: 14, Turn: 3}, N: 1, Written: true, Area: header.AreaAt,
		Trap: guest.KindOverflow, Text: "too deep", Memory: 1 << 20,
	}
	trapped.Events, trapped.Payloads = events(abi.Event{Kind: abi.EventTimer, ID: 1}, "")
	return []trace.Call{full, again, trapped}
}

// sample is a trace with every kind of record.
func sample(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := trace.NewWriter(&b, &header)
	if err != nil {
		t.Fatal(err)
	}
	all := calls()
	for _, err := range []error{
		w.Checkpoint(&guest.Checkpoint{Memory: image(), Globals: []uint64{1, 2}, Mono: 77}),
		w.Call(&all[0]), w.Mark(trace.Mark{Slot: 1}), w.Call(&all[1]), w.Mark(trace.Mark{Slot: 1, Load: true}),
		w.Gap(&trace.Gap{Reason: trace.GapSlow, Calls: 3, First: 4, Last: 6}), w.Call(&all[2]), w.End(trace.EndTrap),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// image is a memory of three pieces, one of which is zero.
func image() []byte {
	b := make([]byte, 2*trace.MaxChunk+64<<10)
	copy(b[100:], "first")
	copy(b[2*trace.MaxChunk+5:], "last")
	return b
}

// readAll reads a trace to its end or an error.
func readAll(r io.Reader) (h *trace.Header, all []trace.Record, err error) {
	t, err := trace.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	for {
		rec, err := t.Next()
		if err != nil {
			return t.Header(), all, err
		}
		all = append(all, keep(rec))
	}
}

// keep copies what a reader uses again.
func keep(r trace.Record) trace.Record {
	switch r := r.(type) {
	case *trace.Call:
		c := *r
		for _, p := range []*[]byte{&c.Events, &c.Payloads, &c.Commands, &c.Data} {
			if *p = append([]byte(nil), *p...); len(*p) == 0 {
				*p = nil
			}
		}
		return &c
	case *trace.Memory:
		m := *r
		m.Data = append([]byte(nil), r.Data...)
		return &m
	}
	return r
}

// What is written is read, in chunks of any size.
func TestRoundTrip(t *testing.T) {
	b := sample(t)
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(b), "bytewise": iotest.OneByteReader(bytes.NewReader(b)), "halved": iotest.HalfReader(bytes.NewReader(b)),
	} {
		h, got, err := readAll(r)
		if err != io.EOF {
			t.Fatalf("%s: got %v, want the end", name, err)
		}
		if !reflect.DeepEqual(*h, header) {
			t.Errorf("%s: header: got %+v, want %+v", name, *h, header)
		}
		all := calls()
		want := []trace.Record{
			&trace.Checkpoint{Mono: 77, Memory: uint64(len(image())), Globals: []uint64{1, 2}}, nil, nil,
			&all[0], &trace.Mark{Slot: 1}, &all[1], &trace.Mark{Slot: 1, Load: true},
			&trace.Gap{Reason: trace.GapSlow, Calls: 3, First: 4, Last: 6}, &all[2], &trace.End{Reason: trace.EndTrap, Calls: 3},
		}
		if len(got) != len(want) {
			t.Fatalf("%s: got %d records, want %d", name, len(got), len(want))
		}
		for i := range want {
			if want[i] != nil && !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("%s: record %d: got %+v, want %+v", name, i, got[i], want[i])
			}
		}
	}
}

// A trace that stops anywhere is read as far as it goes, and says that it stops.
func TestTruncated(t *testing.T) {
	b := sample(t)
	_, whole, _ := readAll(bytes.NewReader(b))
	last := 0
	for n := 1; n < len(b); n++ {
		_, got, err := readAll(bytes.NewReader(b[:n]))
		if !errors.Is(err, trace.ErrTruncated) {
			t.Fatalf("%d of %d bytes: got %v, want %v", n, len(b), err, trace.ErrTruncated)
		}
		if len(got) < last || !reflect.DeepEqual(got, whole[:len(got)]) && len(got) > 0 {
			t.Fatalf("%d of %d bytes: got %d records, before it were %d", n, len(b), len(got), last)
		}
		last = len(got)
	}
	if last != len(whole)-1 {
		t.Errorf("all but the last byte: got %d records, want %d", last, len(whole)-1)
	}
	_, _, err := readAll(bytes.NewReader(append(b[:len(b)-20:len(b)-20], make([]byte, 10000)...)))
	if !errors.Is(err, trace.ErrDamaged) { // inside a record
		t.Errorf("zeros inside a record: got %v, want %v", err, trace.ErrDamaged)
	}
	end := len(b) - trace.EndSize - trace.PrefixSize
	_, got, err := readAll(bytes.NewReader(append(b[:end:end], make([]byte, 10000)...)))
	if !errors.Is(err, trace.ErrTruncated) || len(got) != len(whole)-1 {
		t.Errorf("zeros after a record: got %d records, %v, want %d, %v", len(got), err, len(whole)-1, trace.ErrTruncated)
	}
}

// Every bit counts: whichever is wrong, the reader finds it and hands out nothing
// that was not written.
func TestDamaged(t *testing.T) {
	b := sample(t)
	_, whole, _ := readAll(bytes.NewReader(b))
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1 << (i % 8)
		_, got, err := readAll(bytes.NewReader(bad))
		want := trace.ErrDamaged
		if i < len(trace.Magic) {
			want = trace.ErrNotTrace
		}
		if !errors.Is(err, want) {
			t.Fatalf("bit %d of byte %d: got %v, want %v", i%8, i, err, want)
		}
		if len(got) > 0 && !reflect.DeepEqual(got, whole[:len(got)]) {
			t.Fatalf("bit %d of byte %d: got other records", i%8, i)
		}
	}
	if _, _, err := readAll(bytes.NewReader(append(b, 0))); !errors.Is(err, trace.ErrTruncated) && !errors.Is(err, trace.ErrDamaged) {
		t.Errorf("a byte after the end: got %v, want an error", err)
	}
}

// record is a record with the right sums, whatever is in it.
func record(body ...byte) []byte {
	crc := func(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, crc(body))
	return append(binary.LittleEndian.AppendUint32(b, crc(b)), body...)
}

// Records whose sums are right and that are wrong all the same.
func TestMalformed(t *testing.T) {
	start := trace.AppendHeader(trace.AppendPreamble(nil), &header)
	call := func(change func(c *trace.Call)) []byte {
		c := calls()[0]
		change(&c)
		return trace.AppendCall(nil, &c)
	}
	patch := func(b []byte, at int, with ...byte) []byte {
		body := bytes.Clone(b[trace.PrefixSize:])
		copy(body[at:], with)
		return record(body...)
	}
	good := call(func(*trace.Call) {})
	end := trace.AppendEnd(nil, &trace.End{Reason: 1})
	tests := []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"a second header", trace.AppendHeader(nil, &header), "second header"},
		{"an unknown kind", record(99, 0, 0, 0), "kind 99"},
		{"no body", record(), "0 bytes"},
		{"short body", record(4, 0, 0, 0, 1), "too short"},
		{"long body", append(record(append(end[trace.PrefixSize:], 1)...), end...), "1 bytes too many"},
		{"unknown flag", patch(good, 1, 0xff), "reserved"},
		{"trap without the flag", patch(good, 2, 1), "reserved"},
		{"more events than the ring", call(func(c *trace.Call) { c.N = 65 }), "events 0 to 65"},
		{"first beyond n", call(func(c *trace.Call) { c.First = 3 }), "events 3 to 2"},
		{"consumed beyond n", call(func(c *trace.Call) { c.Consumed = 3 }), "consumed 3"},
		{"more commands than the ring", call(func(c *trace.Call) { c.Count = 33 }), "33 commands"},
		{"payload that is not there", call(func(c *trace.Call) { c.Payloads, c.Data = nil, nil }), "too short"},
		{"long text", patch(good, 20, 0xff, 0xff), "text of 65535"},
		{"memory beyond all", call(func(c *trace.Call) { c.Memory = 1 << 40 }), "memory of"},
		{"outcome of a trap", call(func(c *trace.Call) { c.Trap = 1 }), "trapped has an outcome"},
		{"slot", trace.AppendMark(nil, trace.Mark{Slot: 4}), "slot 4"},
		{"globals", patch(record(append([]byte{2}, make([]byte, trace.CheckpointSize-1)...)...), 4, 0xff, 0xff, 0xff), "globals"},
		{"memory encoding", record(append([]byte{3, 9}, make([]byte, trace.MemorySize-2)...)...), "encoding 9"},
		{"memory of nothing", record(append([]byte{3, 1}, make([]byte, trace.MemorySize-2)...)...), "0 bytes of memory"},
		{"reserved in a gap", patch(trace.AppendGap(nil, &trace.Gap{}), 4, 1), "reserved"},
		{"reserved in the end", patch(end, 4, 1), "reserved"},
		{"two ends", append(bytes.Clone(end), end...), "follows the end"},
	}
	for _, tt := range tests {
		_, _, err := readAll(bytes.NewReader(append(bytes.Clone(start), tt.bytes...)))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, trace.ErrDamaged) && !errors.Is(err, trace.ErrVersion) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	optional := append(append(bytes.Clone(start), record(200, 1, 2, 3, 4)...), end...)
	if _, got, err := readAll(bytes.NewReader(optional)); err != io.EOF || len(got) != 1 {
		t.Errorf("a record that may be passed over: got %d records, %v", len(got), err)
	}
}

func TestNotTrace(t *testing.T) {
	other := trace.AppendPreamble(nil)
	other[8]++
	binary.LittleEndian.PutUint32(other[12:], crc32.Checksum(other[:12], crc32.MakeTable(crc32.Castagnoli)))
	tests := []struct {
		name  string
		bytes string
		want  error
	}{
		{"empty", "", trace.ErrNotTrace},
		{"text", "hello, this is no trace", trace.ErrNotTrace},
		{"a module", "\x00asm\x01\x00\x00\x00", trace.ErrNotTrace},
		{"another version", string(other), trace.ErrVersion},
	}
	for _, tt := range tests {
		if _, err := trace.NewReader(strings.NewReader(tt.bytes)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := trace.NewReader(iotest.ErrReader(io.ErrClosedPipe)); err != io.ErrClosedPipe {
		t.Errorf("a reader that fails: got %v, want its error", err)
	}
}

// A record that announces much and has little costs little.
func TestReaderMemory(t *testing.T) {
	b := trace.AppendHeader(trace.AppendPreamble(nil), &header)
	lie := record(4, 0, 0, 0)
	binary.LittleEndian.PutUint32(lie, 300<<20)
	binary.LittleEndian.PutUint32(lie[8:], crc32.Checksum(lie[:8], crc32.MakeTable(crc32.Castagnoli)))
	b = append(b, lie...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := readAll(bytes.NewReader(b))
	runtime.ReadMemStats(&after)
	if !errors.Is(err, trace.ErrTruncated) {
		t.Errorf("got %v, want %v", err, trace.ErrTruncated)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("a record of 300 MiB that is not there: %d bytes allocated", got)
	}
}

func FuzzReader(f *testing.F) {
	b := sample(f)
	f.Add(b)
	for _, n := range []int{3, 20, 200, len(b) - 1} {
		f.Add(b[:n])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := trace.NewReader(bytes.NewReader(reseal(b)))
		for err == nil {
			var rec trace.Record
			if rec, err = r.Next(); err != nil {
				break
			}
			if c, ok := rec.(*trace.Call); ok {
				n := 0
				for e, p := range c.AllEvents() {
					n += int(e.Len) - len(p) + 1
				}
				for c := range c.AllCommands() {
					n += len(c.Payload)
				}
				if again := trace.AppendCall(nil, c); n < 0 || len(again) == 0 {
					t.Error("impossible")
				}
			}
		}
		if r != nil && err != io.EOF && !errors.Is(err, trace.ErrTruncated) && !errors.Is(err, trace.ErrDamaged) && !errors.Is(err, trace.ErrVersion) {
			t.Errorf("got %v", err)
		}
	})
}

// reseal makes the sums of what a fuzzer made up right, or it would never come
// beyond them.
func reseal(b []byte) []byte {
	crc := func(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
	b = bytes.Clone(b)
	if len(b) < trace.PreambleSize {
		return b
	}
	binary.LittleEndian.PutUint32(b[12:], crc(b[:12]))
	for at := trace.PreambleSize; at+trace.PrefixSize <= len(b); {
		p := b[at:]
		size := int(min(uint64(binary.LittleEndian.Uint32(p)), uint64(len(p)-trace.PrefixSize)))
		binary.LittleEndian.PutUint32(p, uint32(size))
		binary.LittleEndian.PutUint32(p[4:], crc(p[trace.PrefixSize:][:size]))
		binary.LittleEndian.PutUint32(p[8:], crc(p[:8]))
		at += trace.PrefixSize + size
	}
	return b
}
