package deflate

// Occupy takes n places among those at work, and returns what gives them back.
func (p *Pool) Occupy(n int) (leave func()) {
	for range n {
		p.working <- struct{}{}
	}
	return func() {
		for range n {
			<-p.working
		}
	}
}

// HideTables takes tables out of the pool, so that others are made.
func (p *Pool) HideTables() { p.tables.Get() }

// Held returns the bytes of memory that an idle session keeps.
func (in *Inflater) Held() int { return cap(in.past.buf) }
func (d *Deflater) Held() int  { return cap(d.past) }

// BuildLit and BuildDist report whether a code is accepted, and how many entries
// its table has.
func BuildLit(lens []uint8) (entries int, ok bool) {
	var t [litSize]entry
	_, ok = build(t[:], litRoot, lens, litBase)
	return used(t[:]), ok
}

func BuildDist(lens []uint8) (entries int, ok bool) {
	var t [distSize]entry
	_, ok = build(t[:], distRoot, lens, distBase)
	return used(t[:]), ok
}

func used(t []entry) (n int) {
	for _, e := range t {
		if e != 0 {
			n++
		}
	}
	return n
}
