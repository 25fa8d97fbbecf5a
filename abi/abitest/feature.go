package abitest

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// featureCommands is a good command of each kind that needs a feature.
var featureCommands = []struct {
	abi.Command
	needs abi.Feature
	parts [][]byte
}{
	{abi.Command{Kind: abi.CommandHold, ID: Self}, abi.FeatureHold, nil},
	{abi.Command{Kind: abi.CommandSendMany, Flags: textFrame}, abi.FeatureSendMany, [][]byte{nil, []byte("x")}},
	{abi.Command{Kind: abi.CommandPublish, Flags: textFrame}, abi.FeatureTopics, [][]byte{[]byte("t"), []byte("x")}},
	{abi.Command{Kind: abi.CommandSubscribe, ID: Self}, abi.FeatureTopics, [][]byte{[]byte("t")}},
	{abi.Command{Kind: abi.CommandUnsubscribe, ID: Self}, abi.FeatureTopics, [][]byte{[]byte("t")}},
	{abi.Command{Kind: abi.CommandTimerSet, ID: 1, Arg: math.MaxInt64}, abi.FeatureTimers, nil},
	{abi.Command{Kind: abi.CommandTimerClear, ID: 1}, abi.FeatureTimers, nil},
	{abi.Command{Kind: abi.CommandHTTPHead, ID: 1 << 63, Code: 200}, abi.FeatureHTTP, nil},
	{abi.Command{Kind: abi.CommandHTTPBody, ID: 1 << 63}, abi.FeatureHTTP, nil},
	{abi.Command{Kind: abi.CommandState, Flags: abi.FlagEnd}, abi.FeatureState, [][]byte{[]byte("x")}},
}

func featureCases() []scenario {
	return []scenario{
		{name: "commands of features not in force are refused", play: featureRefused},
		{name: "send_many", needs: abi.FeatureSendMany, play: sendMany},
		{name: "send_many: refused", needs: abi.FeatureSendMany, play: sendManyRefused},
		{name: "timers", needs: abi.FeatureTimers, play: timers},
		{name: "timers: refused", needs: abi.FeatureTimers, play: timersRefused},
		{name: "topics: sessions", needs: abi.FeatureTopics, play: topicSessions},
		{name: "topics: the plugin itself", needs: abi.FeatureTopics, play: topicPlugin},
		{name: "topics: refused", needs: abi.FeatureTopics, play: topicRefused},
	}
}

func featureRefused(s *stage) {
	for _, c := range featureCommands {
		if s.granted&c.needs == 0 {
			s.wantRefused(abi.StatusNotGranted, c.Command, c.parts...)
		}
	}
}

func sendMany(s *stage) {
	a, one := s.peer()
	b, two := s.peer()
	c, three := s.peer()
	many := abi.Command{Kind: abi.CommandSendMany, Flags: textFrame, Tag: 3}
	s.accepted(new(Script).Do(many, abi.AppendIDs(nil, one, two), []byte("to "), []byte("both")).SendText(three, "alone"))
	a.ExpectText(s, "to both")
	b.ExpectText(s, "to both")
	c.ExpectText(s, "alone")
	s.accepted(new(Script).Do(many, nil, []byte("nobody")))

	r := s.refused(2, new(Script).Do(many, abi.AppendIDs(nil, one, 0, three, two+1<<40, two), []byte("again")))
	if len(r) != 2 || r[0].ID != 0 || r[1].ID != two+1<<40 || r[0].Seq != 3 ||
		abi.Status(r[0].Code) != abi.StatusUnknownSession || abi.Status(r[1].Code) != abi.StatusUnknownSession {
		s.Errorf("two bad ids of five: got %s, want unknown_session for each", explain(r))
	}
	for _, peer := range []*Client{a, b, c} {
		peer.ExpectText(s, "again")
	}
}

func sendManyRefused(s *stage) {
	a, id := s.peer()
	ids := abi.AppendIDs(nil, id)
	many := func(c abi.Command) abi.Command { c.Kind = abi.CommandSendMany; return c }
	s.wantRefused(abi.StatusBadFields, many(abi.Command{Flags: textFrame}), ids[:7], []byte("x"))
	s.wantRefused(abi.StatusBadFlags, many(abi.Command{Flags: 0x88}), ids, []byte("x"))
	s.wantRefused(abi.StatusReserved, many(abi.Command{Flags: textFrame, Code: 1}), ids, []byte("x"))
	s.wantRefused(abi.StatusReserved, many(abi.Command{Flags: textFrame, ID: id}), ids, []byte("x"))
	s.accepted(new(Script).SendText(id, "only this"))
	a.ExpectText(s, "only this")
}

func timers(s *stage) {
	set := func(id uint64, after time.Duration, flags byte) abi.Command {
		return abi.Command{Kind: abi.CommandTimerSet, ID: id, Arg: uint64(after), Flags: flags}
	}
	clear := func(id uint64) abi.Command { return abi.Command{Kind: abi.CommandTimerClear, ID: id} }
	begin := s.control().Mono
	s.accepted(new(Script).Do(set(1, 20*time.Millisecond, 0)).Do(set(2, 0, 0)).Do(set(3, time.Hour, 0)).
		Do(set(4, time.Millisecond, abi.FlagRepeat)).Do(set(5, time.Millisecond, 0)).Do(clear(5)).Do(clear(6)))
	for _, id := range []uint64{2, 4, 4, 1} {
		if e := s.event(abi.EventTimer, id); e.Code != 0 || e.Len != 0 || e.Flags != 0 {
			s.Errorf("timer: got %v, want id and user alone", e)
		}
	}
	if now := s.control().Mono; now-begin < int64(20*time.Millisecond) {
		s.Errorf("timer of 20ms came %v after it was set", time.Duration(now-begin))
	}
	s.accepted(new(Script).Do(set(3, 0, 0)).Do(clear(4))) // setting again replaces
	s.event(abi.EventTimer, 3)
	s.do(new(Script))
	for _, e := range s.seen { // the repeating one had run out before it was cleared
		if e.Kind != abi.EventTimer || e.ID != 4 {
			s.Errorf("got %v, want nothing more", e)
		}
	}
	s.seen = nil
	s.quiet()
}

