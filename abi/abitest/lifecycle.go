package abitest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// firstSeq is the seq of a session's connect event.
const firstSeq = 0

func lifecycleCases() []scenario {
	config := map[string]string{"greeting": "hello", "rooms.0": "lobby", "empty": "", "name": "Zoë"}
	return []scenario{
		{name: "start comes first with the configuration", play: startFields, with: Plugin{Config: config}},
		{name: "init is asked for capacities in bounds", play: initAsked},
		{name: "control block is filled in by the host alone", play: controlBlock},
		{name: "header is new for each call", play: turnHeader},
		{name: "memory grows within a turn", play: growth},
		{name: "memory growth above the quota fails, the guest goes on", play: growthRefused},
		{name: "other capacities than asked for", play: ringsWrap},
		{name: "sessions close with 1001 when the host stops", play: stopped},
		{name: "guest without features", play: noFeatures,
			with: Plugin{Module: patched(patch{abi.OffsetWants, 0})}},
		{name: "unknown features in wants are ignored", play: func(s *stage) { s.quiet() },
			with: Plugin{Module: patched(patch{abi.OffsetWants, 0xfffffffd})}},
		{name: "what init leaves in the host's words is ignored", play: controlBlock,
			with: Plugin{Module: patched(patch{abi.OffsetGranted, 0xffffffff}, patch{abi.OffsetConsumed, 99},
				patch{abi.OffsetMore, 1}, patch{abi.OffsetTurn, 77}, patch{abi.OffsetNow, 5})}},
		{name: "what the guest writes over the host's words is its own loss", play: ownLoss},
		{name: "a newer minor version is served", play: func(s *stage) { s.quiet() },
			with: Plugin{Module: patched(patch{abi.OffsetMajor, 9<<16 | abi.Major})}},
	}
}

func startFields(s *stage) {
	e := s.start
	if e.Flags != 0 || e.Code != 0 || e.ID != 0 || e.User != 0 {
		s.Errorf("start: got %v, want flags, code, id and user 0", e)
	}
	f, err := abi.ParseFields(e.Payload)
	if err != nil {
		s.Fatalf("start: payload %q: %v", e.Payload, err)
	}
	got, last := map[string]string{}, ""
	for name, value := range f.All() {
		if _, twice := got[string(name)]; twice {
			s.Errorf("start: field %q comes twice", name)
		}
		if strings.HasPrefix(string(name), ":") && last != "" && !strings.HasPrefix(last, ":") {
			s.Errorf("start: field %q follows configuration key %q", name, last)
		}
		got[string(name)], last = string(value), string(name)
	}
	u, _ := url.Parse(s.server.URL)
	digest := sha256.Sum256(s.module)
	for name, want := range map[string]string{
		abi.FieldVersion: hex.EncodeToString(digest[:]), abi.FieldLane: "0", abi.FieldLanes: "1", abi.FieldPort: u.Port(),
		"greeting": "hello", "rooms.0": "lobby", "empty": "", "name": "Zoë",
	} {
		if value, ok := got[name]; !ok || value != want {
			s.Errorf("start: field %q: got %q, %v, want %q", name, value, ok, want)
		}
		delete(got, name)
	}
	for _, name := range []string{abi.FieldPlugin, abi.FieldHost} {
		if got[name] == "" {
			s.Errorf("start: field %q is missing or empty", name)
		}
		delete(got, name)
	}
	if n, err := strconv.ParseInt(got[abi.FieldMaxMessage], 10, 64); err != nil || n <= 0 {
		s.Errorf("start: field %q: got %q, want a number of bytes", abi.FieldMaxMessage, got[abi.FieldMaxMessage])
	}
	delete(got, abi.FieldMaxMessage)
	for name := range got {
		s.Errorf("start: field %q is not in ABI.md", name)
	}
}

func initAsked(s *stage) {
	asked := s.memory(AddrAsked, 12)
	for i, want := range []struct {
		name     string
		min, max uint32
	}{{"events", abi.MinRing, abi.MaxRing}, {"commands", abi.MinRing, abi.MaxRing}, {"area", abi.MinArea, abi.MaxArea}} {
		if n := binary.LittleEndian.Uint32(asked[4*i:]); n < want.min || n > want.max {
			s.Errorf("init: asked for %s %d, want %d to %d", want.name, n, want.min, want.max)
		}
	}
}

func controlBlock(s *stage) {
	before := time.Now().Add(-time.Minute)
	c := s.control()
	if now := time.Unix(0, c.Now); now.Before(before) || now.After(time.Now().Add(time.Minute)) {
		s.Errorf("now: got %v, want the time of day", now)
	}
	if c.Mono < 0 || c.Turn == 0 {
		s.Errorf("mono %d, turn %d: want at least 0 and 1", c.Mono, c.Turn)
	}
	if extra := c.Granted &^ (everything &^ abi.FeatureMessages); extra != 0 {
		s.Errorf("granted: %v was never wanted", extra)
	}
	guest, module := c, s.module
	at := bytes.Index(module, binary.LittleEndian.AppendUint32(nil, abi.Magic))
	if want := module[at : at+abi.OffsetGranted]; !bytes.Equal(abi.AppendControl(nil, &guest)[:len(want)], want) {
		s.Errorf("the guest's part of the block: got %+v, want it as the guest made it", guest)
	}
	later := s.control()
	if later.Now < c.Now || later.Mono < c.Mono || later.Turn <= c.Turn || later.Seed == c.Seed {
		s.Errorf("a later turn: got now %d mono %d turn %d seed %#x after %d, %d, %d, %#x",
			later.Now, later.Mono, later.Turn, later.Seed, c.Now, c.Mono, c.Turn, c.Seed)
	}
}

