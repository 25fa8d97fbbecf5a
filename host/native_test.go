package host_test

import (
	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// A reaction is what a guest in Go makes of an event. It runs on the lane's goroutine.
type reaction func(g *native, e abi.Event, payload string)

// inGo is a plugin that is Go code: for what would be long in any other language.
// Its route is "/" + name.
func inGo(name string, react reaction) host.Plugin {
	return host.Plugin{Name: name, Native: func() lane.Guest {
		return &native{mem: make([]byte, nativeOut+nativeRoom), used: nativeOut, react: react}
	}}
}

// native is a guest with the layout of a module's memory. What it sends lies
// behind the area.
type native struct {
	mem      []byte
	used     int // of mem
	react    reaction
	commands []abi.Command
}

const (
	nativeRing = abi.DefaultRing * abi.RecordSize
	nativeArea = 2 * nativeRing
	nativeOut  = nativeArea + abi.DefaultArea
	nativeRoom = 32 << 20 // for what one turn sends
)

func (g *native) Events() []byte         { return g.mem[:nativeRing] }
func (g *native) Commands() []byte       { return g.mem[nativeRing:nativeArea] }
func (g *native) Area() ([]byte, uint32) { return g.mem[nativeArea:][:abi.DefaultArea], nativeArea }
func (g *native) Memory() []byte         { return g.mem }
func (g *native) Close() error           { return nil }
func (g *native) Features() abi.Feature {
	return abi.FeatureHTTP | abi.FeatureHold | abi.FeatureTopics | abi.FeatureBackPressure | abi.FeatureTimers
}

// Turn implements [lane.Guest].
func (g *native) Turn(first, n int, _ guest.Header) (commands, consumed int, more bool, err error) {
	for i := first; i < n; i++ {
		e, _ := abi.ParseEvent(g.mem[i*abi.RecordSize:])
		g.react(g, e, string(g.mem[e.Addr:][:e.Len]))
	}
	commands = min(len(g.commands), abi.DefaultRing)
	for i := range commands {
		abi.PutCommand(g.mem[nativeRing+i*abi.RecordSize:], &g.commands[i])
	}
	g.commands = g.commands[commands:]
	return commands, n, len(g.commands) > 0, nil
}

// do has the host carry out a command with that payload.
func (g *native) do(c abi.Command, payload string) {
	if len(g.commands) == 0 { // all of the last turn has been read
		g.used = nativeOut
	}
	c.Addr, c.Len = uint32(g.used), uint32(len(payload))
	if copy(g.mem[g.used:], payload) < len(payload) {
		panic("the guest sends too much in one turn")
	}
	g.used += len(payload)
	g.commands = append(g.commands, c)
}

func (g *native) send(id uint64, flags byte, payload string) {
	g.do(abi.Command{Kind: abi.CommandSend, ID: id, Flags: flags}, payload)
}

// log makes a line of the host's log.
func (g *native) log(text string) {
	g.do(abi.Command{Kind: abi.CommandLog, Flags: byte(abi.LevelInfo)}, text)
}

// head begins an answer to a request, and ends it too if flags say so.
func (g *native) head(id uint64, flags byte, status uint16, headers ...string) {
	fields := abi.AppendFields(nil)
	for i := 0; i < len(headers); i += 2 {
		fields = abi.AppendField(fields, 0, headers[i], headers[i+1])
	}
	g.do(abi.Command{Kind: abi.CommandHTTPHead, ID: id, Code: status, Flags: flags}, string(fields))
}

func (g *native) body(id uint64, flags byte, data string) {
	g.do(abi.Command{Kind: abi.CommandHTTPBody, ID: id, Flags: flags}, data)
}

// brigade is do with a payload behind a head.
func (g *native) brigade(c abi.Command, head, payload string) {
	g.do(c, head)
	g.do(abi.Command{Kind: abi.CommandPiece}, payload)
}
