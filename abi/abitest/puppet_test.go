package abitest_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/abi/abitest"
)

// guest drives the puppet turn by turn, as a host does but without one.
type guest struct {
	*testing.T
	turn api.Function
	mem  api.Memory
	used uint32 // of the receive area
	n    uint32 // events in the ring
}

// command is a command with its payload.
type command struct {
	abi.Command
	payload string
}

const monitor, peer = 1, 2

// startPuppet gives the puppet its start event and a monitor.
func startPuppet(t *testing.T) *guest {
	t.Helper()
	r := wazero.NewRuntime(t.Context())
	t.Cleanup(func() { r.Close(t.Context()) })
	m, err := r.Instantiate(t.Context(), abitest.Puppet())
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{T: t, turn: m.ExportedFunction(abi.ExportTurn), mem: m.Memory()}
	got, err := m.ExportedFunction(abi.ExportInit).Call(t.Context(), 100, 200, 300)
	if err != nil || got[0] != abitest.AddrControl {
		t.Fatalf("init: got %v, %v, want %#x", got, err, abitest.AddrControl)
	}
	block, _ := g.mem.Read(abitest.AddrControl, abi.ControlSize)
	c, err := abi.ParseControl(block)
	if err == nil {
		err = c.Check(abitest.AddrControl, uint64(g.mem.Size()), c.Wants)
	}
	if err != nil {
		t.Fatalf("control block: %v", err)
	}
	g.put(abi.Event{Kind: abi.EventStart}, "config")
	g.put(abi.Event{Kind: abi.EventConnect, ID: monitor}, "")
	g.want(0, 2, 2, 0, "send 1 0x82 start", "piece config", "send 1 0x82 connect")
	return g
}

// put puts an event into the ring; want empties it.
func (g *guest) put(e abi.Event, payload string) {
	g.Helper()
	e.Addr, e.Len = abitest.AddrArea+g.used, uint32(len(payload))
	g.mem.Write(e.Addr, []byte(payload))
	g.mem.Write(abitest.AddrEvents+g.n*abi.RecordSize, abi.AppendEvent(nil, &e))
	g.used, g.n = g.used+e.Len, g.n+1
}

func (g *guest) script(id uint64, sc *abitest.Script) {
	g.Helper()
	g.put(abi.Event{Kind: abi.EventRecv, Flags: 0x82, ID: id}, string(sc.Encode()))
}

// call makes one call and returns its commands.
func (g *guest) call(first, n uint32) (commands []command, consumed, more uint32, err error) {
	g.Helper()
	got, err := g.turn.Call(g.Context(), uint64(first), uint64(n))
	if err != nil {
		return nil, 0, 0, err
	}
	for i := range min(uint32(got[0]), abitest.CommandsCap) {
		rec, _ := g.mem.Read(abitest.AddrCommands+i*abi.RecordSize, abi.RecordSize)
		c, _ := abi.ParseCommand(rec)
		p, ok := g.mem.Read(c.Addr, c.Len)
		if !ok {
			p = []byte("?")
		}
		commands = append(commands, command{c, string(p)})
	}
	consumed, _ = g.mem.ReadUint32Le(abitest.AddrControl + abi.OffsetConsumed)
	more, _ = g.mem.ReadUint32Le(abitest.AddrControl + abi.OffsetMore)
	return commands, consumed, more, nil
}

// want makes one call and compares all that comes of it.
func (g *guest) want(first, n, consumed, more uint32, commands ...string) {
	g.Helper()
	got, gotConsumed, gotMore, err := g.call(first, n)
	if err != nil {
		g.Fatalf("turn(%d, %d): %v", first, n, err)
	}
	var names []string
	for _, c := range got {
		names = append(names, c.String())
	}
	if !slices.Equal(names, commands) || gotConsumed != consumed || gotMore != more {
		g.Errorf("turn(%d, %d): got consumed %d, more %d, commands\n%q, want %d, %d,\n%q",
			first, n, gotConsumed, gotMore, names, consumed, more, commands)
	}
	if consumed == n && more == 0 {
		g.n, g.used = 0, 0
	}
}

// String names events that are sent on to the monitor by their kind.
func (c command) String() string {
	what := c.payload
	if e, ok := abi.ParseEvent([]byte(what)); ok && c.ID == monitor && len(what) == abi.RecordSize {
		what = e.Kind.String()
	}
	switch {
	case len(what) > 4 && what[:4] == "PUP1":
		what = "script"
	case c.Kind == abi.CommandPiece:
		return "piece " + what
	}
	return fmt.Sprintf("%v %d %#02x %s", c.Kind, c.ID, c.Flags, what)
}

// told is what the monitor hears of a script that came from a session.
var told = []string{"send 1 0x82 recv", "piece 0 0x00 script"}

