package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Record is one of [*Call], [*Checkpoint], [*Memory], [*Gap], [*Mark], [*End].
type Record any

// A Reader reads a trace from its front. It holds one record at a time: memory
// for at most twice the bytes that are there, and no more than [MaxRecord].
type Reader struct {
	r      *bufio.Reader
	header *Header
	buf    []byte
	at     int64 // offset of the next record
	ended  bool
	err    error // sticks
}

// NewReader reads preamble and header. The errors wrap [ErrNotTrace],
// [ErrVersion], [ErrTruncated], [ErrDamaged] or are those of r.
func NewReader(r io.Reader) (*Reader, error) {
	t := &Reader{r: bufio.NewReaderSize(r, 64<<10)}
	if err := t.preamble(); err != nil {
		return nil, err
	}
	kind, flags, word, b, err := t.record()
	if err != nil {
		return nil, err
	}
	if kind != KindHeader {
		return nil, t.damaged("the first record is of kind %d", kind)
	}
	if t.header, err = parseHeader(flags, word, b); err != nil {
		return nil, t.at0(err)
	}
	if err := t.used(b); err != nil {
		return nil, err
	}
	return t, nil
}

// Header says whose trace it is.
func (t *Reader) Header() *Header { return t.header }

func (t *Reader) preamble() error {
	var b [PreambleSize]byte
	n, err := io.ReadFull(t.r, b[:])
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case string(b[:min(n, len(Magic))]) != Magic[:min(n, len(Magic))] || n == 0:
		return ErrNotTrace
	case err != nil:
		return fmt.Errorf("%w inside its first %d bytes", ErrTruncated, PreambleSize)
	case sum(b[:12]) != binary.LittleEndian.Uint32(b[12:]):
		return t.damaged("the preamble's sum is wrong")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != Version {
		return fmt.Errorf("%w: it is %d, this program reads %d", ErrVersion, v, Version)
	}
	t.at = PreambleSize
	return nil
}

// Next returns the next record, good until the next call. Records of unknown
// kind that may be passed over are. The error is [io.EOF] after the end record;
// it wraps [ErrTruncated] where the trace stops without one, [ErrDamaged] where
// its bytes are wrong, or is that of the reader below. Errors stay.
func (t *Reader) Next() (Record, error) {
	if t.err != nil {
		return nil, t.err
	}
	r, err := t.next()
	t.err = err
	return r, err
}

func (t *Reader) next() (Record, error) {
	for {
		kind, flags, word, b, err := t.record()
		if err != nil {
			return nil, err
		}
		r, err := t.parse(kind, flags, word, b)
		if err != nil {
			return nil, t.at0(err)
		}
		if r == nil {
			continue
		}
		if err := t.used(b); err != nil {
			return nil, err
		}
		return r, nil
	}
}

func (t *Reader) parse(kind Kind, flags uint8, word uint16, b *body) (Record, error) {
	if kind >= KindOptional {
		return nil, nil
	}
	if kind == KindHeader {
		return nil, fmt.Errorf("%w: a second header", ErrDamaged)
	}
	if kind != KindCall && word != 0 || (kind == KindCheckpoint || kind == KindSave || kind == KindLoad) && flags != 0 {
		return nil, fmt.Errorf("%w: reserved bits are set", ErrDamaged)
	}
	switch kind {
	case KindCall:
		return orNil(parseCall(t.header, flags, word, b))
	case KindCheckpoint:
		return orNil(parseCheckpoint(b))
	case KindMemory:
		return orNil(parseMemory(flags, b))
	case KindGap:
		return orNil(parseGap(flags, b))
	case KindSave, KindLoad:
		return orNil(parseMark(kind == KindLoad, b))
	case KindEnd:
		t.ended = true
		return orNil(parseEnd(flags, b))
	}
	return nil, fmt.Errorf("%w: a record of kind %d", ErrDamaged, kind)
}

