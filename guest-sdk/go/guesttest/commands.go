package guesttest

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A command is a record with its payload, and what its pieces hold.
type command struct {
	abi.Command
	payload []byte
	data    []byte
	pieces  int
}

func (c *command) whole() []byte { return append(slices.Clip(c.payload), c.data...) }

// commit carries out commands in order.
func (g *Guest) commit(records []byte) {
	mem := g.m.Memory()
	for len(records) > 0 {
		var c command
		status, size := c.read(records, mem)
		if records = records[size:]; status == 0 {
			status = g.carryOut(&c)
		}
		if status != 0 {
			g.refuse(&c, status)
		}
	}
}

// read takes a command and its pieces off records and copies what they point at.
func (c *command) read(records, mem []byte) (status abi.Status, size int) {
	copy(abi.CommandBytes(&c.Command), records)
	for size = abi.RecordSize; size < len(records) && records[size] == byte(abi.CommandPiece); size += abi.RecordSize {
		c.pieces++
	}
	for at := 0; at < size; at += abi.RecordSize {
		var r abi.Command
		copy(abi.CommandBytes(&r), records[at:])
		end := uint64(r.Addr) + uint64(r.Len)
		switch {
		case r.Len == 0:
		case end > uint64(len(mem)):
			return abi.StatusBadRange, size
		case at == 0:
			c.payload = slices.Clone(mem[r.Addr:end])
		default:
			c.data = append(c.data, mem[r.Addr:end]...)
		}
		if at > 0 && (r.Flags != 0 || r.Code != 0 || r.ID != 0 || r.Arg != 0) {
			return abi.StatusReserved, size
		}
	}
	return 0, size
}

// refusalsTold bounds the refusals that are told one by one in a turn; the last
// of them counts the others.
const refusalsTold = 64

// refuse has the next turn begin with a refused event.
func (g *Guest) refuse(c *command, status abi.Status) {
	g.refusals = append(g.refusals, guest.Refusal{
		Status: guest.Status(status), Command: guest.Kind(c.Kind), ID: c.ID, Tag: c.Tag,
	})
	if len(g.refusing) == refusalsTold {
		g.refusing[refusalsTold-1].record.User++
		return
	}
	g.refusing = append(g.refusing, event{
		record:  abi.Event{Kind: abi.EventRefused, Code: uint16(status), ID: c.ID, Seq: c.Tag},
		payload: slices.Clone(abi.CommandBytes(&c.Command)),
	})
}

// carryOut does what c asks for, or says why not.
func (g *Guest) carryOut(c *command) abi.Status {
	k, ok := kinds[c.Kind]
	switch {
	case c.Kind == abi.CommandPiece:
		return abi.StatusBadSequence
	case c.Kind == abi.CommandState || c.Kind == abi.CommandCall:
		return abi.StatusNotGranted
	case !ok:
		return abi.StatusUnknownKind
	case g.Features()&k.needs != k.needs:
		return abi.StatusNotGranted
	case !k.named(c):
		return abi.StatusReserved
	}
	return k.do(g, c)
}

// A kind is a command this package carries out.
type kind struct {
	do    func(g *Guest, c *command) abi.Status
	uses  string // which of flags, code, id, payload, pieces, arg may be other than zero
	needs guest.Feature
}

