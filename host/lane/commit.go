package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
)

// maxRefused bounds the refusals told one by one in a turn; the rest are counted.
const maxRefused = 64

// commit carries out the first n commands of the command ring, in order. The
// guest is not running, so what the records point at stands still; each record
// is judged on a copy all the same.
func (l *Lane) commit(n int) {
	ring, mem := l.guest.Commands(), l.guest.Memory()
	for i := 0; i < n; {
		c, _ := abi.ParseCommand(ring[i*abi.RecordSize:])
		pieces := i + 1
		for pieces < n && ring[pieces*abi.RecordSize] == byte(abi.CommandPiece) {
			pieces++
		}
		status := l.gather(ring[i*abi.RecordSize:pieces*abi.RecordSize], mem)
		if status == 0 {
			status = l.carryOut(&c)
		}
		if status != 0 {
			l.refuseCommand(&c, status)
		}
		i = pieces
	}
	l.flushOut()
}

// gather finds the payload of a brigade: its records' ranges, head first.
func (l *Lane) gather(records, mem []byte) abi.Status {
	l.parts = l.parts[:0]
	for at := 0; at < len(records); at += abi.RecordSize {
		c, _ := abi.ParseCommand(records[at:])
		p, ok := c.Range(mem)
		if !ok {
			return abi.StatusBadRange
		}
		if at > 0 && (c.Flags != 0 || c.Code != 0 || c.ID != 0 || c.Arg != 0) {
			return abi.StatusReserved
		}
		l.parts = append(l.parts, p)
	}
	return 0
}

func (l *Lane) carryOut(c *abi.Command) abi.Status {
	if c.Kind == abi.CommandSend { // almost all of them
		return l.send(c)
	}
	l.flushOut() // so that all else happens in order with the frames sent
	switch c.Kind {
	case abi.CommandAccept, abi.CommandRefuse, abi.CommandHold:
		return l.decide(c)
	case abi.CommandClose:
		return l.closeCommand(c)
	case abi.CommandSetUser:
		return l.setUser(c)
	case abi.CommandHTTPHead:
		return l.httpHead(c)
	case abi.CommandHTTPBody:
		return l.httpBody(c)
	case abi.CommandLog:
		return l.logCommand(c)
	case abi.CommandMetric:
		return l.metric(c)
	case abi.CommandPiece:
		return abi.StatusBadSequence
	case abi.CommandSendMany, abi.CommandPublish, abi.CommandSubscribe, abi.CommandUnsubscribe,
		abi.CommandTimerSet, abi.CommandTimerClear, abi.CommandState, abi.CommandCall:
		return abi.StatusNotGranted
	}
	return abi.StatusUnknownKind
}

// refuseCommand tells the guest in its next turn, and the operator.
func (l *Lane) refuseCommand(c *abi.Command, status abi.Status) {
	l.log.Debug("command refused", "command", c.Kind, "status", status, "id", sessionID(c.ID), "tag", c.Tag)
	if l.refused == maxRefused {
		l.later[len(l.later)-1].event.User++
		return
	}
	l.refused++
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

// decide carries out accept, refuse and hold.
func (l *Lane) decide(c *abi.Command) abi.Status {
	s := l.sessions.find(c.ID)
	switch {
	case s == nil:
		return abi.StatusUnknownSession
	case s.state != connecting:
		return abi.StatusDecided
	case c.Flags != 0 || c.Arg != 0 || c.Code != 0 && c.Kind != abi.CommandRefuse:
		return abi.StatusReserved
	}
	if c.Kind == abi.CommandHold {
		if l.guest.Features()&abi.FeatureHold == 0 {
			return abi.StatusNotGranted
		}
		if l.size() != 0 {
			return abi.StatusReserved
		}
		s.held = true
		return 0
	}
	fields, status := l.headFields()
	if status != 0 {
		return status
	}
	if c.Kind == abi.CommandAccept {
		if len(l.parts) > 1 {
			return abi.StatusReserved
		}
		l.accept(c.ID, s, fields)
		return 0
	}
	if c.Code < 300 || c.Code > 599 {
		return abi.StatusBadCode
	}
	l.parts = l.parts[1:]
	if l.size() > l.cfg.Queue {
		return abi.StatusTooLarge
	}
	l.refuse(c.ID, s, int(c.Code), fields, append([]byte(nil), l.whole()...))
	return 0
}

// headFields are the checked fields at the head of the brigade; none are fine.
func (l *Lane) headFields() (abi.Fields, abi.Status) {
	p := l.parts[0]
	if len(p) == 0 {
		return nil, 0
	}
	if len(p) > abi.MaxFields {
		return nil, abi.StatusTooLarge
	}
	fields, err := abi.ParseFields(p)
	if err != nil || !validHeaders(fields) {
		return nil, abi.StatusBadFields
	}
	return fields, 0
}

func (l *Lane) setUser(c *abi.Command) abi.Status {
	s := l.sessions.find(c.ID)
	switch {
	case s == nil || s.state == over:
		return abi.StatusUnknownSession
	case c.Flags != 0 || c.Code != 0 || l.size() != 0:
		return abi.StatusReserved
	}
	s.user = c.Arg
	return 0
}
