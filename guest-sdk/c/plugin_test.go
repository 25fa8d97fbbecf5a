package c_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

const probe = "test/plugins/probe.c"

func TestPlugin(t *testing.T) {
	t.Parallel()
	d := load(t, plugin(t, probe), options{})
	if want := allFeatures &^ abi.FeatureMessages; d.i.Features() != want {
		t.Errorf("features: got %v, want %v", d.i.Features(), want)
	}
	d.start("room", "den")
	d.wantLogs(`debug ":plugin=sample"`, `debug ":port=8081"`, `debug "room=den"`)
	d.want(`subscribe 0 "news"`)
	d.connectTo(1, "/")
	d.connectTo(2, "/no")
	d.connectTo(3, "/hold")
	d.connectTo(4, "/", ":protocol", "chat")
	d.turn()
	d.want(`user 1 10`, `refuse 2 403 x-room=lobby "not you"`, `user 2 20`, `hold 3`, `user 3 30`,
		`accept 4 x-room=lobby :protocol=chat`, `user 4 40`)

	tests := []struct {
		say  string
		want []string
	}{
		{"echo", []string{`send 1 81 "echo"`}},
		{"", []string{`send 1 81 ""`}},
		{"stack", []string{`send 1 81 "on the stack"`}},
		{"parts", []string{`send 1 81 "apartsz"`}},
		{"wide", []string{`send 1 81 "` + strings.Repeat("xy", 100) + `"`}},
		{"many", []string{`many 3 1 1099511627776 81 "all"`}},
		{"close", []string{`close 1 4000 "enough"`}},
		{"wrong", []string{`send 1 81 "22 22 22 22 22 22 22 22 22"`}},
		{"topic", []string{`subscribe 1 "news"`, `publish "news" 81 "paper" except 1`, `unsubscribe 1 "news"`}},
		{"metric", []string{`metric 2 "depth" 3ff8000000000000`}},
		{"grow", []string{`send 1 81 "1 1"`}},
	}
	for _, tt := range tests {
		d.text(1, tt.say)
		d.turn()
		d.want(tt.want...)
	}
	d.event(abi.Event{Kind: abi.EventRecv, Flags: 0x81, ID: 9, User: 1 << 60}, []byte("user"))
	d.text(1, "time")
	d.turn()
	d.want(`send 9 81 "1152921504606846976"`, fmt.Sprintf(`send 1 81 "%d %d %d 0xfd 1"`, d.header.Now, d.header.Mono, d.header.Turn))

	d.text(1, "log")
	d.turn()
	line := strings.Repeat("l", abi.MaxLog)
	d.wantLogs(`warn 1 "`+line+`"`, `error 1 "`+line+`"`)

	d.event(abi.Event{Kind: abi.EventTimer, ID: 7, User: 2}, nil)
	d.event(abi.Event{Kind: abi.EventTopic, Code: 4, Flags: 0x81}, []byte("newspaper"))
	d.event(abi.Event{Kind: abi.EventTopic, Code: 40, Flags: 0x81}, []byte("newspaper"))
	d.event(abi.Event{Kind: abi.EventRefused, Code: 7, Seq: 5}, make([]byte, 32))
	d.event(abi.Event{Kind: abi.EventDropped, Code: 14, Seq: 6, ID: 1}, nil)
	d.event(abi.Event{Kind: abi.EventDrained, ID: 1}, nil)
	d.event(abi.Event{Kind: abi.EventStateImport, Flags: abi.FlagEnd}, []byte("old"))
	d.event(abi.Event{Kind: abi.EventClose, ID: 1, Code: 1000, Flags: abi.FlagClean | abi.WhoPeer}, []byte("bye"))
	d.gone(1)
	d.event(abi.Event{Kind: 200, ID: 1}, []byte("of a later version"))
	d.turn()
	d.wantLogs(`info "timer 7, missed 2"`, `info "topic 1 news: paper"`, `info "topic 0 : "`,
		`warn "refused: status 7, tag 5, 32 bytes"`, `warn 1 "dropped, tag 6"`, `warn 1 "drained"`, `info "state old"`,
		`info 1 "closed 1000 0x81 bye"`, `info 1 "gone"`)
	d.request(1, "GET", "/", "")
	d.request(2, "POST", "/", strings.Repeat("y", 1500))
	d.event(abi.Event{Kind: abi.EventStateExport}, nil)
	d.turn()
	d.want(`head 1 200 end content-type=text/plain "whole"`, `head 2 201 ""`, `body 2 "`+strings.Repeat("y", 1000)+`"`,
		`body 2 end "`+strings.Repeat("y", 500)+`"`, `state "one "`, `state end "two"`)
	d.stop()
	d.wantLogs(`info "stops"`)
}

// However small the command ring, everything comes out, whole, once and in order.
func TestFlood(t *testing.T) {
	t.Parallel()
	for _, o := range []options{{}, {rings: 16}, {rings: 17}, {rings: 65536}} {
		t.Run(fmt.Sprint(o.rings), func(t *testing.T) {
			d := begin(t, plugin(t, probe), o)
			d.said = nil
			d.text(1, "before")
			d.text(2, "flood")
			d.text(3, "after")
			d.turn()
			if len(d.said) != 5002 {
				t.Fatalf("got %d commands, want 5002", len(d.said))
			}
			want := []string{`send 1 81 "before"`}
			for i := range 5000 {
				text := strconv.Itoa(i)
				if i%7 == 3 {
					text += " and flood"
				}
				line := fmt.Sprintf("send 2 81 %q", text)
				if i > 0 {
					line += fmt.Sprintf(" tag %d", i)
				}
				want = append(want, line)
			}
			want = append(want, `send 3 81 "after"`)
			for i := range want {
				if d.said[i] != want[i] {
					t.Fatalf("command %d: got %s, want %s", i, d.said[i], want[i])
				}
			}
		})
	}
}

