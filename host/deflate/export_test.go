package deflate

// Held returns the bytes of memory that an idle session keeps.
func (in *Inflater) Held() int { return cap(in.past) + cap(in.wire) }
func (d *Deflater) Held() int  { return cap(d.past) }