func hears(more ...string) []string { return append(slices.Clone(told), more...) }

func TestPuppetRunsScripts(t *testing.T) {
	tests := []struct {
		name   string
		script *abitest.Script
		want   []string
	}{
		{"nothing", new(abitest.Script), nil},
		{"send", new(abitest.Script).SendText(9, "hello"), []string{"send 9 0x81 hello"}},
		{"send to itself", new(abitest.Script).SendText(abitest.Self, "hello"), []string{"send 2 0x81 hello"}},
		{"brigade", new(abitest.Script).Send(9, 0x81, []byte("a"), nil, []byte("b")), []string{"send 9 0x81 a", "piece ", "piece b"}},
		{"refuse", new(abitest.Script).Refuse(9, 403, "no"), []string{"refuse 9 0x00 ", "piece no"}},
		{"absolute address", new(abitest.Script).Raw(abi.Command{Kind: abi.CommandSend, ID: 9, Addr: abitest.AddrControl, Len: 4}), []string{"send 9 0x00 YIMO"}},
		{"address outside", new(abitest.Script).Raw(abi.Command{Kind: abi.CommandSend, Addr: 0xffffffff, Len: 9}), []string{"send 0 0x00 ?"}},
		{"three times", new(abitest.Script).RawN(3, abi.Command{Kind: 99, ID: 7}), []string{"CommandKind(99) 7 0x00 ", "CommandKind(99) 7 0x00 ", "CommandKind(99) 7 0x00 "}},
		{"series", new(abitest.Script).Series(abi.Command{Kind: abi.CommandSend, ID: 9}, []byte("a"), []byte("b")), []string{"send 9 0x00 a", "send 9 0x00 b"}},
		{"poke", new(abitest.Script).Poke(abitest.AddrGrown, 0x64636261).Raw(abi.Command{Kind: abi.CommandSend, ID: 9, Addr: abitest.AddrGrown, Len: 4}), []string{"send 9 0x00 abcd"}},
		{"grow", new(abitest.Script).Grow(1).Raw(abi.Command{Kind: abi.CommandSend, ID: 9, Addr: abitest.MemoryEnd + 65535, Len: 1}), []string{"send 9 0x00 \x00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := startPuppet(t)
			g.script(peer, tt.script)
			g.put(abi.Event{Kind: abi.EventClose, ID: peer}, "")
			g.want(0, 2, 2, 0, append(hears(tt.want...), "send 1 0x82 close")...)
		})
	}
}

func TestPuppetTellsTheMonitor(t *testing.T) {
	g := startPuppet(t)
	g.put(abi.Event{Kind: abi.EventRecv, Flags: 0x81, ID: peer}, "PUP1 text is no script")
	g.put(abi.Event{Kind: abi.EventRecv, Flags: 0x82, ID: peer}, "short")
	g.put(abi.Event{Kind: abi.EventTimer, ID: 3}, "")
	g.want(0, 3, 3, 0, "send 1 0x82 recv", "piece 0 0x00 script", "send 1 0x82 recv", "piece short", "send 1 0x82 timer")
	g.put(abi.Event{Kind: abi.EventClose, ID: monitor}, "")
	g.put(abi.Event{Kind: abi.EventClose, ID: peer}, "")
	g.put(abi.Event{Kind: abi.EventConnect, ID: 5}, "f") // the next monitor hears of the start, too
	got, _, _, err := g.call(0, 3)
	if err != nil || len(got) != 4 || got[0].ID != 5 || got[1].payload != "config" || got[3].payload != "f" {
		t.Errorf("a new monitor: got %v, %v, want the start event and its own connect", got, err)
	}
}

func TestPuppetStopsEarly(t *testing.T) {
	g := startPuppet(t)
	for range abitest.EventsCap {
		g.put(abi.Event{Kind: abi.EventRecv, Flags: 0x81, ID: peer}, "x")
	}
	got, consumed, more, err := g.call(0, abitest.EventsCap)
	if err != nil || len(got) != 62 || consumed != 31 || more != 0 {
		t.Errorf("turn: got %d commands, consumed %d, more %d, %v, want 62, 31, 0", len(got), consumed, more, err)
	}
	g.want(31, abitest.EventsCap, abitest.EventsCap, 0, "send 1 0x82 recv", "piece x")
}

func TestPuppetAsksForMore(t *testing.T) {
	g := startPuppet(t)
	g.script(peer, new(abitest.Script).RawN(130, abi.Command{Kind: 99}).Yield(2).SendText(9, "end"))
	for i, want := range []struct{ commands, consumed, more uint32 }{
		{64, 0, 1}, {64, 0, 1}, {4, 0, 1}, {0, 0, 1}, {1, 1, 0},
	} {
		got, consumed, more, err := g.call(0, 1)
		if err != nil || uint32(len(got)) != want.commands || consumed != want.consumed || more != want.more {
			t.Errorf("call %d: got %d commands, consumed %d, more %d, %v, want %v", i, len(got), consumed, more, err, want)
		}
	}
}

