package abi_test

import (
	"bytes"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Each target feeds a parser of guest-written bytes with anything. What it
// accepts must encode back to the same bytes and stay inside them.

// seed adds the bytes of all vectors of a record, good and refused.
func seed(f *testing.F, record string, add func(v *vector)) {
	for _, v := range vectors(f) {
		if v.record == record {
			add(v)
		}
	}
}

func FuzzEvent(f *testing.F) {
	seed(f, "event", func(v *vector) { f.Add(v.bytes) })
	f.Fuzz(func(t *testing.T, src []byte) {
		e, ok := abi.ParseEvent(src)
		if ok != (len(src) >= abi.RecordSize) {
			t.Fatalf("ParseEvent of %d bytes: got ok %v", len(src), ok)
		}
		if ok && !bytes.Equal(abi.AppendEvent(nil, &e), src[:abi.RecordSize]) {
			t.Errorf("ParseEvent(% x): got %+v, which encodes differently", src[:abi.RecordSize], e)
		}
	})
}

func FuzzCommand(f *testing.F) {
	seed(f, "command", func(v *vector) { f.Add(v.bytes, uint32(0x1ff), uint16(65535)) })
	f.Fuzz(func(t *testing.T, src []byte, granted uint32, size uint16) {
		c, ok := abi.ParseCommand(src)
		if ok != (len(src) >= abi.RecordSize) {
			t.Fatalf("ParseCommand of %d bytes: got ok %v", len(src), ok)
		}
		if !ok {
			return
		}
		if !bytes.Equal(abi.AppendCommand(nil, &c), src[:abi.RecordSize]) {
			t.Errorf("ParseCommand(% x): got %+v, which encodes differently", src[:abi.RecordSize], c)
		}
		mem := make([]byte, size)
		payload, ok := c.Range(mem)
		switch inside := uint64(c.Addr)+uint64(c.Len) <= uint64(size); {
		case ok != (inside || c.Len == 0):
			t.Errorf("Range(%#x+%#x of %#x): got ok %v", c.Addr, c.Len, size, ok)
		case ok && (len(payload) != int(c.Len) || cap(payload) != len(payload)):
			t.Errorf("Range(%#x+%#x): got %d bytes, capacity %d", c.Addr, c.Len, len(payload), cap(payload))
		case ok && c.Len > 0 && &payload[0] != &mem[c.Addr]:
			t.Errorf("Range(%#x+%#x): got bytes from elsewhere", c.Addr, c.Len)
		}
		if s := c.Check(abi.Feature(granted)); s != 0 {
			if _, named := abi.ParseStatus(s.String()); !named {
				t.Errorf("Check(%+v): got %v, which has no name", c, s)
			}
		}
	})
}

func FuzzControl(f *testing.F) {
	seed(f, "control", func(v *vector) { f.Add(v.bytes, uint32(0x10000), uint32(0x100000), uint32(5)) })
	f.Fuzz(func(t *testing.T, src []byte, addr, size, offered uint32) {
		c, err := abi.ParseControl(src)
		if err != nil {
			return
		}
		if !bytes.Equal(abi.AppendControl(nil, &c), src[:abi.ControlSize]) {
			t.Errorf("ParseControl(% x): got %+v, which encodes differently", src[:abi.ControlSize], c)
		}
		if c.Check(addr, uint64(size), abi.Feature(offered)) != nil {
			return
		}
		if uint32(c.Needs)&^offered != 0 {
			t.Errorf("Check: needs %v of %v accepted", c.Needs, abi.Feature(offered))
		}
		// What the host will write to: inside memory, and nothing in two places.
		places := [][2]uint64{
			{uint64(addr), abi.ControlSize},
			{uint64(c.Events.Addr), uint64(c.Events.Cap) * abi.RecordSize},
			{uint64(c.Commands.Addr), uint64(c.Commands.Cap) * abi.RecordSize},
			{uint64(c.Area.Addr), uint64(c.Area.Cap)},
		}
		for i, p := range places {
			if p[0]+p[1] > uint64(size) {
				t.Errorf("Check: accepted %#x+%#x of %#x", p[0], p[1], size)
			}
			for _, q := range places[:i] {
				if max(p[0], q[0]) < min(p[0]+p[1], q[0]+q[1]) {
					t.Errorf("Check: accepted overlap of %#x+%#x and %#x+%#x", p[0], p[1], q[0], q[1])
				}
			}
		}
	})
}

func FuzzFields(f *testing.F) {
	seed(f, "fields", func(v *vector) { f.Add(v.bytes) })
	f.Fuzz(func(t *testing.T, src []byte) {
		fields, err := abi.ParseFields(src)
		if err != nil {
			return
		}
		again, n := abi.AppendFields(nil), 0
		for name, value := range fields.All() {
			again = abi.AppendField(again, 0, string(name), string(value))
			n++
		}
		if !bytes.Equal(again, src) || n != fields.Len() {
			t.Errorf("ParseFields(% x): %d of %d pairs, which encode as % x", src, n, fields.Len(), again)
		}
	})
}

func FuzzTopic(f *testing.F) {
	seed(f, "topic", func(v *vector) { f.Add(uint16(4), v.bytes) })
	f.Fuzz(func(t *testing.T, code uint16, src []byte) {
		name, data, err := abi.ParseTopic(code, src)
		if err != nil {
			return
		}
		if abi.CheckTopic(name) != nil || len(name) != int(code) {
			t.Errorf("ParseTopic(%d, % x): accepted name %q", code, src, name)
		}
		if !bytes.Equal(abi.AppendTopic(nil, string(name), data), src) {
			t.Errorf("ParseTopic(%d, % x): got %q and % x", code, src, name, data)
		}
	})
}

func FuzzIDs(f *testing.F) {
	seed(f, "ids", func(v *vector) { f.Add(v.bytes) })
	f.Fuzz(func(t *testing.T, src []byte) {
		ids, err := abi.ParseIDs(src)
		if err != nil {
			return
		}
		again, n := []byte(nil), 0
		for id := range ids.All() {
			again = abi.AppendIDs(again, id)
			n++
		}
		if !bytes.Equal(again, src) || n != ids.Len() {
			t.Errorf("ParseIDs(% x): %d of %d ids, which encode as % x", src, n, ids.Len(), again)
		}
	})
}
