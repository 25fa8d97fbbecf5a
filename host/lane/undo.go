package lane

import (
	"errors"
	"net/http"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// undoing is what is known of calls that failed and are given once more.
type undoing struct {
	careful  int  // events of the ring up to this one are given one by one
	said     said // of events that the guest has not said all of
	lost     pace // time, to calls that were undone
	poisoned sampler
}

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

// undoEndless undoes the calls of a guest that has asked for more without end, if
// that can be.
func (l *Lane) undoEndless() error {
	if g, ok := l.guest.(interface{ Undo(error) error }); ok {
		return g.Undo(errEndless)
	}
	return errEndless
}

// undone follows a call of the events [first, n) that failed with err. If that
// has been undone, it sees to it that the next call does not fail for the same
// reason, and says whether the guest has more to say before it takes in another
// event. Else it returns why the instance is lost.
func (l *Lane) undone(first, n int, err error, took time.Duration) (more bool, lost error) {
	undone := (*guest.UndoneError)(nil)
	if !errors.As(err, &undone) {
		return false, err
	}
	l.counters.Undone.Add(1)
	begin := first - undone.Back
	switch {
	case !l.lost.take(&lostTime, int64(min(took, time.Second)), l.turnClock):
		return false, errors.Join(errLostTime, undone.Err)
	case n == begin: // nobody knows which event it was
		return false, undone.Err
	case n-begin > 1 || undone.More:
		l.first, l.careful = begin, n
		if !undone.More {
			l.said.again()
		}
		return undone.More, nil
	case l.vital(begin):
		return false, undone.Err
	}
	l.first, l.said = begin, said{}
	l.counters.Traps[trapKind(err)].Add(1)
	l.poison(begin, undone.Err)
	return false, nil
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
	case abi.EventConnect:
		if s := l.sessions.find(e.ID); s != nil && s.state == accepted { // and the guest knows of it no more
			l.loseSession(e.ID, s, abi.CloseInternal)
		}
		l.poisonSession(e.ID)
	case abi.EventRecv, abi.EventDrained, abi.EventDropped, abi.EventRefused:
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
