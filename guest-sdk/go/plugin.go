package guest

import (
	"math"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// Now is the wall clock. It stands still during a turn.
func Now() time.Time { return time.Unix(0, running().control.Now) }

// Uptime is the time since the plugin began. It never jumps, and stands still
// during a turn.
func Uptime() time.Duration { return time.Duration(running().control.Mono) }

// Seed is a random word, new with each turn. All randomness of a plugin comes
// from the host, so that a recorded run can be repeated.
func Seed() uint64 { return running().control.Seed }

// Tag marks the commands that follow in this callback with a number of the
// plugin's own: it comes back in [Refusal] and [BackPressureHandler].
func Tag(tag uint32) { running().tag = tag }

// SendMany sends one frame to many sessions. ids and data are referenced, as in
// [Session.Send]. Each id is judged alone. It needs [FeatureSendMany].
func SendMany(ids []uint64, flags Flags, data []byte) error {
	if !flags.sendable(len(data)) {
		return ErrFlags
	}
	in := running()
	for len(ids) > 0 {
		n := min(len(ids), abi.MaxSendMany)
		p := unsafe.Slice((*byte)(unsafe.Pointer(&ids[0])), n*8)
		c := abi.Command{Kind: abi.CommandSendMany, Flags: uint8(flags), Tag: in.tag}
		in.headed(c, in.ref(p), uint32(len(p)), data)
		ids = ids[n:]
	}
	return nil
}

// Publish sends one whole text or binary message to every session that is
// subscribed to the topic, and to every plugin that is. data is referenced, as
// in [Session.Send]. A topic's name is 1 to 255 bytes of UTF-8. It needs
// [FeatureTopics].
func Publish(topic string, flags Flags, data []byte) error {
	return publish(0, topic, flags, data)
}

func publish(except uint64, topic string, flags Flags, data []byte) error {
	if flags != Text && flags != Binary {
		return ErrFlags
	}
	in := running()
	c := abi.Command{Kind: abi.CommandPublish, Flags: uint8(flags), ID: except, Tag: in.tag}
	in.headed(c, in.refText(topic), uint32(len(topic)), data)
	return nil
}

// Subscribe has the plugin's [TopicHandler] hear what is published on the topic.
func Subscribe(topic string) { running().named(abi.CommandSubscribe, 0, 0, topic) }

// Unsubscribe ends it.
func Unsubscribe(topic string) { running().named(abi.CommandUnsubscribe, 0, 0, topic) }

func (in *instance) named(kind abi.CommandKind, flags uint8, id uint64, topic string) {
	addr := in.refText(topic)
	*in.next() = abi.Command{Kind: kind, Flags: flags, Len: uint32(len(topic)), ID: id, Addr: addr, Tag: in.tag}
}

// SetTimer calls the plugin's [TimerHandler] once, after that time. The id is
// the plugin's own; a timer of the same id is replaced. It needs
// [FeatureTimers], which is asked for when the handler is a [TimerHandler].
func SetTimer(id uint64, after time.Duration) { setTimer(id, after, 0) }

// RepeatTimer is SetTimer again and again. The period is not 0.
func RepeatTimer(id uint64, every time.Duration) { setTimer(id, every, abi.FlagRepeat) }

func setTimer(id uint64, d time.Duration, flags uint8) {
	in := running()
	*in.next() = abi.Command{Kind: abi.CommandTimerSet, Flags: flags, ID: id, Tag: in.tag, Arg: uint64(max(d, 0))}
}

// ClearTimer disarms a timer. One that is not armed is none.
func ClearTimer(id uint64) {
	in := running()
	*in.next() = abi.Command{Kind: abi.CommandTimerClear, ID: id, Tag: in.tag}
}

// A Level is the weight of a log line.
type Level uint8

// Levels.
const (
	LevelTrace = Level(abi.LevelTrace)
	LevelDebug = Level(abi.LevelDebug)
	LevelInfo  = Level(abi.LevelInfo)
	LevelWarn  = Level(abi.LevelWarn)
	LevelError = Level(abi.LevelError)
)

// Log writes one line to the host's log; more than 8 KiB of it are cut off. See
// package logger for log/slog.
func Log(level Level, text string) { running().log(level, 0, text) }

func (in *instance) log(level Level, id uint64, text string) {
	if len(text) > abi.MaxLog {
		n := abi.MaxLog
		for n > abi.MaxLog-utf8.UTFMax && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	addr := in.refText(text)
	*in.next() = abi.Command{Kind: abi.CommandLog, Flags: uint8(level), Len: uint32(len(text)), ID: id, Addr: addr, Tag: in.tag}
}

// Count adds to a counter. v is not negative. The name of a metric is 1 to 128
// letters, digits and underscores, not a digit first.
func Count(name string, v float64) { metric(abi.MetricCounter, name, v) }

// Gauge sets a gauge.
func Gauge(name string, v float64) { metric(abi.MetricGauge, name, v) }

// Observe adds an observation to a histogram.
func Observe(name string, v float64) { metric(abi.MetricHistogram, name, v) }

func metric(kind uint8, name string, v float64) {
	in := running()
	addr := in.refText(name)
	*in.next() = abi.Command{Kind: abi.CommandMetric, Flags: kind, Len: uint32(len(name)), Addr: addr, Tag: in.tag, Arg: math.Float64bits(v)}
}
