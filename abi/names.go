package abi

import (
	"fmt"
	"strconv"
	"strings"
)

// The names below are those of ABI.md's entries. They stand in logs, metrics,
// traces and test vectors, so they change only with the contract.

var eventNames = [...]string{
	EventStart:       "start",
	EventStop:        "stop",
	EventConnect:     "connect",
	EventRecv:        "recv",
	EventClose:       "close",
	EventHTTPRequest: "http_request",
	EventHTTPBody:    "http_body",
	EventHTTPGone:    "http_gone",
	EventTimer:       "timer",
	EventTopic:       "topic",
	EventDropped:     "dropped",
	EventDrained:     "drained",
	EventRefused:     "refused",
	EventStateExport: "state_export",
	EventStateImport: "state_import",
	EventCallResult:  "call_result",
}

var commandNames = [...]string{
	CommandPiece:       "piece",
	CommandAccept:      "accept",
	CommandRefuse:      "refuse",
	CommandHold:        "hold",
	CommandSend:        "send",
	CommandSendMany:    "send_many",
	CommandClose:       "close",
	CommandPublish:     "publish",
	CommandSubscribe:   "subscribe",
	CommandUnsubscribe: "unsubscribe",
	CommandSetUser:     "set_user",
	CommandTimerSet:    "timer_set",
	CommandTimerClear:  "timer_clear",
	CommandHTTPHead:    "http_head",
	CommandHTTPBody:    "http_body",
	CommandLog:         "log",
	CommandMetric:      "metric",
	CommandState:       "state",
	CommandCall:        "call",
}

var statusNames = [...]string{
	StatusUnknownKind:    "unknown_kind",
	StatusNotGranted:     "not_granted",
	StatusReserved:       "reserved",
	StatusBadRange:       "bad_range",
	StatusBadFlags:       "bad_flags",
	StatusBadSequence:    "bad_sequence",
	StatusBadText:        "bad_text",
	StatusBadCode:        "bad_code",
	StatusBadFields:      "bad_fields",
	StatusUnknownSession: "unknown_session",
	StatusClosing:        "closing",
	StatusDecided:        "decided",
	StatusTooLarge:       "too_large",
	StatusQueueFull:      "queue_full",
	StatusQuota:          "quota",
	StatusUnknownRequest: "unknown_request",
	StatusBadValue:       "bad_value",
}

var levelNames = [...]string{
	LevelTrace: "trace",
	LevelDebug: "debug",
	LevelInfo:  "info",
	LevelWarn:  "warn",
	LevelError: "error",
}

// featureNames are in the order of the bits.
var featureNames = [...]string{
	"http", "messages", "hold", "send_many", "timers", "topics", "back_pressure", "state", "call",
}

// String returns the kind's name, such as "http_request", or "EventKind(200)"
// for a number without one.
func (k EventKind) String() string { return nameOf(eventNames[:], int(k), "EventKind") }

// ParseEventKind is the reverse of [EventKind.String] for kinds with a name.
func ParseEventKind(name string) (EventKind, bool) {
	n, ok := numberOf(eventNames[:], name)
	return EventKind(n), ok
}

// String returns the kind's name, such as "send_many", or "CommandKind(200)"
// for a number without one.
func (k CommandKind) String() string { return nameOf(commandNames[:], int(k), "CommandKind") }

// ParseCommandKind is the reverse of [CommandKind.String] for kinds with a name.
func ParseCommandKind(name string) (CommandKind, bool) {
	n, ok := numberOf(commandNames[:], name)
	return CommandKind(n), ok
}

// String returns the status's name, such as "unknown_session", or "Status(99)"
// for a number without one.
func (s Status) String() string { return nameOf(statusNames[:], int(s), "Status") }

// ParseStatus is the reverse of [Status.String] for statuses with a name.
func ParseStatus(name string) (Status, bool) {
	n, ok := numberOf(statusNames[:], name)
	return Status(n), ok
}

// String returns the level's name, such as "warn", or "Level(9)" for a number
// without one.
func (l Level) String() string { return nameOf(levelNames[:], int(l), "Level") }

// ParseLevel is the reverse of [Level.String] for levels with a name.
func ParseLevel(name string) (Level, bool) {
	n, ok := numberOf(levelNames[:], name)
	return Level(n), ok
}

// String joins the names of the bits with '|', lowest first, and ends with the
// bits that have no name as one hexadecimal number: "http|timers|0x8000".
// Without any bit it is "none".
func (f Feature) String() string {
	if f == 0 {
		return "none"
	}
	var parts []string
	rest := f
	for i, name := range featureNames {
		if bit := Feature(1) << i; f&bit != 0 {
			parts = append(parts, name)
			rest &^= bit
		}
	}
	if rest != 0 {
		parts = append(parts, fmt.Sprintf("%#x", uint32(rest)))
	}
	return strings.Join(parts, "|")
}

// ParseFeature is the reverse of [Feature.String].
func ParseFeature(names string) (Feature, bool) {
	if names == "none" {
		return 0, true
	}
	var f Feature
	for name := range strings.SplitSeq(names, "|") {
		if i, ok := numberOf(featureNames[:], name); ok {
			f |= 1 << i
			continue
		}
		hex, ok := strings.CutPrefix(name, "0x")
		n, err := strconv.ParseUint(hex, 16, 32)
		if !ok || err != nil {
			return 0, false
		}
		f |= Feature(n)
	}
	return f, true
}

func nameOf(names []string, n int, kind string) string {
	if n < len(names) && names[n] != "" {
		return names[n]
	}
	return fmt.Sprintf("%s(%d)", kind, n)
}

func numberOf(names []string, name string) (int, bool) {
	for n, s := range names {
		if s == name && s != "" {
			return n, true
		}
	}
	return 0, false
}
