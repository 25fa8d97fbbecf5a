package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
)

// commit carries out the commands [i, n) of the command ring, in order. The
// guest is not running, so what the records point at stands still; each record
// is judged on a copy all the same.
func (l *Lane) commit(i, n int) {
	ring, mem := l.guest.Commands(), l.guest.Memory()
	for i < n {
		c, _ := abi.ParseCommand(ring[i*abi.RecordSize:])
		pieces := i + 1
		for pieces < n && ring[pieces*abi.RecordSize] == byte(abi.CommandPiece) {
			pieces++
		}
		status := l.judge(&c, ring[(i+1)*abi.RecordSize:pieces*abi.RecordSize], mem)
		if status == 0 && !l.spend(l.size()) {
			status = abi.StatusQuota
		}
		if status == 0 {
			status = l.carryOut(&c)
		}
		if status != 0 {
			l.spoiled(&c)
			l.refuseCommand(&c, status)
		}
		i = pieces
	}
	l.flushOut()
}

// judge says what is wrong with the form of a brigade, if anything, and leaves
// its payload in l.parts: the records' ranges, head first.
func (l *Lane) judge(c *abi.Command, pieces, mem []byte) abi.Status {
	if status := c.Check(l.guest.Features()); status != 0 {
		return status
	}
	if len(pieces) > 0 && !takesPieces(c.Kind) {
		return abi.StatusReserved
	}
	head, ok := c.Range(mem)
	if !ok {
		return abi.StatusBadRange
	}
	l.gathered = append(l.gathered[:0], head)
	for ; len(pieces) > 0; pieces = pieces[abi.RecordSize:] {
		piece, _ := abi.ParseCommand(pieces)
		if status := piece.Check(0); status != 0 {
			return status
		}
		p, ok := piece.Range(mem)
		if !ok {
			return abi.StatusBadRange
		}
		l.gathered = append(l.gathered, p)
	}
	l.parts = l.gathered
	return 0
}

func takesPieces(kind abi.CommandKind) bool {
	switch kind {
	case abi.CommandSend, abi.CommandClose, abi.CommandLog, abi.CommandHTTPBody, abi.CommandState,
		abi.CommandRefuse, abi.CommandSendMany, abi.CommandPublish, abi.CommandHTTPHead:
		return true
	}
	return false
}

// carryOut does what a well-formed command asks for, if that can be done.
func (l *Lane) carryOut(c *abi.Command) abi.Status {
	if c.Kind == abi.CommandSend { // almost all of them
		return l.send(c)
	}
	switch c.Kind {
	case abi.CommandAccept, abi.CommandRefuse, abi.CommandHold:
		return l.decide(c)
	case abi.CommandClose:
		return l.closeCommand(c)
	case abi.CommandSetUser:
		return l.setUser(c)
	case abi.CommandSendMany:
		return l.sendMany(c)
	case abi.CommandPublish:
		return l.publish(c)
	case abi.CommandSubscribe:
		return l.subscribe(c)
	case abi.CommandUnsubscribe:
		return l.unsubscribe(c)
	case abi.CommandTimerSet:
		return l.timerSet(c)
	case abi.CommandTimerClear:
		return l.timerClear(c)
	case abi.CommandHTTPHead:
		return l.httpHead(c)
	case abi.CommandHTTPBody:
		return l.httpBody(c)
	case abi.CommandLog:
		return l.logCommand(c)
	case abi.CommandMetric:
		return l.metric(c)
	}
	return abi.StatusBadSequence // a piece with nothing before it
}

// refuseCommand tells the guest in its next turn, and the operator.
func (l *Lane) refuseCommand(c *abi.Command, status abi.Status) {
	l.counters.Refused[status].Add(1)
	if skipped, ok := l.refusals[status].sample(l.clock); ok {
		l.log.Info("command refused", "command", c.Kind, "status", status, "id", sessionID(c.ID), "tag", c.Tag, "skipped", skipped)
	}
	if l.refused == abi.MaxRefused { // the rest are counted
		l.later[l.lastRefused].event.User++
		return
	}
	l.refused++
	l.lastRefused = len(l.later)
	l.later = append(l.later, pending{
		event:   abi.Event{Kind: abi.EventRefused, Code: uint16(status), ID: c.ID, Seq: c.Tag},
		payload: abi.AppendCommand(nil, c),
	})
}

// whole joins the payload of the command at hand. The result is guest memory
// if the payload is in one piece.
func (l *Lane) whole() []byte {
	if len(l.parts) == 1 {
		return l.parts[0]
	}
	var all []byte
	for _, p := range l.parts {
		all = append(all, p...)
	}
	return all
}

func (l *Lane) size() (n int) {
	for _, p := range l.parts {
		n += len(p)
	}
	return n
}

// copied is the payload of the command at hand in memory of the host.
func (l *Lane) copied() []byte { return append([]byte(nil), l.whole()...) }
