package trace

import (
	"errors"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// leaveOut counts a call that is not recorded.
func (r *Recorder) leaveOut(turn uint64) {
	if r.gap.Calls == 0 {
		r.gap = Gap{Reason: GapSlow, First: turn}
	}
	r.gap.Calls++
	r.gap.Last = turn
}

// ready says whether the next call can be recorded, and records what has to stand
// before it: a gap, the state of the instance, the beginning of another file. Only
// between two turns the state is all there is.
func (r *Recorder) ready(between bool) bool {
	if r.over || r.gap.Calls > 0 && (!between || !r.queue.empty()) {
		return false
	}
	full := r.segment > 0 && r.written >= r.segment
	if !between || !full && !r.behind && r.gap.Calls == 0 {
		return !r.lost
	}
	image, err := r.state()
	switch {
	case err != nil && full:
		r.log.Error("recording stops: a ring needs the state of the plugin", "err", err)
		r.end(EndPart)
		return false
	case image == nil && r.lost:
		return false
	}
	if r.gap.Calls > 0 {
		r.tellGap()
		r.queue.add(item{data: AppendGap(nil, &r.gap)})
		r.gap, r.behind = Gap{}, true
	}
	if image == nil {
		return true
	}
	if full {
		r.part()
	}
	r.queue.add(item{state: image})
	r.behind, r.lost = false, false
	return true
}

// state is that of the instance, nil while the last one is still being written, and
// for a trace that is redacted: memory has everything.
func (r *Recorder) state() (*guest.Checkpoint, error) {
	instance, ok := r.Guest.(Instance)
	if !ok {
		return nil, errNoState
	}
	if r.trapped || r.header.Redacted {
		return nil, nil
	}
	image := r.queue.borrow()
	if image == nil {
		return nil, nil
	}
	if err := instance.Save(image); err != nil {
		r.queue.giveBack(image)
		return nil, err
	}
	return image, nil
}

var errNoState = errors.New("this plugin's state cannot be saved")

// tellGap logs a gap, once in ten seconds.
func (r *Recorder) tellGap() {
	r.untold += r.gap.Calls
	if now := time.Now(); now.Sub(r.told) > 10*time.Second {
		r.log.Warn("trace has a gap: the disk does not keep up", "calls", r.untold, "turn", r.gap.First)
		r.told, r.untold = now, 0
	}
}

// part ends a file and begins the next one.
func (r *Recorder) part() {
	r.queue.add(item{data: AppendEnd(nil, &End{Reason: EndPart, Calls: r.calls})})
	r.header.Continuation, r.header.Time = true, time.Now()
	r.begin()
}
