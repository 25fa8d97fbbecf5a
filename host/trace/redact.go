package trace

import (
	"slices"
	"strings"

	"github.com/yimmo-host/yimmo-host/abi"
)

// wipeEvents wipes the payloads of events as FORMAT.md says: what people and
// programs sent becomes zeros of the same length, so that what is left has the
// same shape.
func wipeEvents(records, payloads []byte, area abi.Span) {
	for ; len(records) > 0; records = records[abi.RecordSize:] {
		e, _ := abi.ParseEvent(records)
		n := given(&e, area)
		p := payloads[:n]
		payloads = payloads[n:]
		switch e.Kind {
		case abi.EventStart, abi.EventConnect, abi.EventHTTPRequest:
			wipeFields(p, e.Kind == abi.EventStart)
		case abi.EventRefused: // a record, no payload of anybody
		default:
			clear(p)
		}
	}
}

// wipeCommands does the same for the commands of a call.
func wipeCommands(records, data []byte, memory uint64) {
	room := newRoom(memory)
	for ; len(records) > 0; records = records[abi.RecordSize:] {
		c, _ := abi.ParseCommand(records)
		if !room.has(&c) {
			continue
		}
		p := data[:c.Len]
		data = data[c.Len:]
		switch c.Kind {
		case abi.CommandAccept, abi.CommandRefuse, abi.CommandHTTPHead:
			wipeFields(p, false)
		case abi.CommandSendMany: // session ids
		default:
			clear(p)
		}
	}
}

// plain are fields that say nothing of anybody.
var plain = []string{abi.FieldMethod, abi.FieldScheme}

// wipeFields wipes the values of fields, but for the plain ones and, in a start
// event, the host's own.
func wipeFields(p []byte, start bool) {
	fields, err := abi.ParseFields(p)
	if err != nil {
		clear(p)
		return
	}
	for name, value := range fields.All() {
		if !slices.Contains(plain, string(name)) && !(start && strings.HasPrefix(string(name), ":")) {
			clear(value)
		}
	}
}
