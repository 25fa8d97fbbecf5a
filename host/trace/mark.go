package trace

import "github.com/yimmo-host/yimmo-host/host/guest"

// Save is that of the guest below.
func (r *Recorder) Save(c *guest.Checkpoint) error {
	instance, ok := r.Guest.(Instance)
	if !ok {
		return errNoState
	}
	if err := instance.Save(c); err != nil || r.over {
		return err
	}
	slot := r.slotOf(c)
	if slot < 0 {
		r.slot = (r.slot + 1) % Slots
		slot = r.slot
	}
	if r.mark(Mark{Slot: uint32(slot)}) {
		r.slots[slot] = c
	} else {
		r.slots[slot] = nil
	}
	return nil
}

// Load is that of the guest below.
func (r *Recorder) Load(c *guest.Checkpoint) error {
	instance, ok := r.Guest.(Instance)
	if !ok {
		return errNoState
	}
	if err := instance.Load(c); err != nil {
		return err
	}
	r.trapped, r.unfinished = false, false
	if slot := r.slotOf(c); slot >= 0 && !r.over && r.mark(Mark{Load: true, Slot: uint32(slot)}) {
		return nil
	}
	r.behind, r.lost = true, true // saved before this file began: the state itself has to follow
	return nil
}

func (r *Recorder) slotOf(c *guest.Checkpoint) int {
	for slot, saved := range r.slots {
		if saved == c {
			return slot
		}
	}
	return -1
}

// mark records a mark, unless calls before it are missing.
func (r *Recorder) mark(m Mark) bool {
	return !r.behind && r.gap.Calls == 0 && r.queue.push(AppendMark(nil, m))
}
