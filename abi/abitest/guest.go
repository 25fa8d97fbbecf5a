package abitest

import (
	"bytes"
	"embed"
	"encoding/binary"

	"github.com/yimmo-host/yimmo-host/abi"
)

//go:embed guests/puppet.wasm guests/good/*.wasm guests/bad/*.wasm
var guests embed.FS

// guest is one of the kit's compiled guests, a copy for the caller to keep.
func guest(name string) []byte {
	module, err := guests.ReadFile("guests/" + name + ".wasm")
	if err != nil {
		panic(err) // it is embedded
	}
	return module
}

// Puppet is the guest of the kit, a copy for the caller to keep.
func Puppet() []byte { return guest("puppet") }

// Where things lie in the puppet's memory; see guests/puppet.wat.
const (
	AddrControl  = 0x400
	AddrAsked    = 0x480 // the three arguments of init, u32 each
	AddrGrown    = 0x490 // what the last memory.grow said
	AddrEvents   = 0x1000
	AddrCommands = 0x2000
	AddrArea     = 0x10000
	MemoryEnd    = 0x60000 // until it grows

	EventsCap   = 32
	CommandsCap = 64
	AreaCap     = 64 << 10

	armSize = 8<<10 - 8
)

// A patch changes a guest's control block before the host sees the module.
type patch struct {
	at    int // offset in the control block; -8 is what init returns
	value uint32
}

const patchResult = -8

// patched is the puppet with another control block.
func patched(patches ...patch) []byte {
	module := Puppet()
	block := bytes.Index(module, binary.LittleEndian.AppendUint32(nil, abi.Magic))
	for _, p := range patches {
		binary.LittleEndian.PutUint32(module[block+p.at:], p.value)
	}
	return module
}
