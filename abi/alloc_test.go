package abi_test

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Nothing on the way of a message allocates.
func TestAllocations(t *testing.T) {
	event := abi.Event{Kind: abi.EventRecv, Flags: 0x81, Len: 5, ID: 7, Addr: 0x1000, Seq: 1}
	command := abi.Command{Kind: abi.CommandSend, Flags: 0x81, Len: 5, ID: 7, Addr: 16}
	control := abi.Control{
		Magic: abi.Magic, Major: abi.Major,
		Events:   abi.Span{Addr: 0x20000, Cap: 1024},
		Commands: abi.Span{Addr: 0x28000, Cap: 1024},
		Area:     abi.Span{Addr: 0x30000, Cap: abi.MinArea},
	}
	fields := abi.AppendField(abi.AppendFields(nil), 0, ":method", "GET")
	block := abi.AppendControl(nil, &control)
	topic := abi.AppendTopic(nil, "room", []byte("hello!"))
	ids := abi.AppendIDs(nil, 1, 2, 3)
	record, mem, dst := make([]byte, abi.RecordSize), make([]byte, 64), make([]byte, 0, 256)
	var sum uint64 // keeps results alive

	tests := []struct {
		name string
		f    func()
	}{
		{"PutEvent", func() { abi.PutEvent(record, &event) }},
		{"AppendEvent", func() { dst = abi.AppendEvent(dst[:0], &event) }},
		{"ParseEvent", func() { e, _ := abi.ParseEvent(record); sum += e.ID }},
		{"PutCommand", func() { abi.PutCommand(record, &command) }},
		{"AppendCommand", func() { dst = abi.AppendCommand(dst[:0], &command) }},
		{"ParseCommand", func() { c, _ := abi.ParseCommand(record); sum += c.ID }},
		{"Command.Check", func() { sum += uint64(command.Check(0)) }},
		{"Command.Range", func() { p, _ := command.Range(mem); sum += uint64(len(p)) }},
		{"AppendControl", func() { dst = abi.AppendControl(dst[:0], &control) }},
		{"ParseControl", func() { c, _ := abi.ParseControl(block); sum += c.Turn }},
		{"Control.Check", func() {
			if control.Check(0x10000, 1<<20, 0) != nil {
				sum++
			}
		}},
		{"AppendField", func() { dst = abi.AppendField(abi.AppendFields(dst[:0]), 0, ":method", "GET") }},
		{"ParseFields", func() { f, _ := abi.ParseFields(fields); sum += uint64(f.Len()) }},
		{"Fields.All", func() {
			for name := range abi.Fields(fields).All() {
				sum += uint64(len(name))
			}
		}},
		{"Fields.Get", func() { v, _ := abi.Fields(fields).Get(abi.FieldMethod); sum += uint64(len(v)) }},
		{"AppendTopic", func() { dst = abi.AppendTopic(dst[:0], "room", topic[4:]) }},
		{"ParseTopic", func() { n, _, _ := abi.ParseTopic(4, topic); sum += uint64(len(n)) }},
		{"AppendIDs", func() { dst = abi.AppendIDs(dst[:0], 1, 2, 3) }},
		{"ParseIDs", func() { l, _ := abi.ParseIDs(ids); sum += uint64(l.Len()) }},
		{"IDs.All", func() {
			for id := range abi.IDs(ids).All() {
				sum += id
			}
		}},
		{"CommandKind.String", func() { sum += uint64(len(command.Kind.String())) }},
		{"ParseStatus", func() { s, _ := abi.ParseStatus("closing"); sum += uint64(s) }},
	}
	for _, tt := range tests {
		if got := testing.AllocsPerRun(100, tt.f); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", tt.name, got)
		}
	}
}

// The bounds that would make a vector too large to keep.
func TestParseIDsLimit(t *testing.T) {
	if l, err := abi.ParseIDs(make([]byte, 8*abi.MaxSendMany)); err != nil || l.Len() != abi.MaxSendMany {
		t.Errorf("ParseIDs of %d ids: got %d, %v", abi.MaxSendMany, l.Len(), err)
	}
	if _, err := abi.ParseIDs(make([]byte, 8*abi.MaxSendMany+8)); err == nil {
		t.Errorf("ParseIDs of %d ids: got no error", abi.MaxSendMany+1)
	}
	c := abi.Command{Kind: abi.CommandSendMany, Flags: abi.FlagFIN | abi.OpText, Len: 8*abi.MaxSendMany + 8}
	if got := c.Check(abi.FeatureSendMany); got != abi.StatusTooLarge {
		t.Errorf("Check of %d ids: got %v, want %v", abi.MaxSendMany+1, got, abi.StatusTooLarge)
	}
}

// Iteration may stop early.
func TestIterationStops(t *testing.T) {
	fields := abi.AppendFields(nil)
	for _, name := range []string{"a", "b", "c"} {
		fields = abi.AppendField(fields, 0, name, "")
	}
	n := 0
	for name := range abi.Fields(fields).All() {
		if n++; string(name) == "b" {
			break
		}
	}
	for id := range abi.IDs(abi.AppendIDs(nil, 1, 2, 3)).All() {
		if n++; id == 2 {
			break
		}
	}
	if n != 4 {
		t.Errorf("iteration: got %d steps, want 4", n)
	}
	if _, ok := abi.Fields(fields).Get("d"); ok {
		t.Error("Get(d): got a value, want none")
	}
}
