package host_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/meter"
)

// What refusing a module of the corpus makes this process allocate at most, and
// what all of them leave behind, in bytes.
const (
	hostileCost  = 32 << 20
	hostileLeave = 10 << 20
)

// None of the modules that mean harm is compiled, whatever refusing it takes is
// bounded, nothing of it remains, and a healthy plugin goes on answering.
func TestHostileModules(t *testing.T) {
	s := auto.serve(t, host.Limits{}, echo(t, ""))
	p := s.open(t, "/echo")
	e, err := guest.NewEngine(guest.CacheOff, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.CompileIn(guest.Process{Command: []string{os.Args[0], compileRole}, Time: time.Second, Memory: 128 << 20}); err != nil {
		t.Fatal(err)
	}
	all := hostile()
	if len(all) < 60 {
		t.Fatalf("the corpus has %d modules, want 60 at least", len(all))
	}
	before := resident(t)
	stop, answered := make(chan struct{}), make(chan answers)
	go func() { answered <- p.talk(stop) }()
	for _, tt := range all {
		wasm := tt.make()
		var from, to runtime.MemStats
		runtime.ReadMemStats(&from)
		_, err := e.Compile(context.Background(), "hostile", wasm)
		runtime.ReadMemStats(&to)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %.200v, want %v", tt.name, err, tt.want)
		}
		// The healthy plugin's client allocates, too, while a process compiles.
		if cost := to.TotalAlloc - from.TotalAlloc; cost > hostileCost && !tt.hard {
			t.Errorf("%s: %d bytes cost %d", tt.name, len(wasm), cost)
		}
	}
	close(stop)
	healthy := <-answered
	if healthy.count == 0 {
		t.Error("the healthy plugin answered nothing meanwhile")
	}
	after := resident(t)
	t.Logf("%d modules; %d answers of the healthy plugin meanwhile, the slowest after %v; memory grew by %d KiB",
		len(all), healthy.count, healthy.slowest, (after-before)>>10)
	if after > before+hostileLeave && !raced() {
		t.Errorf("memory: %d KiB, before %d", after>>10, before>>10)
	}
}

// answers are those that a peer has had.
type answers struct {
	count   int
	slowest time.Duration
}

// talk sends and hears, a thousand times a second, until stop is closed.
func (p *peer) talk(stop chan struct{}) (a answers) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return a
		case <-tick.C:
		}
		asked := time.Now()
		p.text("still there?")
		if f := p.frame(); f.Payload != "still there?" {
			p.t.Errorf("the healthy plugin answered %q", f.Payload)
			return a
		}
		a.count++
		a.slowest = max(a.slowest, time.Since(asked))
	}
}

