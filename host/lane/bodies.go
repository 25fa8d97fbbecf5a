package lane

import "errors"

// ErrBodies reports that requests with a body have as much of the guest's memory
// as they may.
var ErrBodies = errors.New("too many request bodies at once")

// keep counts n bytes more that the guest has to keep of a request until its body
// is complete and has been answered. One alone may have any, for its own limit
// bounds it.
func (x *Exchange) keep(n int) error {
	most, all := x.lane.cfg.Limits.Bodies, &x.lane.bodies
	if sum := all.Add(int64(n)); most > 0 && sum > most && sum > x.kept+int64(n) {
		all.Add(-int64(n))
		return ErrBodies
	}
	x.kept += int64(n)
	return nil
}

// letGo follows the answer, or the end of a request that has none.
func (x *Exchange) letGo() {
	x.lane.bodies.Add(-x.kept)
	x.kept = 0
}
