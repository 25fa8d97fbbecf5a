package abi_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/vectors"
)

// aligned copies p to where a record may lie.
func aligned(p []byte, size int) []byte {
	words := make([]uint64, (size+7)/8)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), size)
	copy(mem, p)
	return mem
}

var eventKinds = map[string]abi.EventKind{
	"start": abi.EventStart, "stop": abi.EventStop, "connect": abi.EventConnect, "recv": abi.EventRecv,
	"close": abi.EventClose, "http_request": abi.EventHTTPRequest, "http_body": abi.EventHTTPBody,
	"http_gone": abi.EventHTTPGone, "timer": abi.EventTimer, "topic": abi.EventTopic, "dropped": abi.EventDropped,
	"drained": abi.EventDrained, "refused": abi.EventRefused, "state_export": abi.EventStateExport,
	"state_import": abi.EventStateImport,
}

var commandKinds = map[string]abi.CommandKind{
	"piece": abi.CommandPiece, "accept": abi.CommandAccept, "refuse": abi.CommandRefuse, "hold": abi.CommandHold,
	"send": abi.CommandSend, "send_many": abi.CommandSendMany, "close": abi.CommandClose,
	"publish": abi.CommandPublish, "subscribe": abi.CommandSubscribe, "unsubscribe": abi.CommandUnsubscribe,
	"set_user": abi.CommandSetUser, "timer_set": abi.CommandTimerSet, "timer_clear": abi.CommandTimerClear,
	"http_head": abi.CommandHTTPHead, "http_body": abi.CommandHTTPBody, "log": abi.CommandLog,
	"metric": abi.CommandMetric, "state": abi.CommandState,
}

// check compares what lies over a vector's bytes with its keys.
func check(t *testing.T, v *vectors.Vector, got map[string]uint64) {
	t.Helper()
	for name, n := range got {
		if v.Get(name) == "" {
			t.Errorf("%s: the vector has no %s", v.Name, name)
		} else if want := v.Number(t, name); n != want {
			t.Errorf("%s: %s: got %#x, want %#x", v.Name, name, n, want)
		}
	}
}

func TestEventVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "event") {
		if v.Expect != "ok" {
			continue
		}
		e := &abi.Events(aligned(v.Bytes, abi.RecordSize))[0]
		if want, ok := eventKinds[v.Get("kind")]; ok && e.Kind != want {
			t.Errorf("%s: kind: got %d, want %d", v.Name, e.Kind, want)
		}
		check(t, &v, map[string]uint64{
			"flags": uint64(e.Flags), "code": uint64(e.Code), "len": uint64(e.Len),
			"id": e.ID, "addr": uint64(e.Addr), "seq": uint64(e.Seq), "user": e.User,
		})
		if made := *e; !bytes.Equal(abi.EventBytes(&made), v.Bytes) {
			t.Errorf("%s: EventBytes: got % x, want % x", v.Name, abi.EventBytes(&made), v.Bytes)
		}
	}
}

func TestCommandVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "command") {
		if v.Expect != "ok" {
			continue
		}
		c := &abi.Commands(aligned(v.Bytes, abi.RecordSize))[0]
		if want := commandKinds[v.Get("kind")]; c.Kind != want {
			t.Errorf("%s: kind: got %d, want %d", v.Name, c.Kind, want)
		}
		check(t, &v, map[string]uint64{
			"flags": uint64(c.Flags), "code": uint64(c.Code), "len": uint64(c.Len),
			"id": c.ID, "addr": uint64(c.Addr), "tag": uint64(c.Tag), "arg": c.Arg,
		})
		if made := *c; !bytes.Equal(abi.CommandBytes(&made), v.Bytes) {
			t.Errorf("%s: CommandBytes: got % x, want % x", v.Name, abi.CommandBytes(&made), v.Bytes)
		}
	}
}

func TestControlVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "control") {
		if v.Expect != "ok" {
			continue
		}
		c := abi.ControlOf(aligned(v.Bytes, abi.ControlSize))
		check(t, &v, map[string]uint64{
			"magic": uint64(c.Magic), "major": uint64(c.Major), "minor": uint64(c.Minor),
			"events_addr": uint64(c.Events.Addr), "events_cap": uint64(c.Events.Cap),
			"commands_addr": uint64(c.Commands.Addr), "commands_cap": uint64(c.Commands.Cap),
			"area_addr": uint64(c.Area.Addr), "area_cap": uint64(c.Area.Cap),
			"consumed": uint64(c.Consumed), "more": uint64(c.More),
			"now": uint64(c.Now), "mono": uint64(c.Mono), "seed": c.Seed, "turn": c.Turn,
		})
	}
}

func TestFieldsVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "fields") {
		fields := abi.Fields(v.Bytes)
		if v.Expect != "ok" {
			for range fields.All { // must end, and not reach outside
			}
			continue
		}
		var got, want []string
		made := abi.AppendFields(nil)
		for name, value := range fields.All {
			got = append(got, fmt.Sprintf("%x", name), fmt.Sprintf("%x", value))
			made = abi.AppendField(made, 0, string(name), string(value))
		}
		for _, k := range v.Keys {
			want = append(want, fmt.Sprintf("%x", vectors.Bytes(t, k.Value)))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") || fields.Len() != len(want)/2 {
			t.Errorf("%s: got %d pairs %q, want %q", v.Name, fields.Len(), got, want)
		}
		if !bytes.Equal(made, v.Bytes) {
			t.Errorf("%s: AppendField: got % x, want % x", v.Name, made, v.Bytes)
		}
	}
}

// Whatever the bytes are, reading ends, stays inside, and agrees with writing.
func FuzzFields(f *testing.F) {
	for _, v := range vectors.Load(f, "fields") {
		f.Add(v.Bytes)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		made := abi.AppendFields(nil)
		size := 4
		for name, value := range abi.Fields(p).All {
			made = abi.AppendField(made, 0, string(name), string(value))
			size += abi.FieldSize(string(name), string(value))
			if got, ok := abi.Fields(p).Get(string(name)); !ok || len(got) > len(p) {
				t.Fatalf("Get(%q): got %q, %v", name, got, ok)
			}
		}
		if size != len(made) || size > max(4, len(p)) {
			t.Fatalf("Fields(%x): pairs of %d bytes, written as %d", p, size, len(made))
		}
		if len(p) >= 4 && abi.Fields(p).Len() == abi.Fields(made).Len() && !bytes.Equal(made, p[:size]) {
			t.Fatalf("Fields(%x): written as %x", p, made)
		}
	})
}