// raced says whether the race detector is on, which keeps memory of its own for
// each byte that there ever was.
func raced() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// resident is the memory of this process, after all garbage is given back. 0
// where there is no way to tell.
func resident(t *testing.T) int64 {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// A hostileModule is named by what it tries.
type hostileModule struct {
	name string
	want error
	hard bool // it takes a process to find out
	make func() []byte
}

// hostile is the corpus. All of it would be plugins but for what they try.
func hostile() (all []hostileModule) {
	add := func(want error, name string, change func(m *wasm)) {
		all = append(all, hostileModule{name, want, false, func() []byte {
			m := newWASM()
			change(m)
			return m.bytes()
		}})
	}
	declared(func(name string, change func(m *wasm)) { add(guest.ErrMalformed, name, change) })
	tooMuch(func(name string, change func(m *wasm)) { add(guest.ErrLimit, name, change) })
	beyond(add)
	hard(func(name string, change func(m *wasm)) {
		add(guest.ErrLimit, name, change)
		all[len(all)-1].hard = true
	})
	return all
}

// declared are modules that say they have 2^32-1 of something.
func declared(add func(name string, change func(m *wasm))) {
	const most = "\xff\xff\xff\xff\x0f"
	for id, name := range map[int]string{
		secType: "types", secImport: "imports", secFunction: "functions", secTable: "tables", secMemory: "memories",
		secGlobal: "globals", secExport: "exports", secElement: "element segments", secCode: "bodies", secData: "data segments",
	} {
		add("2^32-1 "+name, func(m *wasm) { m.raw[id] = []byte(most) })
		add("2^32-1 "+name+", the file goes on", func(m *wasm) { m.raw[id] = append([]byte(most), make([]byte, 100)...) })
	}
	add("2^32-1 parameters", func(m *wasm) { m.item(secType, "\x60"+most) })
	add("2^32-1 results", func(m *wasm) { m.item(secType, "\x60\x00"+most) })
	add("2^32-1 elements", func(m *wasm) { m.item(secElement, "\x01\x00"+most) })
	add("2^32-1 element expressions", func(m *wasm) { m.item(secElement, "\x05\x70"+most) })
	add("body of 4 GiB", func(m *wasm) { m.item(secFunction, "\x00"); m.item(secCode, most) })
	add("2^32-1 groups of locals", func(m *wasm) { m.function(most) })
	add("2^32-1 labels", func(m *wasm) { m.function("\x00\x41\x00\x0e" + most + "\x0b") })
	add("2^32-1 types of a select", func(m *wasm) { m.function("\x00\x1c" + most + "\x0b") })
	add("data of 4 GiB", func(m *wasm) { m.item(secData, "\x01"+most) })
	add("import with a name of 4 GiB", func(m *wasm) { m.item(secImport, most) })
	add("export with a name of 4 GiB", func(m *wasm) { m.item(secExport, most) })
	add("custom section with a name of 4 GiB", func(m *wasm) { m.custom(most) })
	add("2^32-1 function names", func(m *wasm) { m.custom("\x04name\x01\x05" + most) })
	add("2^32-1 functions with named locals", func(m *wasm) { m.custom("\x04name\x02\x05" + most) })
	add("2^32-1 names of locals", func(m *wasm) { m.custom("\x04name\x02\x07\x01\x00" + most) })
	add("function name of 4 GiB", func(m *wasm) { m.custom("\x04name\x01\x07\x01\x00" + most) })
	add("section of 4 GiB", func(m *wasm) { m.tail = "\x00" + most })
}

// tooMuch are modules that really have what they say, and it is a lot.
func tooMuch(add func(name string, change func(m *wasm))) {
	many := strings.Repeat
	add("2^32-1 locals", func(m *wasm) { m.function("\x01\xff\xff\xff\xff\x0f\x7f\x0b") })
	add("50,001 locals", func(m *wasm) { m.function("\x01" + leb(50_001) + "\x7f\x0b") })
	add("100,000,000 locals in groups", func(m *wasm) { m.function(leb(2000) + many(leb(50_000)+"\x7f", 2000) + "\x0b") })
	add("2,000,001 locals together", func(m *wasm) {
		for range 41 {
			m.function("\x01" + leb(50_000) + "\x7f\x0b")
		}
	})
	add("1001 parameters", func(m *wasm) { m.item(secType, "\x60"+leb(1001)+many("\x7f", 1001)+"\x00") })
	add("1001 results", func(m *wasm) { m.item(secType, "\x60\x00"+leb(1001)+many("\x7f", 1001)) })
	add("10,004 types", func(m *wasm) { m.items(secType, "\x60\x00\x00", 10_001) })
	add("1001 imports", func(m *wasm) { m.items(secImport, "\x00\x00\x00\x00", 1001) })
	add("100,001 functions", func(m *wasm) { m.items(secFunction, "\x00", 99_999); m.items(secCode, "\x02\x00\x0b", 99_999) })
	add("9 tables", func(m *wasm) { m.items(secTable, "\x70\x00\x00", 9) })
	add("table of 2^32-1", func(m *wasm) { m.item(secTable, "\x70\x00\xff\xff\xff\xff\x0f") })
	add("8 tables of 100,000", func(m *wasm) { m.items(secTable, "\x70\x00"+leb(100_000), 8) })
	add("memory of 65,536 pages", func(m *wasm) { m.raw[secMemory] = []byte("\x01\x00" + leb(65_536)) })
	add("two memories", func(m *wasm) { m.item(secMemory, "\x00\x01") })
	add("10,001 globals", func(m *wasm) { m.items(secGlobal, "\x7f\x00\x41\x00\x0b", 10_001) })
	add("global of 1001 instructions", func(m *wasm) { m.item(secGlobal, "\x7f\x00"+many("\x41\x00", 1001)+"\x0b") })
	add("10,004 exports", func(m *wasm) {
		for n := range 10_001 {
			name := "e" + strconv.Itoa(n)
			m.item(secExport, leb(len(name))+name+"\x00\x00")
		}
	})
	add("name of 100,001 bytes", func(m *wasm) { m.item(secExport, leb(100_001)+many("x", 100_001)+"\x00\x00") })
	add("200,001 elements", func(m *wasm) { m.item(secElement, "\x01\x00"+leb(200_001)+many("\x00", 200_001)) })
	add("100,001 element segments", func(m *wasm) { m.items(secElement, "\x01\x00\x00", 100_001) })
	add("100,001 data segments", func(m *wasm) { m.items(secData, "\x01\x00", 100_001) })
	add("1001 custom sections", func(m *wasm) { m.tail = many("\x00\x02\x01x", 1001) })
	add("1,000,001 function names", func(m *wasm) {
		names := leb(1_000_001) + many("\x00\x00", 1_000_001)
		m.custom("\x04name\x01" + leb(len(names)) + names)
	})
	add("10,001 blocks inside each other", func(m *wasm) { m.function("\x00" + many("\x02\x40", 10_001) + many("\x0b", 10_002)) })
	add("10,001 ifs inside each other", func(m *wasm) { m.function("\x00" + many("\x41\x00\x04\x40", 10_001) + many("\x0b", 10_002)) })
	add("br_table of 30,001", func(m *wasm) { m.function("\x00\x41\x00\x0e" + leb(30_001) + many("\x00", 30_002) + "\x0b") })
	add("function of 1 MiB and more", func(m *wasm) { m.function("\x00" + many("\x01", 1<<20) + "\x0b") })
	add("file of 64 MiB and more", func(m *wasm) { m.custom("\x00" + many("\x00", 64<<20)) })
}

// beyond are modules that use what there is not, or are not put together as they
// have to be.
func beyond(add func(want error, name string, change func(m *wasm))) {
	add(guest.ErrMalformed, "shared memory", func(m *wasm) { m.raw[secMemory] = []byte("\x01\x03\x01\x01") })
	add(guest.ErrMalformed, "64-bit memory", func(m *wasm) { m.raw[secMemory] = []byte("\x01\x04\x01") })
	add(guest.ErrMalformed, "64-bit table", func(m *wasm) { m.item(secTable, "\x70\x04\x01") })
	add(guest.ErrMalformed, "types that refer to each other", func(m *wasm) { m.item(secType, "\x4e\x01\x60\x00\x00") })
	add(guest.ErrMalformed, "tags", func(m *wasm) { m.tail = "\x0d\x03\x01\x00\x00" })
	add(guest.ErrMalformed, "section twice", func(m *wasm) { m.tail = "\x01\x01\x00" })
	add(guest.ErrMalformed, "function without body", func(m *wasm) { m.item(secFunction, "\x00") })
	add(guest.ErrMalformed, "call of what the host adds", func(m *wasm) { m.function("\x00\x10\x03\x0b") })
	add(guest.ErrMalformed, "global that the host adds", func(m *wasm) { m.function("\x00\x23\x00\x1a\x0b") })
	add(guest.ErrMalformed, "start with a function that is not there", func(m *wasm) { m.raw[secStart] = []byte("\x07") })
	add(guest.ErrImport, "import of another module", func(m *wasm) { m.item(secImport, "\x03env\x01f\x00\x00") })
	add(guest.ErrImport, "import of a memory", func(m *wasm) {
		m.raw[secMemory] = []byte("\x00")
		m.item(secImport, "\x03env\x01m\x02\x00\x01")
	})
	add(guest.ErrImport, "import that WASI does not have", func(m *wasm) { m.item(secImport, "\x16wasi_snapshot_preview1\x04fork\x00\x00") })
	add(meter.ErrUnsupported, "threads", func(m *wasm) { m.function("\x00\xfe\x03\x00\x0b") })
	add(meter.ErrUnsupported, "exceptions", func(m *wasm) { m.function("\x00\x06\x40\x0b\x0b") })
	add(meter.ErrUnsupported, "garbage collection", func(m *wasm) { m.function("\x00\xfb\x00\x00\x0b") })
	add(meter.ErrUnsupported, "vector opcode of another length", func(m *wasm) { m.function("\x00\xfd\x8c\x00\x0b") })
	add(meter.ErrUnsupported, "nothing but loops", func(m *wasm) {
		for range 4 {
			m.function("\x00" + strings.Repeat("\x03\x40\x0b", 300_000) + "\x0b")
		}
	})
	add(meter.ErrReserved, "export of a meter of its own", func(m *wasm) { m.item(secExport, "\x10yimmo_meter_stop\x00\x00") })
}

// hard are modules within all limits that take too long to compile, or too much
// memory for that.
func hard(add func(name string, change func(m *wasm))) {
	many := strings.Repeat
	// Loops, each of which has to do with another local.
	add("4000 loops over as many locals", func(m *wasm) {
		code := "\x01" + leb(4000) + "\x7f"
		for n := range 4000 {
			k := leb(n)
			code += "\x03\x40\x20" + k + "\x41\x01\x6a\x21" + k + "\x20" + k + "\x0d\x00\x0b"
		}
		m.function(code + "\x0b")
	})
	add("20,000 branches over 1000 locals", func(m *wasm) {
		code := []byte("\x01" + leb(1000) + "\x7f")
		for n := range 20_000 {
			code = append(code, "\x20\x00\x04\x40\x41\x01\x21"+leb(n%1000)+"\x0b"...)
		}
		m.function(string(code) + "\x0b")
	})
	add("9990 loops inside each other", func(m *wasm) { m.function("\x00" + many("\x03\x40", 9990) + many("\x0b", 9991)) })
	add("9990 loops inside each other over 100 locals", func(m *wasm) {
		m.function("\x01\x64\x7f" + many("\x03\x40\x20\x01\x21\x02", 9990) + many("\x0b", 9991))
	})
}

// Numbers of the sections.
const (
	secType = iota + 1
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
)

// A wasm is a module being made: a plugin that does nothing, at first.
type wasm struct {
	counts [secData + 1]int
	parts  [secData + 1]bytes.Buffer
	raw    map[int][]byte // sections as they are to be, instead
	tail   string
}

func newWASM() *wasm {
	m := &wasm{raw: map[int][]byte{}}
	m.item(secType, "\x60\x00\x00")
	m.item(secType, "\x60\x03\x7f\x7f\x7f\x01\x7f")
	m.item(secType, "\x60\x02\x7f\x7f\x01\x7f")
	m.item(secFunction, "\x01")
	m.item(secFunction, "\x02")
	m.item(secMemory, "\x00\x01")
	m.item(secExport, "\x06memory\x02\x00")
	m.item(secExport, "\x0dyimmo_v1_init\x00\x00")
	m.item(secExport, "\x0dyimmo_v1_turn\x00\x01")
	m.items(secCode, "\x04\x00\x41\x00\x0b", 2)
	return m
}

func (m *wasm) item(section int, item string) { m.items(section, item, 1) }

func (m *wasm) items(section int, item string, n int) {
	m.counts[section] += n
	m.parts[section].WriteString(strings.Repeat(item, n))
}

// function adds a function without parameters: locals and code.
func (m *wasm) function(body string) {
	m.item(secFunction, "\x00")
	m.item(secCode, leb(len(body))+body)
}

// custom adds a custom section at the end.
func (m *wasm) custom(content string) { m.tail += "\x00" + leb(len(content)) + content }

func (m *wasm) bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for id := secType; id <= secData; id++ {
		content, raw := m.raw[id]
		switch {
		case raw:
		case m.counts[id] == 0:
			continue
		default:
			content = append([]byte(leb(m.counts[id])), m.parts[id].Bytes()...)
		}
		out = append(append(out, byte(id)), leb(len(content))...)
		out = append(out, content...)
	}
	return append(out, m.tail...)
}

// leb writes a number as modules have it.
func leb(n int) string {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return string(append(b, byte(n)))
}
