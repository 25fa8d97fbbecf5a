package lane

import (
	"errors"
	"math"
	"sync/atomic"
	"time"
)

// Quotas bound what one instance may ask of its lane. A zero field means no
// quota.
type Quotas struct {
	// Observe counts and logs what is above a quota, and lets it pass.
	Observe bool

	Sessions int     // there may be, in all lanes with the same Taken; above it upgrades fail with [ErrQuota]
	Commands int     // for each event of a turn, pieces not counted; above it they are refused
	Bytes    int64   // of payload of commands for each event of a turn; the same
	Topics   int     // that have subscribers in the lane; the same
	LogLines int     // a second, twice as many at once; above it they are dropped
	CPU      float64 // part of a processor that its turns may take, over a second; above it the lane pauses

	Taken *atomic.Int64 // counts the sessions; nil = those of the lane alone
}

// ErrQuota reports that the plugin has as many sessions as it may.
var ErrQuota = errors.New("plugin has as many sessions as its quota")

// A Quota is one of [Quotas].
type Quota uint8

// Kinds of quotas.
const (
	QuotaSessions Quota = iota
	QuotaCommands
	QuotaBytes
	QuotaTopics
	QuotaLogLines
	QuotaCPU
	QuotaKinds // how many there are
)

var quotaNames = [QuotaKinds]string{"sessions", "commands", "bytes", "topics", "log_lines", "cpu"}

// String returns one word, for logs and metrics.
func (q Quota) String() string { return quotaNames[q] }

// allowance is what is left of the quotas for the turn at hand.
type allowance struct {
	commands, bytes int64
	cpu             pace
}

// allow begins a turn of so many events.
func (l *Lane) allow(events int) {
	q := &l.cfg.Quotas
	l.allowed.commands, l.allowed.bytes = math.MaxInt64, math.MaxInt64
	if q.Commands > 0 {
		l.allowed.commands = int64(q.Commands) * int64(events)
	}
	if q.Bytes > 0 {
		l.allowed.bytes = q.Bytes * int64(events)
	}
}

// spend takes a command with so many bytes off the turn's allowance. It reports
// false if that is used up and holds.
func (l *Lane) spend(bytes int) bool {
	l.allowed.commands--
	l.allowed.bytes -= int64(bytes)
	if l.allowed.commands >= 0 && l.allowed.bytes >= 0 {
		return true
	}
	if l.allowed.commands < 0 {
		return !l.exceeded(QuotaCommands)
	}
	return !l.exceeded(QuotaBytes)
}

// exceeded notes that something is above a quota and says whether that holds.
func (l *Lane) exceeded(q Quota) bool {
	l.counters.Quota[q].Add(1)
	if skipped, ok := l.overdraws[q].sample(l.clock); ok {
		l.log.Warn("plugin is above a quota", "quota", q.String(), "enforced", !l.cfg.Quotas.Observe, "skipped", skipped)
	}
	return !l.cfg.Quotas.Observe
}

// takePlace counts a session that is to be, and says whether it may.
func (l *Lane) takePlace() bool {
	q := &l.cfg.Quotas
	if q.Taken.Add(1) > int64(q.Sessions) && q.Sessions > 0 && l.exceeded(QuotaSessions) {
		l.leavePlace()
		return false
	}
	return true
}

// leavePlace is the end of what takePlace began.
func (l *Lane) leavePlace() { l.cfg.Quotas.Taken.Add(-1) }

// longestPause bounds how long the lane does nothing at a stretch: what is not
// the plugin's, such as pings and the end of the host, waits as well.
const longestPause = 100 * time.Millisecond

// throttle follows a turn. It pauses a lane whose guest has used its share of the
// processor, until it has some again or for longestPause.
func (l *Lane) throttle(turn time.Duration) {
	share := l.cfg.Quotas.CPU
	if share <= 0 {
		return
	}
	// The turn is worth the time in which the guest's share is as much; what is
	// free at once is what a second is worth.
	full := max(time.Duration(l.allowed.cpu), l.turnClock) + time.Duration(float64(turn)/share)
	l.allowed.cpu = pace(full)
	over := full - l.turnClock - time.Second
	if over <= 0 || !l.exceeded(QuotaCPU) || l.stopping {
		return
	}
	time.Sleep(min(over, longestPause))
}
