package host_test

import (
	"encoding/binary"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/abi/abitest"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A puppeteer tells the guest of the conformance kit what to do.
type puppeteer struct {
	*server
	t       *testing.T
	monitor *peer
}

func (on transport) puppeteer(t *testing.T, c host.Compression) *puppeteer {
	s := on.serveWith(t, packing(c), host.Limits{}, host.Plugin{Name: "puppet", Module: abitest.Puppet()})
	p := &puppeteer{server: s, t: t, monitor: s.open(t, "/puppet")}
	p.connected()
	return p
}

// connected returns the id of the session that has just connected.
func (p *puppeteer) connected() uint64 {
	p.t.Helper()
	for {
		if e, ok := parseHeard(p.monitor.frame()); ok && e.Kind == abi.EventConnect {
			return e.ID
		}
	}
}

// do has the guest carry out a script.
func (p *puppeteer) do(s *abitest.Script) {
	p.t.Helper()
	p.monitor.send(0x82, string(s.Encode()))
}

// Whatever a guest sends reaches peers of all kinds as it was meant, and what
// comes next refers to it rightly.
func TestCompressedSends(t *testing.T) { eachTransport(t, testCompressedSends) }

func testCompressedSends(t *testing.T, on transport) {
	p := on.puppeteer(t, host.Compression{Takeover: true, Threshold: 32})
	var ids []uint64
	var peers []*packedPeer
	for _, offered := range []string{
		pmd, pmd + "; server_no_context_takeover", pmd + "; server_max_window_bits=9", pmd + "; server_max_window_bits=8; server_no_context_takeover", "",
	} {
		if offered == "" {
			peers = append(peers, &packedPeer{peer: p.open(t, "/puppet"), packer: newPacker("")})
		} else {
			peers = append(peers, p.openPacked(t, "/puppet", offered))
		}
		ids = append(ids, p.connected())
	}
	hear := func(messages ...string) {
		t.Helper()
		for i, one := range peers {
			for _, m := range messages {
				if _, got := one.message(); got != m {
					t.Fatalf("peer %d: got %d bytes, %.40q, want %d, %.40q", i, len(got), got, len(m), m)
				}
			}
		}
	}
	short, small, large := "too short", sentences(1, 300), sentences(2, 12000)
	each := func(add func(s *abitest.Script, id uint64)) *abitest.Script {
		s := new(abitest.Script)
		for _, id := range ids {
			add(s, id)
		}
		return s
	}
	steps := []struct {
		name   string
		script *abitest.Script
		want   []string
	}{
		{"send", each(func(s *abitest.Script, id uint64) { s.SendText(id, small).SendText(id, short).SendText(id, small) }),
			[]string{small, short, small}},
		{"send in pieces", each(func(s *abitest.Script, id uint64) { s.Send(id, 0x82, []byte(small[:100]), nil, []byte(small[100:])) }),
			[]string{small}},
		{"fragments", each(func(s *abitest.Script, id uint64) {
			s.Send(id, 0x01, []byte(small)).Send(id, 0x89, []byte("ping")).Send(id, 0x00).Send(id, 0x00, []byte(short)).Send(id, 0x80, []byte(large))
		}), []string{small + short + large}},
		{"fragments, the last one empty", each(func(s *abitest.Script, id uint64) { s.Send(id, 0x01, []byte(small)).Send(id, 0x80) }),
			[]string{small}},
		{"fragments, the first one short", each(func(s *abitest.Script, id uint64) { s.Send(id, 0x01, []byte(short)).Send(id, 0x80, []byte(small)) }),
			[]string{short + small}},
		{"send to many", sendMany(0x81, small, append(ids, ids...)...), []string{small, small}},
		{"send fragments to many", each(func(s *abitest.Script, id uint64) {
			if id == ids[0] {
				s.Do(manyCommand(0x02), idList(ids...), []byte(large)).Do(manyCommand(0x80), idList(ids...), []byte(small))
			}
		}), []string{large + small}},
		{"ping many", sendMany(0x89, "ping", ids...), nil},
		{"subscribe", each(func(s *abitest.Script, id uint64) {
			s.Do(abi.Command{Kind: abi.CommandSubscribe, ID: id}, []byte("room"))
		}), nil},
		{"publish", new(abitest.Script).Do(publish(0x81), []byte("room"), []byte(small)).Do(publish(0x82), []byte("room"), []byte(large)).
			Do(publish(0x81), []byte("room"), []byte(short)), []string{small, large, short}},
		{"publish inside of fragments", each(func(s *abitest.Script, id uint64) {
			s.Send(id, 0x01, []byte(small))
			if id == ids[len(ids)-1] {
				s.Do(publish(0x81), []byte("room"), []byte(large))
				for _, id := range ids {
					s.Send(id, 0x80, []byte(small))
				}
			}
		}), []string{small + small, large}},
		{"send at last", each(func(s *abitest.Script, id uint64) { s.SendText(id, large) }), []string{large}},
	}
	for _, step := range steps {
		p.do(step.script)
		hear(step.want...)
	}
	for i, one := range peers[:4] {
		if one.packed == 0 || one.packed > one.plain/2 {
			t.Errorf("peer %d: %d bytes came as %d, want fewer than half", i, one.plain, one.packed)
		}
	}
	if !(peers[0].packed < peers[1].packed && peers[2].packed < peers[3].packed) {
		t.Errorf("with context %d and %d bytes came, without %d and %d, want fewer with", peers[0].packed, peers[2].packed, peers[1].packed, peers[3].packed)
	}
}

func publish(flags uint8) abi.Command { return abi.Command{Kind: abi.CommandPublish, Flags: flags} }

func manyCommand(flags uint8) abi.Command {
	return abi.Command{Kind: abi.CommandSendMany, Flags: flags}
}

func idList(ids ...uint64) (list []byte) {
	for _, id := range ids {
		list = binary.LittleEndian.AppendUint64(list, id)
	}
	return list
}

func sendMany(flags uint8, payload string, ids ...uint64) *abitest.Script {
	return new(abitest.Script).Do(manyCommand(flags), idList(ids...), []byte(payload))
}

// What a guest says before its peer has the 101 is compressed as well.
func TestCompressedGreeting(t *testing.T) { eachTransport(t, testCompressedGreeting) }

func testCompressedGreeting(t *testing.T, on transport) {
	greeting := sentences(1, 1000)
	s := on.serveWith(t, packing(host.Compression{Takeover: true}), host.Limits{}, echo(t, greeting))
	for range 2 {
		p := s.openPacked(t, "/echo", pmd)
		p.hears(1, greeting)
		p.say(1, greeting, 0) // which the host's context knows
		before := p.packed
		p.hears(1, greeting)
		if got := p.packed - before; before == 0 || got > before/2 {
			t.Errorf("greeting came as %d bytes, its echo as %d", before, got)
		}
		p.leave()
	}
	plain := s.open(t, "/echo")
	plain.want(rawws.Frame{Flags: 0x81, Payload: greeting})
	plain.leave()
}
