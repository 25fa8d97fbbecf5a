//go:build unix

package c_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// A process is a plugin that was compiled for this machine, under sanitizers, as a
// guest of a real host: test/native/serve.c has the other half and says what lies
// where in the memory that both share.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers io.Reader
	said    bytes.Buffer // on standard error
	mem     []byte

	block   uint32 // address of the control block
	control abi.Control
	header  []byte // the guest's part of it
	over    bool   // the last turn was consumed
	dead    bool
}

// offeredToProcess is what the host of these tests has; a module asks for itself.
const offeredToProcess = allFeatures &^ abi.FeatureState

const processMemory = 16 << 20 // FILE_END in serve.c

var errProcess = errors.New("the plugin failed, as it was told to")

// startProcess starts file as a guest. It panics where it cannot: the host has no
// other way to hear of it.
func startProcess(t *testing.T, file string) lane.Guest {
	p := &process{t: t, over: true}
	if err := p.start(file); err != nil {
		panic(fmt.Sprintf("%s: %v\n%s", filepath.Base(file), err, p.said.String()))
	}
	return p
}

func (p *process) start(file string) error {
	shared, err := os.CreateTemp(scratch, "*.memory")
	if err != nil {
		return err
	}
	defer os.Remove(shared.Name())
	defer shared.Close()
	if err := shared.Truncate(processMemory); err != nil {
		return err
	}
	p.mem, err = syscall.Mmap(int(shared.Fd()), 0, processMemory, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	p.cmd = exec.Command(file, shared.Name())
	p.cmd.Env = append(os.Environ(), sanitizers)
	p.cmd.Stderr = &p.said
	if p.orders, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	if p.answers, err = p.cmd.StdoutPipe(); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	if p.block, err = p.order(0, abi.DefaultRing, abi.DefaultArea, false); err != nil {
		return err
	}
	if p.control, err = abi.ParseControl(p.mem[p.block:]); err != nil {
		return err
	}
	if err := p.control.Check(p.block, uint64(len(p.Memory())), offeredToProcess); err != nil {
		return err
	}
	p.control.Granted = (p.control.Needs | p.control.Wants) & offeredToProcess
	binary.LittleEndian.PutUint32(p.mem[p.block+abi.OffsetGranted:], uint32(p.control.Granted))
	p.header = bytes.Clone(p.mem[p.block:][:abi.OffsetMore])
	return nil
}

// order gives an order and takes the answer. That the process ended in another way
// than it was told to is what the sanitizers found.
func (p *process) order(what, first, n uint32, fresh bool) (uint32, error) {
	b := make([]byte, 16)
	for i, v := range []uint32{what, first, n, 0} {
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
	if fresh {
		b[12] = 1
	}
	_, err := p.orders.Write(b)
	if err == nil {
		_, err = io.ReadFull(p.answers, b[:8])
	}
	if err != nil {
		p.dead = true
		err = errors.Join(err, p.cmd.Wait())
		p.t.Errorf("the plugin died: %v\n%.6000s", err, p.said.String())
		return 0, err
	}
	if b[0] != 0 {
		return 0, errProcess
	}
	return binary.LittleEndian.Uint32(b[4:]), nil
}

func (p *process) span(s abi.Span, unit uint32) []byte { return p.mem[s.Addr:][:s.Cap*unit] }

func (p *process) Events() []byte         { return p.span(p.control.Events, abi.RecordSize) }
func (p *process) Commands() []byte       { return p.span(p.control.Commands, abi.RecordSize) }
func (p *process) Area() ([]byte, uint32) { return p.span(p.control.Area, 1), p.control.Area.Addr }
func (p *process) Features() abi.Feature  { return p.control.Granted }
func (p *process) Memory() []byte         { return p.mem[:binary.LittleEndian.Uint32(p.mem[8:])<<16] }

func (p *process) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	if p.dead {
		return 0, 0, false, guest.ErrDead
	}
	word := p.mem[p.block:]
	for at, v := range map[int]uint64{
		abi.OffsetNow: uint64(h.Now), abi.OffsetMono: uint64(h.Mono), abi.OffsetSeed: h.Seed, abi.OffsetTurn: h.Turn,
	} {
		binary.LittleEndian.PutUint64(word[at:], v)
	}
	m, err := p.order(1, uint32(first), uint32(n), p.over)
	if err != nil {
		return 0, 0, false, err
	}
	consumed = int(binary.LittleEndian.Uint32(word[abi.OffsetConsumed:]))
	more = binary.LittleEndian.Uint32(word[abi.OffsetMore:]) != 0
	p.over = consumed == n && !more
	return int(m), consumed, more, p.judge(m, first, n, consumed, more)
}

// judge is the part of the contract that package host/guest sees to for modules.
func (p *process) judge(m uint32, first, n, consumed int, more bool) error {
	block := p.mem[p.block:][:abi.ControlSize]
	switch {
	case !bytes.Equal(block[:abi.OffsetGranted], p.header[:abi.OffsetGranted]):
		return errors.New("the control block has changed since init")
	case binary.LittleEndian.Uint32(block[abi.OffsetMore+4:]) != 0 || binary.LittleEndian.Uint64(block[abi.OffsetTurn+8:]) != 0:
		return errors.New("a reserved field of the control block is not zero")
	case m > p.control.Commands.Cap:
		return fmt.Errorf("%d commands", m)
	case consumed < first || consumed > n:
		return fmt.Errorf("consumed is %d, the turn was %d to %d", consumed, first, n)
	case m == 0 && consumed == first && !p.over:
		return errors.New("no progress")
	}
	return nil
}

func (p *process) Close() error {
	if p.mem == nil {
		return nil
	}
	err := p.orders.Close()
	if !p.dead {
		err = errors.Join(err, p.cmd.Wait())
	}
	err = errors.Join(err, syscall.Munmap(p.mem))
	p.mem = nil
	if s := strings.TrimSpace(p.said.String()); s != "" && !p.dead {
		err = errors.Join(err, errors.New(s))
	}
	if err != nil {
		p.t.Errorf("the plugin's end: %v", err)
	}
	return err
}
