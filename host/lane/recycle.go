package lane

import "github.com/yimmo-host/yimmo-host/abi"

// recycle puts a fresh instance in the place of one whose memory has passed its
// mark, as soon as nobody is there to miss what it knows: memory of a guest only
// ever grows. The old one hears of its end.
func (l *Lane) recycle() {
	if l.cfg.RecycleAbove == 0 || l.guest == nil || l.stopping {
		return
	}
	size := int64(len(l.guest.Memory()))
	if size <= l.cfg.RecycleAbove {
		return
	}
	if !l.marked {
		l.marked = true
		l.log.Warn("plugin's memory has passed recycle_above: a fresh instance takes over when it has no session", "bytes", size)
	}
	if l.sessions.count > 0 || len(l.exchanges) > 0 || l.n > 0 || len(l.later) > 0 || l.small {
		return
	}
	l.put(abi.Event{Kind: abi.EventStop}, nil)
	if err := l.call(); err != nil {
		l.counters.Traps[trapKind(err)].Add(1)
		l.log.Warn("plugin fails at its end", "kind", trapKind(err).String(), "err", err)
	}
	l.discard()
	if err := l.start(); err != nil {
		l.log.Error("plugin does not start again", "err", err)
		l.scheduleRestart()
		return
	}
	l.counters.Recycled.Add(1)
	now := int64(len(l.guest.Memory()))
	l.log.Info("plugin recycled", "bytes", size, "now", now)
	l.marked, l.small = false, now > l.cfg.RecycleAbove
	if l.small {
		l.log.Error("plugin is not recycled any more: it begins with more than recycle_above", "bytes", now)
	}
}