// ownLoss writes into everything that belongs to the host.
func ownLoss(s *stage) {
	sc := new(Script)
	for _, offset := range []uint32{
		abi.OffsetGranted, abi.OffsetNow, abi.OffsetNow + 4, abi.OffsetMono, abi.OffsetMono + 4,
		abi.OffsetSeed, abi.OffsetSeed + 4, abi.OffsetTurn, abi.OffsetTurn + 4,
	} {
		sc.Poke(AddrControl+offset, 0xffffffff)
	}
	for i := uint32(EventsCap / 2); i < EventsCap; i++ {
		sc.Poke(AddrEvents+i*abi.RecordSize, 0xffffffff)
	}
	before := s.control()
	s.accepted(sc.Poke(AddrArea+AreaCap-4, 0xffffffff))
	featureRefused(s)
	if now := s.control(); now.Turn <= before.Turn || now.Turn > before.Turn+1000 || now.Mono < before.Mono {
		s.Errorf("header: got turn %d, mono %d, want them to follow %d, %d", now.Turn, now.Mono, before.Turn, before.Mono)
	}
	c, id := s.peer()
	c.SendText(s, "after")
	if e := s.event(abi.EventRecv, id); string(e.Payload) != "after" {
		s.Errorf("recv: got %v, want %q", e, "after")
	}
}

func turnHeader(s *stage) {
	c, id := s.peer()
	block := abi.Command{Kind: abi.CommandSend, Flags: binaryFrame, ID: id, Addr: AddrControl, Len: abi.ControlSize}
	s.do(new(Script).Raw(block).Yield(1).Raw(block))
	first, _ := abi.ParseControl(c.Recv(s).Payload)
	second, _ := abi.ParseControl(c.Recv(s).Payload)
	if first.Now != second.Now || first.Mono != second.Mono {
		s.Errorf("second call of a turn: now %d, mono %d, want %d, %d", second.Now, second.Mono, first.Now, first.Mono)
	}
	if second.Turn != first.Turn+1 || first.Seed == second.Seed {
		s.Errorf("second call of a turn: number %d, seed %#x, want %d and another than %#x",
			second.Turn, second.Seed, first.Turn+1, first.Seed)
	}
}

func growth(s *stage) {
	c, id := s.peer()
	send := abi.Command{Kind: abi.CommandSend, Flags: binaryFrame, ID: id, Addr: MemoryEnd + 1000, Len: 4}
	s.accepted(new(Script).Grow(3).Poke(MemoryEnd+1000, 0x64636261).Raw(send))
	c.Expect(s, binaryFrame, []byte("abcd"))
	if old := binary.LittleEndian.Uint32(s.memory(AddrGrown, 4)); old != MemoryEnd>>16 {
		s.Errorf("memory.grow: got %d, want the old size %d", int32(old), MemoryEnd>>16)
	}
	c.SendText(s, "after")
	if e := s.event(abi.EventRecv, id); string(e.Payload) != "after" {
		s.Errorf("recv after memory grew: got %v, want %q", e, "after")
	}
}

func growthRefused(s *stage) {
	s.accepted(new(Script).Grow(65535))
	if old := binary.LittleEndian.Uint32(s.memory(AddrGrown, 4)); old != 0xffffffff {
		s.Errorf("memory.grow by 65535 pages: got %d, want -1", int32(old))
	}
	s.quiet()
}

// ringsWrap sends more events than the ring and more bytes than the area holds.
func ringsWrap(s *stage) {
	c, id := s.peer()
	message := bytes.Repeat([]byte("0123456789abcdef"), 256)
	var wire []byte
	const n = 4 * EventsCap
	for i := range n {
		binary.BigEndian.PutUint32(message, uint32(i))
		wire = AppendFrame(wire, binaryFrame, message)
	}
	if _, err := c.conn.Write(wire); err != nil {
		s.Fatalf("peer: %v", err)
	}
	for i := range n {
		binary.BigEndian.PutUint32(message, uint32(i))
		if e := s.event(abi.EventRecv, id); !bytes.Equal(e.Payload, message) {
			s.Fatalf("message %d: got %v, want it as it was sent", i, e)
		}
	}
}

func stopped(s *stage) {
	c, _ := s.peer()
	d, _ := s.peer()
	done := make(chan struct{})
	go func() { defer close(done); s.stop() }()
	for _, peer := range []*Client{c, d, s.monitor} {
		peer.ExpectClose(s, abi.CloseGoingAway)
		peer.SendClose(s, abi.CloseGoingAway, "")
		peer.ExpectEOF(s)
	}
	<-done
}

func noFeatures(s *stage) {
	if s.granted != 0 {
		s.Errorf("granted: got %v, want none of what was not asked for", s.granted)
	}
	for _, c := range featureCommands {
		s.wantRefused(abi.StatusNotGranted, c.Command, c.parts...)
	}
	s.decide(new(Script).Do(abi.Command{Kind: abi.CommandHold, ID: Self}), http.StatusInternalServerError)
	if r := s.refusals(1); len(r) != 1 || abi.Status(r[0].Code) != abi.StatusNotGranted {
		s.Errorf("hold: got %s, want not_granted", explain(r))
	}
	getOK(s)
}
