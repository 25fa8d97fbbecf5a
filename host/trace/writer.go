package trace

import (
	"io"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Writer writes a trace, one record at a time, as it is told. It is for who has
// all there is at hand, such as a checkpoint and the calls since: a [Recorder]
// records an instance while it runs. Not safe for concurrent use.
type Writer struct {
	w     io.Writer
	buf   []byte
	pack  *packer
	calls uint64
}

// NewWriter writes preamble and header.
func NewWriter(w io.Writer, h *Header) (*Writer, error) {
	t := &Writer{w: w}
	return t, t.write(AppendHeader(AppendPreamble(nil), h))
}

func (t *Writer) write(b []byte) error {
	t.buf = b
	_, err := t.w.Write(b)
	return err
}

// Checkpoint writes the state from which the next call goes on.
func (t *Writer) Checkpoint(c *guest.Checkpoint) error {
	if t.pack == nil {
		t.pack = newPacker()
	}
	return t.write(t.pack.appendCheckpoint(t.buf[:0], c))
}

// Call writes one call.
func (t *Writer) Call(c *Call) error {
	t.calls++
	return t.write(AppendCall(t.buf[:0], c))
}

// Gap writes that calls are missing.
func (t *Writer) Gap(g *Gap) error { return t.write(AppendGap(t.buf[:0], g)) }

// Mark writes that a state was noted or put back.
func (t *Writer) Mark(m Mark) error { return t.write(AppendMark(t.buf[:0], m)) }

// End writes the last record.
func (t *Writer) End(reason uint8) error {
	return t.write(AppendEnd(t.buf[:0], &End{Reason: reason, Calls: t.calls}))
}
