package lane

import (
	"errors"
	"net/http"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// What a guest may lose of a lane's time by failing and being put back: half of
// it, and five seconds at once. One that loses more is restarted.
var lostTime = Rate{PerSecond: int64(time.Second / 2), AtOnce: int64(5 * time.Second)}

// pluginFailed is what peers are told, in close frames and answers.
const pluginFailed = "plugin failed"

var errLostTime = errors.New("it failed so often that the lane had time for nothing else")

// step says up to which event the next call goes: all there are, or one by one
// where one of them makes the guest fail; none while the last one's commands are
// not all there.
func (l *Lane) step(first int, more bool) int {
	switch {
	case first >= l.careful:
		return l.n
	case more:
		return first
	}
	return first + 1
}

// undone follows a call of the events [first, n) that failed with err. If that
// has been undone, it sees to it that the next call does not fail for the same
// reason. Else it returns why the instance is lost.
func (l *Lane) undone(first, n int, err error, took time.Duration) error {
	undone := (*guest.UndoneError)(nil)
	if !errors.As(err, &undone) {
		return err
	}
	l.counters.Undone.Add(1)
	switch {
	case !l.lost.take(&lostTime, int64(min(took, time.Second)), l.turnClock):
		return errors.Join(errLostTime, undone.Err)
	case n == first: // not an event's fault: what was begun before cannot end
		return undone.Err
	case n-first > 1:
		l.careful = n
		return nil
	case l.vital(first):
		return undone.Err
	}
	l.counters.Traps[trapKind(err)].Add(1)
	l.poison(first, undone.Err)
	return nil
}

// vital says whether the guest is nothing without that event.
func (l *Lane) vital(at int) bool {
	e, _ := abi.ParseEvent(l.ring[at*abi.RecordSize:])
	return e.Kind == abi.EventStart || e.Kind == abi.EventStop
}

// poison drops an event that makes the guest fail, and with it whoever it is of:
// the guest would never hear what it said. Everyone else notices nothing.
func (l *Lane) poison(at int, err error) {
	e, _ := abi.ParseEvent(l.ring[at*abi.RecordSize:])
	l.logPoison(&e, err)
	l.dropEvent(at)
	switch e.Kind {
	case abi.EventRecv, abi.EventConnect, abi.EventDrained, abi.EventDropped, abi.EventRefused:
		l.poisonSession(e.ID)
	case abi.EventTimer:
		l.timers.drop(e.ID)
	}
	if x := l.exchanges[e.ID]; x != nil {
		delete(l.exchanges, e.ID)
		x.fail(ErrDown)
		if e.Kind != abi.EventHTTPRequest {
			l.later = append(l.later, pending{event: abi.Event{Kind: abi.EventHTTPGone, ID: e.ID}})
		}
	}
}

func (l *Lane) poisonSession(id uint64) {
	s := l.sessions.find(id)
	if s == nil {
		return
	}
	l.dropEvents(id)
	switch s.state {
	case connecting:
		l.refuse(id, s, http.StatusInternalServerError, nil, []byte(pluginFailed+"\n"))
	case accepted, open:
		l.startClose(id, s, abi.CloseInternal, pluginFailed, abi.WhoHost)
	}
}

// dropEvent takes one event out of the ring.
func (l *Lane) dropEvent(at int) {
	copy(l.ring[at*abi.RecordSize:], l.ring[(at+1)*abi.RecordSize:l.n*abi.RecordSize])
	l.n--
	if l.careful > at {
		l.careful--
	}
}

// dropEvents takes out of the ring what the peer of a session has sent and the
// guest has not yet heard.
func (l *Lane) dropEvents(id uint64) {
	for at := l.n - 1; at >= l.first; at-- {
		if e, _ := abi.ParseEvent(l.ring[at*abi.RecordSize:]); e.Kind == abi.EventRecv && e.ID == id {
			l.dropEvent(at)
		}
	}
}

func (l *Lane) logPoison(e *abi.Event, err error) {
	if skipped, ok := l.poisoned.sample(l.clock); ok {
		l.log.Error("plugin failed at an event, which is dropped; nothing else is lost", "kind", trapKind(err).String(), "err", err,
			"event", e.Kind.String(), "id", sessionID(e.ID), "skipped", skipped)
	}
}
