package deflate

import "sync"

// A Pool is what the sessions of a plugin share: the memory that is needed only
// while a message is inflated or deflated. Safe for concurrent use.
type Pool struct {
	policy Policy

	readers sync.Pool // of *reader
	packers sync.Pool // of *packer
	writers [MaxBits + 1]sync.Pool
}

// NewPool makes a pool. The fields of policy must be in their ranges.
func NewPool(policy Policy) *Pool {
	p := &Pool{policy: policy.withDefaults()}
	p.readers.New = func() any { return newReader() }
	p.packers.New = func() any { return new(packer) }
	return p
}

func (p *Pool) freeReader(r *reader) {
	r.wire = emptied(r.wire)
	p.readers.Put(r)
}

// Negotiate is [Negotiate] with the pool's policy.
func (p *Pool) Negotiate(header []string) (params Params, response string, ok bool) {
	return Negotiate(header, p.policy)
}
