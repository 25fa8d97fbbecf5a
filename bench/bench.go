// Package bench measures what a layer costs: the same echo by a Go program on
// gorilla/websocket, by the host without a guest, and by the host with a plugin
// in its sandbox, in Go and in C.
//
//	go test -run '^$' -bench Echo ./bench        one connection, one frame at a time
//	go test -run '^$' -bench Turn ./host/guest   the boundary alone, 1, 8 and 64 events a turn
//	go run ./bench/compare                       CPU per message of many connections, beside gorilla
//
// The last one is what the figures in README.md come from.
package bench

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// Module is what the import paths of this repository begin with.
const Module = "github.com/yimmo-host/yimmo-host"

// Build compiles a package of this repository to file; wasm makes it a plugin.
// It is to be called with the working directory inside the repository. An error
// has the compiler's output.
func Build(file, pkg string, wasm bool) error {
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=auto", "-o", file, Module+"/"+pkg)
	if wasm {
		build.Args = append(build.Args[:2:2], append([]string{"-buildmode=c-shared", "-ldflags=-s -w"}, build.Args[2:]...)...)
		build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	}
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	return nil
}

const ring = abi.DefaultRing * abi.RecordSize

// echo is a guest without a module: it sends every frame back from where it
// lies, as the plugin echo does.
type echo struct{ mem []byte }

// Echo makes an instance of the least that can echo, for [host.Plugin.Native]:
// what a server with it costs is the host's share alone.
func Echo() lane.Guest {
	return &echo{mem: make([]byte, 2*ring+abi.DefaultArea)}
}

func (g *echo) Events() []byte         { return g.mem[:ring] }
func (g *echo) Commands() []byte       { return g.mem[ring : 2*ring] }
func (g *echo) Area() ([]byte, uint32) { return g.mem[2*ring:], 2 * ring }
func (g *echo) Memory() []byte         { return g.mem }
func (g *echo) Features() abi.Feature  { return 0 }
func (g *echo) Close() error           { return nil }

func (g *echo) Turn(first, n int, _ guest.Header) (commands, consumed int, more bool, err error) {
	for i := first; i < n; i++ {
		e, _ := abi.ParseEvent(g.mem[i*abi.RecordSize:])
		if e.Kind != abi.EventRecv {
			continue
		}
		abi.PutCommand(g.Commands()[commands*abi.RecordSize:],
			&abi.Command{Kind: abi.CommandSend, Flags: e.Flags, ID: e.ID, Addr: e.Addr, Len: e.Len})
		commands++
	}
	return commands, n, false, nil
}