var kinds = map[abi.CommandKind]kind{
	abi.CommandAccept:      {do: (*Guest).decide, uses: "id payload"},
	abi.CommandRefuse:      {do: (*Guest).decide, uses: "code id payload pieces"},
	abi.CommandHold:        {do: (*Guest).decide, uses: "id", needs: guest.FeatureHold},
	abi.CommandSend:        {do: (*Guest).send, uses: "flags id payload pieces"},
	abi.CommandSendMany:    {do: (*Guest).sendMany, uses: "flags payload pieces", needs: guest.FeatureSendMany},
	abi.CommandClose:       {do: (*Guest).close, uses: "code id payload pieces"},
	abi.CommandSetUser:     {do: (*Guest).setUser, uses: "id arg"},
	abi.CommandPublish:     {do: (*Guest).publish, uses: "flags id payload pieces", needs: guest.FeatureTopics},
	abi.CommandSubscribe:   {do: (*Guest).subscribe, uses: "flags id payload", needs: guest.FeatureTopics},
	abi.CommandUnsubscribe: {do: (*Guest).subscribe, uses: "id payload", needs: guest.FeatureTopics},
	abi.CommandTimerSet:    {do: (*Guest).setTimer, uses: "flags id arg", needs: guest.FeatureTimers},
	abi.CommandTimerClear:  {do: (*Guest).setTimer, uses: "id", needs: guest.FeatureTimers},
	abi.CommandHTTPHead:    {do: (*Guest).respond, uses: "flags code id payload pieces", needs: guest.FeatureHTTP},
	abi.CommandHTTPBody:    {do: (*Guest).respond, uses: "flags id payload pieces", needs: guest.FeatureHTTP},
	abi.CommandLog:         {do: (*Guest).log, uses: "flags id payload pieces"},
	abi.CommandMetric:      {do: (*Guest).sample, uses: "flags payload arg"},
}

// named tells whether c sets nothing but what its kind has a use for.
func (k *kind) named(c *command) bool {
	for _, f := range [...]struct {
		name string
		set  bool
	}{
		{"flags", c.Flags != 0}, {"code", c.Code != 0}, {"id", c.ID != 0},
		{"payload", c.Len != 0}, {"pieces", c.pieces != 0}, {"arg", c.Arg != 0},
	} {
		if f.set && !strings.Contains(k.uses, f.name) {
			return false
		}
	}
	return true
}

func (g *Guest) setUser(c *command) abi.Status {
	s, status := g.session(c.ID)
	if status == 0 {
		s.user = c.Arg
	}
	return status
}

func (g *Guest) publish(c *command) abi.Status {
	flags := guest.Flags(c.Flags)
	if flags != guest.Text && flags != guest.Binary {
		return abi.StatusBadFlags
	}
	if status := topicName(c.payload); status != 0 {
		return status
	}
	if flags == guest.Text && !utf8.Valid(c.data) {
		return abi.StatusBadText
	}
	if c.ID != 0 && g.sessions[c.ID] == nil {
		return abi.StatusUnknownSession
	}
	m := Message{Topic: string(c.payload), Flags: flags, Data: string(c.data), Except: c.ID}
	g.published = append(g.published, m)
	g.deliver(m)
	return 0
}

func (g *Guest) subscribe(c *command) abi.Status {
	if status := topicName(c.payload); status != 0 {
		return status
	}
	topics, policies := g.topics, uint8(0)
	if c.ID != 0 {
		s, status := g.session(c.ID)
		if status != 0 {
			return status
		}
		topics, policies = s.topics, abi.MaskPolicy
	}
	if c.Flags&^policies != 0 {
		return abi.StatusReserved
	}
	if c.Kind == abi.CommandSubscribe {
		topics[string(c.payload)] = guest.Policy(c.Flags)
	} else {
		delete(topics, string(c.payload))
	}
	return 0
}

func topicName(name []byte) abi.Status {
	switch {
	case len(name) == 0:
		return abi.StatusBadFields
	case len(name) > abi.MaxTopic:
		return abi.StatusTooLarge
	case !utf8.Valid(name):
		return abi.StatusBadText
	}
	return 0
}

func (g *Guest) setTimer(c *command) abi.Status {
	repeat := c.Flags&abi.FlagRepeat != 0
	switch {
	case c.Flags&^abi.FlagRepeat != 0:
		return abi.StatusReserved
	case c.Kind == abi.CommandTimerClear:
		delete(g.timers, c.ID)
		return 0
	case c.Arg > math.MaxInt64, repeat && c.Arg == 0:
		return abi.StatusBadValue
	}
	t := &timer{due: g.mono + time.Duration(c.Arg)}
	if repeat {
		t.every = time.Duration(c.Arg)
	}
	g.timers[c.ID] = t
	return 0
}