func timersRefused(s *stage) {
	timer := func(c abi.Command) abi.Command { c.Kind = abi.CommandTimerSet; return c }
	s.wantRefused(abi.StatusBadValue, timer(abi.Command{Arg: 1 << 63}))
	s.wantRefused(abi.StatusBadValue, timer(abi.Command{Flags: abi.FlagRepeat}))
	s.wantRefused(abi.StatusReserved, timer(abi.Command{Flags: 2, Arg: 1}))
	s.wantRefused(abi.StatusReserved, timer(abi.Command{Code: 1, Arg: 1}))
	s.wantRefused(abi.StatusReserved, abi.Command{Kind: abi.CommandTimerClear, Arg: 1})
}

// subscribe makes a session, or the plugin with id 0, a receiver of a topic.
func subscribe(kind abi.CommandKind, id uint64, topic string) *Script {
	return new(Script).Do(abi.Command{Kind: kind, ID: id}, []byte(topic))
}

func publish(flags byte, except uint64, topic string, parts ...[]byte) *Script {
	return new(Script).Do(abi.Command{Kind: abi.CommandPublish, Flags: flags, ID: except},
		append([][]byte{[]byte(topic)}, parts...)...)
}

func topicSessions(s *stage) {
	a, one := s.peer()
	b, two := s.peer()
	for _, id := range []uint64{one, two, two} { // twice is once
		s.accepted(subscribe(abi.CommandSubscribe, id, "news"))
	}
	s.accepted(publish(textFrame, 0, "news", []byte("to "), []byte("all")))
	a.ExpectText(s, "to all")
	b.ExpectText(s, "to all")
	s.accepted(publish(binaryFrame, one, "news", []byte{1, 2}))
	b.Expect(s, binaryFrame, []byte{1, 2})
	s.accepted(publish(textFrame, 0, "other", []byte("nobody")))
	s.accepted(subscribe(abi.CommandUnsubscribe, two, "news"))
	s.accepted(publish(textFrame, 0, "news", []byte("to one")))
	s.accepted(new(Script).SendText(one, "fence").SendText(two, "fence"))
	a.ExpectText(s, "to one")
	a.ExpectText(s, "fence")
	b.ExpectText(s, "fence")
	s.quiet()
}

func topicPlugin(s *stage) {
	s.accepted(subscribe(abi.CommandSubscribe, 0, "nëws"))
	s.accepted(publish(binaryFrame, 0, "nëws", []byte("data")))
	e := s.next(abi.EventTopic)
	name, data, err := abi.ParseTopic(e.Code, e.Payload)
	if err != nil || string(name) != "nëws" || !bytes.Equal(data, []byte("data")) || e.Flags != binaryFrame || e.ID != 0 {
		s.Errorf("topic: got %v, %v, want the binary message data on nëws, id 0", e, err)
	}
	s.accepted(subscribe(abi.CommandUnsubscribe, 0, "nëws"))
	s.accepted(publish(binaryFrame, 0, "nëws", binary.LittleEndian.AppendUint32(nil, 1)))
	s.quiet()
}

func topicRefused(s *stage) {
	_, id := s.peer()
	pub := func(flags byte) abi.Command { return abi.Command{Kind: abi.CommandPublish, Flags: flags} }
	long := bytes.Repeat([]byte("n"), abi.MaxTopic+1)
	s.wantRefused(abi.StatusBadFields, pub(textFrame), nil, []byte("x"))
	s.wantRefused(abi.StatusTooLarge, pub(textFrame), long, []byte("x"))
	s.wantRefused(abi.StatusBadText, pub(textFrame), []byte("\xff"), []byte("x"))
	s.wantRefused(abi.StatusUnknownSession, abi.Command{Kind: abi.CommandPublish, Flags: textFrame, ID: id + 1<<40}, []byte("t"), []byte("x"))
	s.wantRefused(abi.StatusReserved, abi.Command{Kind: abi.CommandSubscribe, ID: id}, []byte("t"), []byte("piece"))
	s.wantRefused(abi.StatusBadText, pub(textFrame), []byte("t"), []byte("\xff"))
	s.wantRefused(abi.StatusBadFlags, pub(abi.OpText), []byte("t"), []byte("x"))
	s.wantRefused(abi.StatusBadFlags, pub(abi.FlagFIN|abi.OpPing), []byte("t"), []byte("x"))
	s.wantRefused(abi.StatusUnknownSession, abi.Command{Kind: abi.CommandSubscribe, ID: id + 1<<40}, []byte("t"))
	s.wantRefused(abi.StatusReserved, abi.Command{Kind: abi.CommandSubscribe, ID: id, Arg: 1}, []byte("t"))
	s.wantRefused(abi.StatusTooLarge, abi.Command{Kind: abi.CommandUnsubscribe, ID: id}, long)
}
