package lane

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/yimmo-host/yimmo-host/abi"
)

// decide carries out accept, refuse and hold.
func (l *Lane) decide(c *abi.Command) abi.Status {
	s := l.sessions.find(c.ID)
	if s == nil {
		return abi.StatusUnknownSession
	}
	if s.state != connecting {
		return abi.StatusDecided
	}
	switch c.Kind {
	case abi.CommandHold:
		s.held = true
		return 0
	case abi.CommandAccept:
		fields, status := l.headFields(s.asker)
		if status == 0 {
			l.accept(c.ID, s, fields)
		}
		return status
	}
	fields, status := l.headFields(nil)
	body := l.size() - len(fields)
	if status == 0 && body > l.cfg.Limits.Queue {
		status = abi.StatusTooLarge
	}
	if status == 0 {
		l.parts = l.parts[1:]
		l.refuse(c.ID, s, int(c.Code), fields, l.copied())
	}
	return status
}

// spoiled keeps a session out when the decision about it was itself refused: a
// guest that meant to say no must not be taken to have said yes.
func (l *Lane) spoiled(c *abi.Command) {
	switch c.Kind {
	case abi.CommandAccept, abi.CommandRefuse, abi.CommandHold:
		if s := l.sessions.find(c.ID); s != nil && s.state == connecting {
			l.refuse(c.ID, s, http.StatusInternalServerError, nil, []byte("the plugin's answer was not valid\n"))
		}
	}
}

// headFields are the checked fields at the head of the brigade; none are fine.
// They may choose a subprotocol if asker offered it.
func (l *Lane) headFields(asker *connect) (abi.Fields, abi.Status) {
	if len(l.parts[0]) == 0 {
		return nil, 0
	}
	fields, err := abi.ParseFields(l.parts[0])
	if err != nil {
		return nil, abi.StatusBadFields
	}
	chosen := false
	for name, value := range fields.All() {
		switch {
		case validHeader(string(name), string(value)):
		case asker != nil && !chosen && string(name) == abi.FieldProtocol && asker.offered(value):
			chosen = true
		default:
			return nil, abi.StatusBadFields
		}
	}
	return fields, 0
}

// offered says whether the client offered this subprotocol.
func (c *connect) offered(protocol []byte) bool {
	for name, value := range abi.Fields(c.fields).All() {
		if string(name) == abi.FieldProtocol && string(value) == string(protocol) {
			return true
		}
	}
	return false
}

// validHeader says whether a guest may set this header: RFC 9110 section 5
// allows it, and it does not frame the message, which is the host's business.
func validHeader(name, value string) bool {
	if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
		return false
	}
	switch strings.ToLower(name) {
	case "connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade",
		"sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol", "sec-websocket-version":
		return false
	}
	return true
}

func (l *Lane) setUser(c *abi.Command) abi.Status {
	s := l.sessions.find(c.ID)
	if s == nil || s.state == over {
		return abi.StatusUnknownSession
	}
	s.user = c.Arg
	return 0
}