func (g *Guest) log(c *command) abi.Status {
	text := c.whole()
	switch {
	case c.Flags < uint8(abi.LevelTrace) || c.Flags > uint8(abi.LevelError):
		return abi.StatusBadFlags
	case len(text) > abi.MaxLog:
		return abi.StatusTooLarge
	}
	line := Line{guest.Level(c.Flags), c.ID, strings.ToValidUTF8(string(text), "\uFFFD")}
	g.lines = append(g.lines, line)
	return 0
}

func (g *Guest) sample(c *command) abi.Status {
	v, name := math.Float64frombits(c.Arg), c.whole()
	switch {
	case c.Flags < abi.MetricCounter || c.Flags > abi.MetricHistogram:
		return abi.StatusBadFlags
	case len(name) > abi.MaxMetricName:
		return abi.StatusTooLarge
	case !metricName(name):
		return abi.StatusBadFields
	case math.IsNaN(v) || math.IsInf(v, 0) || c.Flags == abi.MetricCounter && v < 0:
		return abi.StatusBadValue
	}
	g.samples = append(g.samples, Sample{Metric(c.Flags), string(name), v})
	return 0
}

func metricName(name []byte) bool {
	for i, b := range name {
		letter := 'a' <= b|0x20 && b|0x20 <= 'z' || b == '_'
		if !letter && (i == 0 || b < '0' || b > '9') {
			return false
		}
	}
	return len(name) > 0
}

// respond takes a part of an answer to a plain request.
func (g *Guest) respond(c *command) abi.Status {
	r := g.requests[c.ID]
	head := c.Kind == abi.CommandHTTPHead
	switch {
	case c.Flags&^(abi.FlagEnd|abi.FlagFlush) != 0:
		return abi.StatusReserved
	case r == nil:
		return abi.StatusUnknownRequest
	case head != (r.Status == 0):
		return abi.StatusBadSequence
	case head && (c.Code < 200 || c.Code > 599):
		return abi.StatusBadCode
	case head:
		fields, status := headers(c.payload)
		if status == 0 && protocolOf(fields) != "" {
			status = abi.StatusBadFields
		}
		if status != 0 {
			return status
		}
		r.Status, r.Headers, r.Body = int(c.Code), fields, string(c.data)
	default:
		r.Body += string(c.whole())
	}
	if r.Done = c.Flags&abi.FlagEnd != 0; r.Done {
		delete(g.requests, c.ID)
	}
	return 0
}

// hostHeaders are those that a plugin must not set.
var hostHeaders = []string{
	"connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade", "sec-websocket-accept",
	"sec-websocket-extensions", "sec-websocket-protocol", "sec-websocket-version",
}

// headers reads fields strictly; none at all are fine.
func headers(p []byte) ([]guest.Field, abi.Status) {
	if len(p) > abi.MaxFields {
		return nil, abi.StatusTooLarge
	}
	var list []guest.Field
	size := min(4, len(p))
	for name, value := range abi.Fields(p).All {
		f := guest.Field{Name: string(name), Value: string(value)}
		list = append(list, f)
		size += abi.FieldSize(f.Name, f.Value)
		if f.Name != abi.FieldProtocol && (!token(f.Name) || slices.Contains(hostHeaders, lower(f.Name))) ||
			strings.ContainsFunc(f.Value, control) {
			return nil, abi.StatusBadFields
		}
	}
	if size != len(p) || len(list) != abi.Fields(p).Len() {
		return nil, abi.StatusBadFields
	}
	return list, 0
}

// token tells whether name may be a header's, RFC 9110 section 5.6.2.
func token(name string) bool {
	for _, r := range name {
		if r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) {
			return false
		}
	}
	return name != ""
}

func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