// The same for programs in the original's style, and messages of more buckets
// than the ring has places.
func TestFloodProgram(t *testing.T) {
	t.Parallel()
	for _, rings := range []int{0, 16} {
		d := begin(t, program(t, "control"), options{rings: rings})
		d.connect(1)
		d.text(1, "many")
		d.text(1, "long")
		for i := range 100 {
			d.text(1, strconv.Itoa(i))
		}
		d.turn()
		if len(d.said) != 3000+1+100 {
			t.Fatalf("rings of %d: got %d commands", rings, len(d.said))
		}
		long := strings.Repeat("0123456789", 300)
		if d.said[2999] != `send 1 81 "2999"` || d.said[3000] != `send 1 81 "`+long+`"` || d.said[3100] != `send 1 81 "99"` {
			t.Errorf("rings of %d: got %s, %.40s, %s", rings, d.said[2999], d.said[3000], d.said[3100])
		}
	}
}

// A bucket that refers to what came in is sent from where it lies.
func TestViews(t *testing.T) {
	t.Parallel()
	inArea := func(d *driver, k int) bool {
		area, addr := d.i.Area()
		at := d.where(k)
		return at >= addr && at < addr+uint32(len(area))
	}
	d := begin(t, program(t, "control"), options{})
	d.connect(1)
	d.turn()
	d.text(1, "a view")
	d.turn()
	if d.want(`send 1 81 "a view"`); !inArea(d, 0) {
		t.Errorf("program: the payload was copied")
	}
	d.text(1, "stack")
	d.turn()
	if inArea(d, 0) {
		t.Errorf("program: bytes of the stack in the receive area?")
	}
	p := begin(t, plugin(t, probe), options{})
	p.text(1, "a view")
	p.turn()
	if !inArea(p, 0) {
		t.Errorf("plugin: the payload was copied")
	}
}

// Out of memory is an error that the plugin survives.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	d := begin(t, plugin(t, probe), options{memory: 4 << 20})
	d.logs = nil
	d.text(1, "deep")
	d.turn()
	d.wantLogs(`info 1 "ENOMEM after 1"`)
	d.said = nil
	d.text(1, "still here")
	d.turn()
	d.want(`send 1 81 "still here"`)
}

// Freeing what was never allocated is a trap that says so.
func TestBadFree(t *testing.T) {
	t.Parallel()
	d := begin(t, plugin(t, probe), options{})
	d.text(1, "free")
	d.try()
	if d.err == nil || !strings.Contains(d.err.Error(), "yimmo_heap_freed_twice_or_never_allocated") {
		t.Errorf("free: got %v, want a trap that says what happened", d.err)
	}
}

// Init takes the capacities that the host asks for, and nothing twice.
func TestCapacities(t *testing.T) {
	t.Parallel()
	for _, o := range []options{{}, {rings: 16, area: 64 << 10}, {rings: 1000, area: 100_000}, {rings: 65536, area: 1 << 20}} {
		d := load(t, plugin(t, probe), o)
		c := d.i.Control()
		rings, area := uint32(o.rings), uint32(o.area)
		if rings == 0 {
			rings, area = abi.DefaultRing, abi.DefaultArea
		}
		if c.Events.Cap != rings || c.Commands.Cap != rings || c.Area.Cap != area&^7 {
			t.Errorf("%+v: got %d, %d, %d", o, c.Events.Cap, c.Commands.Cap, c.Area.Cap)
		}
	}
}

// A module imports nothing.
func TestNoImports(t *testing.T) {
	t.Parallel()
	for _, m := range []*module{plugin(t, probe), program(t, "includes"), program(t, "chat")} {
		if s := imports(t, m.wasm); s != nil {
			t.Errorf("imports: %v", s)
		}
	}
}

func imports(t *testing.T, wasm []byte) []string {
	t.Helper()
	w := wasm[8:]
	var all []string
	for len(w) > 0 {
		id, size := w[0], 0
		w = w[1:]
		for shift := 0; ; shift += 7 {
			b := w[0]
			w = w[1:]
			size |= int(b&0x7f) << shift
			if b < 0x80 {
				break
			}
		}
		if id == 2 && w[0] != 0 {
			all = append(all, string(w[:size]))
		}
		w = w[size:]
	}
	return slices.Clip(all)
}

// The samples of the SDK build with make, all of them.
func TestSizes(t *testing.T) {
	t.Parallel()
	echo := plugin(t, "../../plugins/echo-c/echo.c", "-Wl,--strip-all")
	if n := len(echo.wasm); n > 10_000 {
		t.Errorf("the echo in C has %d bytes, want a few thousand", n)
	}
	t.Logf("echo %d bytes", len(echo.wasm))
	for _, name := range []string{"echo", "chat", "includes"} {
		t.Logf("%s %d bytes", name, len(program(t, name, "-Wl,--strip-all").wasm))
	}
}
