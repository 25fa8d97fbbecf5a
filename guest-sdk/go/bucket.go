package guest

import (
	"unsafe"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Bucket is a run of bytes. Several of them make a brigade, which is sent as
// one frame.
type Bucket struct {
	data []byte
	copy bool
}

// Ref makes a bucket that refers to p, which must stay unchanged until the turn
// is over.
func Ref(p []byte) Bucket { return Bucket{data: p} }

// RefString makes a bucket of a string.
func RefString(s string) Bucket { return Bucket{data: unsafe.Slice(unsafe.StringData(s), len(s))} }

// Copy makes a bucket whose bytes are copied when it is sent.
func Copy(p []byte) Bucket { return Bucket{data: p, copy: true} }

// measure returns how many bytes the buckets have, and how many have any.
func measure(buckets []Bucket) (size, filled int) {
	for i := range buckets {
		if n := len(buckets[i].data); n > 0 {
			size += n
			filled++
		}
	}
	return size, filled
}

// pieces fills records with the buckets that have any bytes, one each.
func (in *instance) pieces(records []abi.Command, buckets []Bucket) {
	for i := range buckets {
		b := &buckets[i]
		if len(b.data) == 0 {
			continue
		}
		c := &records[0]
		records = records[1:]
		*c = abi.Command{Kind: abi.CommandPiece, Len: uint32(len(b.data))}
		if b.copy {
			c.Addr = in.copied(b.data)
		} else {
			c.Addr = in.ref(b.data)
		}
	}
}

// joined copies the buckets into one run of size bytes: for a brigade of more
// records than the ring has.
func (in *instance) joined(buckets []Bucket, size int) uint32 {
	p := in.room(size)[:0]
	for i := range buckets {
		p = append(p, buckets[i].data...)
	}
	return in.ref(p)
}

// headed emits c with the payload at addr and data, if any, as a piece behind it.
func (in *instance) headed(c abi.Command, addr, n uint32, data []byte) {
	c.Addr, c.Len = addr, n
	if len(data) == 0 {
		*in.next() = c
		return
	}
	at := in.ref(data)
	r := in.reserve(2)
	r[0], r[1] = c, abi.Command{Kind: abi.CommandPiece, Len: uint32(len(data)), Addr: at}
}

// head emits c with fields as its payload and body as a piece.
func (in *instance) head(c abi.Command, fields []Field, body []byte) {
	p := in.encode("", "", fields)
	in.headed(c, in.ref(p), uint32(len(p)), body)
}
