package trace_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

func fields(pairs ...string) string {
	b := abi.AppendFields(nil)
	for i := 0; i < len(pairs); i += 2 {
		b = abi.AppendField(b, 0, pairs[i], pairs[i+1])
	}
	return string(b)
}

// Every kind of event has a line that says what it means.
func TestEventText(t *testing.T) {
	const id = 0x100000007
	refused := string(abi.AppendCommand(nil, &abi.Command{Kind: abi.CommandPublish}))
	tests := []struct {
		e       abi.Event
		payload string
		want    string
	}{
		{abi.Event{Kind: abi.EventStart}, fields(":plugin", "echo", "greeting", "Good day", "none", ""), `start :plugin=echo greeting="Good day" none=""`},
		{abi.Event{Kind: abi.EventStop}, "", `stop`},
		{abi.Event{Kind: abi.EventConnect, ID: id, Flags: abi.FlagSynthesised, User: 3}, fields(":path", "/a?b=c"), `connect 0000000100000007 synthesised :path=/a?b=c user 0x3`},
		{abi.Event{Kind: abi.EventConnect, ID: id}, fields("a\n\x1b[2Jb\xff", "c"), "connect 0000000100000007 a\ufffd\ufffd[2Jb\ufffd=c"},
		{abi.Event{Kind: abi.EventRecv, ID: id, Flags: 0x81, Seq: 4}, "hello", `recv 0000000100000007 seq 4 text 5 B "hello"`},
		{abi.Event{Kind: abi.EventRecv, ID: id, Flags: 0x82, Seq: 4}, "\x00\xff", `recv 0000000100000007 seq 4 binary 2 B 0x00ff`},
		{abi.Event{Kind: abi.EventRecv, ID: id, Flags: 0x51, Seq: 4}, "", `recv 0000000100000007 seq 4 text unfinished rsv1 rsv3 0 B`},
		{abi.Event{Kind: abi.EventRecv, ID: id, Flags: 0x85}, strings.Repeat("ä", 50), `recv 0000000100000007 seq 0 opcode 0x5 100 B "` + strings.Repeat("ä", 30) + `"...`},
		{abi.Event{Kind: abi.EventClose, ID: id, Code: 1000, Flags: abi.WhoPeer | abi.FlagClean}, "bye", `close 0000000100000007 1000 by peer clean "bye"`},
		{abi.Event{Kind: abi.EventClose, ID: id, Code: 1006, Flags: abi.WhoHost | abi.FlagSynthesised}, "", `close 0000000100000007 1006 by host synthesised`},
		{abi.Event{Kind: abi.EventHTTPRequest, ID: 1 << 63, Flags: abi.FlagEnd}, fields(":method", "GET"), `http_request 8000000000000000 :method=GET end`},
		{abi.Event{Kind: abi.EventHTTPBody, ID: 1 << 63}, `{"a":1}`, "http_body 8000000000000000 7 B `{\"a\":1}`"},
		{abi.Event{Kind: abi.EventHTTPGone, ID: 1 << 63}, "", `http_gone 8000000000000000`},
		{abi.Event{Kind: abi.EventTimer, ID: 2, User: 3}, "", `timer 0000000000000002 missed 3`},
		{abi.Event{Kind: abi.EventTopic, Code: 4, Flags: 0x81}, "roomhello", `topic "room" text 5 B "hello"`},
		{abi.Event{Kind: abi.EventDropped, ID: id, Code: uint16(abi.StatusQueueFull), Seq: 9}, "", `dropped 0000000100000007 queue_full tag 9`},
		{abi.Event{Kind: abi.EventDrained, ID: id}, "", `drained 0000000100000007`},
		{abi.Event{Kind: abi.EventRefused, ID: id, Code: uint16(abi.StatusClosing), Seq: 9, User: 2}, refused, `refused 0000000100000007 closing (publish) tag 9 and more: 2`},
		{abi.Event{Kind: abi.EventStateExport}, "", `state_export 0 B`},
		{abi.Event{Kind: abi.EventStateImport, Flags: 1}, "abc", `state_import flags 1 3 B "abc"`},
		{abi.Event{Kind: abi.EventCallResult, Code: 2}, "", `call_result code 2 0 B`},
		{abi.Event{Kind: 200, ID: 1, Seq: 5}, "x", `EventKind(200) 0000000000000001 seq 5 1 B "x"`},
	}
	seen := map[abi.EventKind]bool{}
	for _, tt := range tests {
		seen[tt.e.Kind] = true
		tt.e.Len = uint32(len(tt.payload))
		if got := trace.EventText(tt.e, []byte(tt.payload)); got != tt.want {
			t.Errorf("EventText(%v): got\n%s\nwant\n%s", tt.e.Kind, got, tt.want)
		}
	}
	for k := abi.EventKind(1); k <= abi.EventCallResult; k++ {
		if !seen[k] {
			t.Errorf("EventText(%v): not tested", k)
		}
	}
}