// orNil keeps a nil pointer from becoming a [Record] that is not nil.
func orNil[T any](r *T, err error) (Record, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

// record reads a prefix and the body behind it.
func (t *Reader) record() (kind Kind, flags uint8, word uint16, b *body, err error) {
	var p [PrefixSize]byte
	n, err := io.ReadFull(t.r, p[:])
	switch {
	case err == io.EOF && t.ended:
		return 0, 0, 0, nil, io.EOF
	case err == io.EOF:
		return 0, 0, 0, nil, fmt.Errorf("%w: it has no end record (offset %#x)", ErrTruncated, t.at)
	case err == io.ErrUnexpectedEOF:
		return 0, 0, 0, nil, t.cut(n)
	case err != nil:
		return 0, 0, 0, nil, err
	case t.ended:
		return 0, 0, 0, nil, t.damaged("something follows the end")
	}
	le := binary.LittleEndian
	size := le.Uint32(p[:])
	if sum(p[:8]) != le.Uint32(p[8:]) {
		return 0, 0, 0, nil, t.badPrefix(p[:])
	}
	if size < 4 || size > MaxRecord {
		return 0, 0, 0, nil, t.damaged("a record of %d bytes, allowed 4 to %d", size, MaxRecord)
	}
	if err := t.read(int(size)); err != nil {
		return 0, 0, 0, nil, err
	}
	if sum(t.buf) != le.Uint32(p[4:]) {
		return 0, 0, 0, nil, t.damaged("a record's sum is wrong")
	}
	t.at += PrefixSize + int64(size)
	return Kind(t.buf[0]), t.buf[1], le.Uint16(t.buf[2:]), &body{left: t.buf[4:]}, nil
}

// read fills t.buf with size bytes. It grows with what arrives, not with what is
// announced.
func (t *Reader) read(size int) error {
	if cap(t.buf) > 1<<20 && cap(t.buf)/4 > size {
		t.buf = nil // the last one was much larger
	}
	t.buf = t.buf[:0]
	for len(t.buf) < size {
		if len(t.buf) == cap(t.buf) {
			grown := make([]byte, len(t.buf), min(size, max(4<<10, 2*cap(t.buf))))
			copy(grown, t.buf)
			t.buf = grown
		}
		end := min(size, cap(t.buf))
		n, err := io.ReadFull(t.r, t.buf[len(t.buf):end])
		t.buf = t.buf[:len(t.buf)+n]
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return t.cut(PrefixSize + len(t.buf))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// badPrefix tells a tail of zeros, as a file system leaves it after a crash, from
// damage.
func (t *Reader) badPrefix(p []byte) error {
	tail, buf := int64(len(p)), make([]byte, 4<<10)
	for zero := isZero(p); zero; {
		n, err := t.r.Read(buf)
		if zero = isZero(buf[:n]); zero && err == io.EOF {
			return fmt.Errorf("%w: only zeros follow, %d bytes (offset %#x)", ErrTruncated, tail+int64(n), t.at)
		}
		if err != nil {
			break
		}
		tail += int64(n)
	}
	return t.damaged("a record's prefix is wrong")
}

func (t *Reader) cut(have int) error {
	return fmt.Errorf("%w: inside a record, %d bytes of it are there (offset %#x)", ErrTruncated, have, t.at)
}

func (t *Reader) damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s (offset %#x)", ErrDamaged, fmt.Sprintf(format, args...), t.at)
}

// at0 adds where the record at hand ends to an error about it.
func (t *Reader) at0(err error) error { return fmt.Errorf("%w (before offset %#x)", err, t.at) }

// used checks that a record was as long as what is in it.
func (t *Reader) used(b *body) error {
	switch {
	case b.short:
		return t.at0(fmt.Errorf("%w: a record is too short for what it holds", ErrDamaged))
	case len(b.left) > 0:
		return t.at0(fmt.Errorf("%w: a record has %d bytes too many", ErrDamaged, len(b.left)))
	}
	return nil
}
