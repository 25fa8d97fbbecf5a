package lane

import (
	"errors"
	"math"
	"time"
)

// ErrDown reports that the plugin has no running instance at the moment.
var ErrDown = errors.New("plugin is not running")

// A DownError is [ErrDown] about something that no instance has heard of.
type DownError struct {
	After time.Duration // until there may be an instance again
}

// Error implements [error].
func (*DownError) Error() string { return ErrDown.Error() }

// Is implements what [errors.Is] looks for.
func (*DownError) Is(target error) bool { return target == ErrDown }

// UntilReset is the time that is told of a plugin that stays down until somebody
// does something about it: nobody knows when, so ask now and then.
const UntilReset = time.Minute

// never is [Lane.again] of a lane that does not try.
const never = math.MaxInt64

// Down returns nil if an instance is running.
func (l *Lane) Down() *DownError {
	if l.counters.Up.Load() {
		return nil
	}
	return l.down()
}

// down is about what comes while nothing is running.
func (l *Lane) down() *DownError {
	at := l.again.Load()
	if at == never {
		return &DownError{UntilReset}
	}
	return &DownError{max(0, time.Duration(at)-time.Since(l.began))}
}