// The same for commands.
func TestCommandText(t *testing.T) {
	const id = 0x100000007
	ids := func(all ...uint64) string { return string(abi.AppendIDs(nil, all...)) }
	tests := []struct {
		c       abi.Command
		payload string
		want    string
	}{
		{abi.Command{Kind: abi.CommandPiece}, "more", `piece 4 B "more"`},
		{abi.Command{Kind: abi.CommandAccept, ID: id}, fields(":protocol", "chat"), `accept 0000000100000007 :protocol=chat`},
		{abi.Command{Kind: abi.CommandAccept, ID: id}, "", `accept 0000000100000007`},
		{abi.Command{Kind: abi.CommandAccept, ID: id}, "no fields", `accept 0000000100000007 9 B "no fields"`},
		{abi.Command{Kind: abi.CommandRefuse, ID: id, Code: 403}, fields("a", "b"), `refuse 0000000100000007 403 a=b`},
		{abi.Command{Kind: abi.CommandHold, ID: id}, "", `hold 0000000100000007`},
		{abi.Command{Kind: abi.CommandSend, ID: id, Flags: 0x89, Tag: 4}, "ping", `send 0000000100000007 ping 4 B "ping" tag 4`},
		{abi.Command{Kind: abi.CommandSendMany, Flags: 0x81}, ids(1, 2), `send_many text to 2: 0000000000000001 0000000000000002`},
		{abi.Command{Kind: abi.CommandSendMany, Flags: 0x81}, ids(1, 2, 3, 4, 5), `send_many text to 5: 0000000000000001 0000000000000002 0000000000000003 0000000000000004 ...`},
		{abi.Command{Kind: abi.CommandClose, ID: id, Code: 4000}, "enough", `close 0000000100000007 4000 "enough"`},
		{abi.Command{Kind: abi.CommandPublish, Flags: 0x81}, "room", `publish text to "room"`},
		{abi.Command{Kind: abi.CommandSubscribe, ID: id, Flags: 2}, "room", `subscribe 0000000100000007 "room" policy 2`},
		{abi.Command{Kind: abi.CommandUnsubscribe, ID: id}, "room", `unsubscribe 0000000100000007 "room"`},
		{abi.Command{Kind: abi.CommandSetUser, ID: id, Arg: 255}, "", `set_user 0000000100000007 0xff`},
		{abi.Command{Kind: abi.CommandTimerSet, ID: 1, Arg: 15e8, Flags: abi.FlagRepeat}, "", `timer_set 0000000000000001 in 1.5s repeat`},
		{abi.Command{Kind: abi.CommandTimerClear, ID: 1}, "", `timer_clear 0000000000000001`},
		{abi.Command{Kind: abi.CommandHTTPHead, ID: 1 << 63, Code: 200, Flags: abi.FlagEnd}, fields("content-type", "text/plain"), `http_head 8000000000000000 200 content-type=text/plain end`},
		{abi.Command{Kind: abi.CommandHTTPBody, ID: 1 << 63, Flags: abi.FlagFlush}, "x", `http_body 8000000000000000 1 B "x" flush`},
		{abi.Command{Kind: abi.CommandLog, Flags: uint8(abi.LevelWarn), ID: id}, "look", `log 0000000100000007 warn "look"`},
		{abi.Command{Kind: abi.CommandMetric, Flags: abi.MetricGauge, Arg: math.Float64bits(1.5)}, "load", `metric gauge "load" 1.5`},
		{abi.Command{Kind: abi.CommandMetric, Flags: 9}, "load", `metric type 9 "load" 0`},
		{abi.Command{Kind: abi.CommandState, Flags: abi.FlagEnd}, "s", `state 1 B "s" end`},
		{abi.Command{Kind: abi.CommandCall}, "", `call 0 B`},
		{abi.Command{Kind: 0, Flags: 3, Code: 2, Arg: 9}, "", `CommandKind(0) flags 3 code 2 user 9 0 B`},
	}
	seen := map[abi.CommandKind]bool{}
	for _, tt := range tests {
		seen[tt.c.Kind] = true
		tt.c.Len = uint32(len(tt.payload))
		if got := trace.CommandText(trace.Command{Command: tt.c, Payload: []byte(tt.payload)}); got != tt.want {
			t.Errorf("CommandText(%v): got\n%s\nwant\n%s", tt.c.Kind, got, tt.want)
		}
	}
	for k := abi.CommandKind(1); k <= abi.CommandCall; k++ {
		if !seen[k] {
			t.Errorf("CommandText(%v): not tested", k)
		}
	}
	missing := trace.Command{Command: abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: 1, Len: 5, Addr: 0xfffffff0}, Missing: true}
	if got, want := trace.CommandText(missing), "send 0000000000000001 text 5 B not recorded, at 0xfffffff0"; got != want {
		t.Errorf("CommandText of a payload that is not there: got %s, want %s", got, want)
	}
}

