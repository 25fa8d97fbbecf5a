//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// variety is how many different messages there are of a size. Message number n
// of a connection is the n modulo variety-th: as no more are ever under way, an
// echo out of order is found out.
const variety = 64

// mostInFlight is how many messages one write may carry.
const mostInFlight = 16

// messages are what a connection sends, ready for the wire, and what must come
// back.
type messages struct {
	plain  [variety][]byte
	frames []byte // all of them, masked; then those that a run past the end needs
	frame  int    // bytes of one
}

func newMessages(size int) *messages {
	m := &messages{}
	random := rand.NewChaCha8([32]byte{1})
	for i := range m.plain {
		m.plain[i] = make([]byte, size)
		random.Read(m.plain[i])
	}
	for i := range variety + mostInFlight {
		m.frames = rawws.AppendFrame(m.frames, rawws.Frame{Flags: binaryFrame, Payload: string(m.plain[i%variety])})
	}
	m.frame = len(m.frames) / (variety + mostInFlight)
	return m
}

// run is the bytes of n messages from number first on.
func (m *messages) run(first uint32, n int) []byte {
	return m.frames[int(first%variety)*m.frame:][:n*m.frame]
}

// First bytes of frames, RFC 6455 section 5.2.
const (
	fin         = 0x80
	control     = 8 // the bit that opcodes of control frames have
	opBinary    = 2
	opClose     = 8
	opPing      = 9
	opPong      = 10
	binaryFrame = fin | opBinary
)

// A judge follows what a server sends on one connection and compares every byte
// of it with what was sent.
type judge struct {
	next  uint32 // number of the message at hand
	got   int    // bytes of it so far
	begun bool   // a frame of it has come
	pongs int

	head [10]byte // of the frame at hand
	have int      // bytes of it
	left int      // payload bytes still to come, when the head is complete
	body bool     // the head is complete
}

// errClosed is a close frame that nobody asked for.
var errClosed = errors.New("the server sent a close frame")

// feed takes bytes as they come off the wire. It returns how many messages they
// completed.
func (j *judge) feed(p []byte, m *messages) (done int, err error) {
	for len(p) > 0 {
		if !j.body {
			p = p[j.takeHead(p):]
			if !j.body {
				continue
			}
			if err := j.judgeHead(); err != nil {
				return done, err
			}
		}
		part := p[:min(len(p), j.left)]
		if j.head[0]&control == 0 && !j.right(part, m) {
			return done, fmt.Errorf("message %d differs from what was sent at byte %d or soon after", j.next, j.got)
		}
		p, j.left = p[len(part):], j.left-len(part)
		if j.left > 0 {
			break
		}
		if j.endFrame() {
			if whole := len(m.plain[j.next%variety]); j.got != whole {
				return done, fmt.Errorf("message %d has %d bytes, %d were sent", j.next, j.got, whole)
			}
			j.next, j.got = j.next+1, 0
			done++
		}
	}
	return done, nil
}

// takeHead moves bytes to the head until that is complete.
func (j *judge) takeHead(p []byte) (used int) {
	for used < len(p) && !j.body {
		j.head[j.have] = p[used]
		j.have++
		used++
		size := 2
		switch j.head[1] {
		case 126:
			size = 4
		case 127:
			size = 10
		}
		j.body = j.have >= 2 && j.have == size
	}
	return used
}

func (j *judge) judgeHead() error {
	switch n := j.head[1]; n {
	case 126:
		j.left = int(binary.BigEndian.Uint16(j.head[2:]))
	case 127:
		j.left = int(binary.BigEndian.Uint64(j.head[2:]))
	default:
		j.left = int(n)
	}
	want := byte(opBinary)
	if j.begun {
		want = 0 // a continuation
	}
	switch first := j.head[0] &^ fin; {
	case first == opClose:
		return errClosed
	case first == opPong:
	case first != want || j.left < 0:
		return fmt.Errorf("a frame begins with %#x %#x", j.head[0], j.head[1])
	default:
		j.begun = true
	}
	return nil
}

// right compares the next bytes of the message at hand.
func (j *judge) right(part []byte, m *messages) bool {
	want := m.plain[j.next%variety]
	if len(part) > len(want)-j.got || !bytes.Equal(part, want[j.got:][:len(part)]) {
		return false
	}
	j.got += len(part)
	return true
}

// endFrame reports whether the frame that ends was the last of a message.
func (j *judge) endFrame() bool {
	j.body, j.have, j.head[1] = false, 0, 0
	if j.head[0]&control != 0 {
		j.pongs++
		return false
	}
	last := j.head[0]&fin != 0
	j.begun = !last
	return last
}
