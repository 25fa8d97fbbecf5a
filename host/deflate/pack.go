package deflate

import "github.com/klauspost/compress/flate"

// statelessContext is how much of what came before flate's stateless compressor
// looks at, in bytes.
const statelessContext = 8 << 10

// tail ends the empty stored block that flushes a message; it is not sent
// (RFC 7692 section 7.2.1).
const tail = 4

// A packer collects what flate writes, and joins what it reads.
type packer struct {
	out  []byte
	join []byte
}

// maxKept is the largest buffer that is kept to be used again, in bytes.
const maxKept = 256 << 10

func (k *packer) Write(p []byte) (int, error) {
	k.out = append(k.out, p...)
	return len(p), nil
}

// joined returns parts as one, valid until the packer is used again.
func (k *packer) joined(parts [][]byte) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	k.join = k.join[:0]
	for _, p := range parts {
		k.join = append(k.join, p...)
	}
	return k.join
}

// context is how many bytes of earlier messages are worth keeping for a window
// of so many bits.
func (p *Pool) context(bits int) int {
	if p.policy.Level == 1 {
		return min(1<<bits, statelessContext)
	}
	return 1 << bits
}

// stateless says whether flate's stateless compressor takes a message of so many
// bytes. Its writers of levels 2 to 6 only store what is below 128, and forget
// their context.
func (p *Pool) stateless(size int) bool {
	return p.policy.Level == 1 || p.policy.Level <= 6 && size < 128
}

// pack appends src to dst in blocks that refer back no further than 1<<bits
// bytes, into themselves and into past, which is what the peer has seen last.
// They end with an empty stored block.
//
// Only one kind of writer can be told a window. With a small one the others get
// no more to look at than fits into it, and larger messages are for that writer.
func (p *Pool) pack(dst, src, past []byte, bits int) []byte {
	k := p.packers.Get().(*packer)
	k.out = dst
	size := 1 << bits
	switch fits := len(src) <= size; {
	case p.stateless(len(src)) && (fits || bits == MaxBits):
		if fits {
			past = last(past, size-len(src))
		}
		flate.StatelessDeflate(k, src, false, past)
	case fits || bits == MaxBits:
		if bits < MaxBits {
			past = last(past, size-len(src))
		}
		p.write(k, 0, src, past)
	default:
		p.write(k, bits, src, last(past, size))
	}
	dst, k.out = k.out, nil
	p.freePacker(k)
	return dst
}

// write is pack with a pooled writer: of the policy's level with the window of
// DEFLATE for class 0, else of the window of class bits.
func (p *Pool) write(k *packer, class int, src, past []byte) {
	w, ok := p.writers[class].Get().(*flate.Writer)
	if !ok {
		w = p.newWriter(class)
	}
	w.ResetDict(k, past)
	w.Write(src) // a packer takes everything
	w.Flush()
	p.writers[class].Put(w)
}

// newWriter cannot fail: level and class are in range.
func (p *Pool) newWriter(class int) *flate.Writer {
	if class != 0 {
		w, _ := flate.NewWriterWindow(nil, 1<<class)
		return w
	}
	w, _ := flate.NewWriter(nil, p.policy.Level)
	return w
}

func (p *Pool) freePacker(k *packer) {
	k.join = emptied(k.join)
	p.packers.Put(k)
}

// last returns the last n bytes of p, or all.
func last(p []byte, n int) []byte { return p[max(0, len(p)-n):] }