// Every record of a trace shows, with a word in front.
func TestShow(t *testing.T) {
	show := func(b []byte, session uint64) string {
		t.Helper()
		r, err := trace.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := trace.Show(&out, r, session); err != nil {
			t.Fatal(err)
		}
		_, lines, _ := strings.Cut(out.String(), "\n\n")
		return lines
	}
	want := strings.Join([]string{
		`                      state    of the instance: 2162688 bytes of memory, 2 globals`,
		`     1     0.000000  event    recv 0000000000000007 seq 0 text 5 B "hello"`,
		`     1     0.000000  event    recv 0000000000000007 seq 0 text 0 B`,
		`     1     0.000000  command  send 0000000000000007 text 5 B "hello"`,
		`     1     0.000000  command  send 0000000000000007 text 3 B "you"`,
		`     2     0.000000  sum      0000000000000062 of 3 commands`,
		`                      back     the host put the instance back to an earlier state`,
		`                      gap      3 calls, turn 4 to 6, were not recorded`,
		`     3     0.000000  event    timer 0000000000000001`,
		`     3     0.000000  trap     overflow: too deep`,
		`                      end      trapped`, ""}, "\n")
	b := sample(t)
	if got := show(b, 0); normal(got) != normal(want) {
		t.Errorf("Show: got\n%s\nwant\n%s", got, want)
	}
	if got := show(b[:len(b)-5], 7); strings.Count(got, "event") != 2 || strings.Count(got, "command") != 2 ||
		strings.Contains(got, "timer") || !strings.Contains(got, "cut off") {
		t.Errorf("Show of a session: got\n%s", got)
	}

	c := chaos(t)
	r := recorded(t, c, trace.RecordOptions{})
	d := r.start().start()
	var saved guest.Checkpoint
	if err := d.Save(&saved); err != nil {
		t.Fatal(err)
	}
	d.texts("bytes one")
	d.texts("panic now")
	if err := d.Load(&saved); err != nil {
		t.Fatal(err)
	}
	d.turn -= 2
	d.texts("bytes one")
	d.turn++
	d.texts("bytes two")
	d.close()
	got := show(r.files()[0], 0)
	if strings.Count(got, "one") != 2 || !strings.Contains(got, "gave it again what had come since (calls: 1)") {
		t.Errorf("Show of an instance put back: got\n%s", got)
	}
}

// normal is text with one space between words.
func normal(s string) string { return strings.Join(strings.Fields(s), " ") }
