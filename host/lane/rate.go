package lane

import "time"

// A Rate is how much of something a session's peer may do a second. The zero
// Rate is no limit.
type Rate struct {
	PerSecond int64
	AtOnce    int64 // after a pause, in one go; at least 1
}

// span is the time that n are worth.
func (r *Rate) span(n int64) time.Duration {
	return time.Duration(n * int64(time.Second) / r.PerSecond)
}

// A pace is what a session has used of a [Rate]: the time on the lane's clock at
// which all of it will be free again. It is the token bucket of x/time/rate in
// eight bytes instead of eighty and without a mutex: a session has three.
type pace time.Duration

// take uses n of r. It reports false, using nothing, when that is more than is
// free. n is at most a frame's payload, so that nothing overflows.
func (p *pace) take(r *Rate, n int64, now time.Duration) bool {
	if r.PerSecond == 0 {
		return true
	}
	full := max(time.Duration(*p), now) + r.span(n)
	if full-now > r.span(r.AtOnce) {
		return false
	}
	*p = pace(full)
	return true
}