func TestPuppetKeepsBrigadesTogether(t *testing.T) {
	g := startPuppet(t)
	g.script(peer, new(abitest.Script).RawN(60, abi.Command{Kind: 99}).Send(9, 0x81, []byte("a"), []byte("b"), []byte("c")))
	got, _, more, err := g.call(0, 1)
	if err != nil || len(got) != 62 || more != 1 {
		t.Errorf("first call: got %d commands, more %d, %v, want 62, 1", len(got), more, err)
	}
	g.want(0, 1, 1, 0, "send 9 0x81 a", "piece b", "piece c")
}

func TestPuppetArms(t *testing.T) {
	g := startPuppet(t)
	g.script(monitor, new(abitest.Script).
		Arm(abi.EventConnect, new(abitest.Script).Refuse(abitest.Self, 403, "no")).
		Arm(abi.EventRecv, new(abitest.Script).Echo(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: abitest.Self})))
	g.want(0, 1, 1, 0, told...)
	g.put(abi.Event{Kind: abi.EventConnect, ID: 7}, "")
	g.put(abi.Event{Kind: abi.EventConnect, ID: 8}, "")
	g.put(abi.Event{Kind: abi.EventRecv, Flags: 0x81, ID: peer}, "echo")
	g.want(0, 3, 3, 0, "send 1 0x82 connect", "refuse 7 0x00 ", "piece no", "send 1 0x82 connect",
		"send 1 0x82 recv", "piece echo", "send 2 0x81 echo")
}

func TestPuppetReleasesItsEvent(t *testing.T) {
	g := startPuppet(t)
	g.script(monitor, new(abitest.Script).Arm(abi.EventTimer, new(abitest.Script).Release().Yield(1).SendText(9, "late")))
	g.put(abi.Event{Kind: abi.EventTimer, ID: 1}, "")
	g.want(0, 2, 2, 1, hears("send 1 0x82 timer")...)
	g.want(2, 2, 2, 0, "send 9 0x81 late")
}

func TestPuppetMakesMistakes(t *testing.T) {
	tests := []struct {
		name                   string
		script                 *abitest.Script
		result, consumed, more uint32
	}{
		{"result", new(abitest.Script).Result(0xffffffff), 0xffffffff, 3, 0},
		{"consumed beyond the end", new(abitest.Script).ConsumedEnd(1), 4, 4, 0},
		{"consumed before the first", new(abitest.Script).ConsumedFirst(-1), 4, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := startPuppet(t)
			g.put(abi.Event{Kind: abi.EventTimer}, "")
			g.script(peer, tt.script)
			g.script(peer, new(abitest.Script))
			got, err := g.turn.Call(t.Context(), 1, 3)
			consumed, _ := g.mem.ReadUint32Le(abitest.AddrControl + abi.OffsetConsumed)
			more, _ := g.mem.ReadUint32Le(abitest.AddrControl + abi.OffsetMore)
			if err != nil || uint32(got[0]) != tt.result || consumed != tt.consumed || more != tt.more {
				t.Errorf("turn(1, 3): got %d, consumed %d, more %d, %v, want %d, %d, %d",
					uint32(got[0]), consumed, more, err, tt.result, tt.consumed, tt.more)
			}
		})
	}
	for _, script := range []*abitest.Script{
		new(abitest.Script).Trap(0), new(abitest.Script).Trap(1), new(abitest.Script).Trap(2), new(abitest.Script).Recurse(),
	} {
		g := startPuppet(t)
		g.script(peer, script)
		if _, _, _, err := g.call(0, 1); err == nil {
			t.Errorf("script %x: no trap", script.Encode())
		}
	}
}

func TestScriptEncode(t *testing.T) {
	got := new(abitest.Script).Trap(2).Send(abitest.Self, 0x81, []byte("ab"), []byte("c")).Encode()
	if string(got[:4]) != "PUP1" || binary.LittleEndian.Uint32(got[4:]) != 3 || len(got) != 8+3*40+3 {
		t.Fatalf("Encode: got % x", got)
	}
	head, _ := abi.ParseCommand(got[8+40+8:])
	piece, _ := abi.ParseCommand(got[8+80+8:])
	if string(got[head.Addr:head.Addr+head.Len]) != "ab" || string(got[piece.Addr:piece.Addr+piece.Len]) != "c" {
		t.Errorf("Encode: addresses %d and %d do not lead to the payload in % x", head.Addr, piece.Addr, got)
	}
	if room := binary.LittleEndian.Uint16(got[8+40+2:]); room != 2 {
		t.Errorf("Encode: brigade of 2 asks for %d places", room)
	}
}
