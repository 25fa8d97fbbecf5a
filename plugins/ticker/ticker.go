// Command ticker is a plugin that tells all its sessions the time, again and
// again. It shows a repeating timer, and a topic of which only the newest message
// matters: who cannot keep up misses ticks but never gets old ones.
//
// The key "interval" of its configuration is the time between two ticks, "1s"
// unless set. Messages are JSON text, times in milliseconds since 1970:
//
//	{"interval":1000}     first: milliseconds between two ticks
//	{"n":1,"time":0}      each tick; n counts intervals, those that passed unheard too
//
// Its page, at the same address, draws how evenly the ticks arrive.
package main

import (
	_ "embed"
	"errors"
	"strconv"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/plugins/internal/page"
)

//go:embed index.html
var indexHTML string

//go:embed style.css
var styleCSS string

//go:embed app.js
var appJS string

// topic is what every session is subscribed to.
const topic = "ticks"

// Bounds of interval.
const (
	shortest = 10 * time.Millisecond
	longest  = 24 * time.Hour
)

type ticker struct {
	interval time.Duration
	n        uint64 // intervals since the plugin began
	site     *page.Site
}

// Start arms the timer, on one lane: its ticks reach the sessions of all.
func (t *ticker) Start(cfg guest.Config) (err error) {
	t.interval, err = cfg.Duration("interval", time.Second)
	if err != nil {
		return err
	}
	if t.interval < shortest || t.interval > longest {
		return errors.New("configuration: interval: " + t.interval.String() + ": want " + shortest.String() + " to " + longest.String())
	}
	t.site = page.New(cfg.Version(), map[string]page.File{
		"":          {Type: page.HTML, Body: indexHTML},
		"style.css": {Type: page.CSS, Body: styleCSS},
		"app.js":    {Type: page.JS, Body: appJS},
	})
	if cfg.Lane() == 0 {
		guest.RepeatTimer(0, t.interval)
	}
	return nil
}

// Timer publishes a tick, once for all who listen.
func (t *ticker) Timer(_, missed uint64) error {
	t.n += 1 + missed
	b := strconv.AppendUint([]byte(`{"n":`), t.n, 10)
	b = strconv.AppendInt(append(b, `,"time":`...), guest.Now().UnixMilli(), 10)
	return guest.Publish(topic, guest.Text, append(b, '}'))
}

// Connect subscribes everyone.
func (t *ticker) Connect(s guest.Session) error {
	s.Subscribe(topic, guest.PolicyLast)
	if s.Resumed() {
		return nil
	}
	return s.SendText(`{"interval":` + strconv.FormatFloat(t.interval.Seconds()*1000, 'f', -1, 64) + `}`)
}

// Recv ignores what peers have to say.
func (t *ticker) Recv(guest.Session, guest.Flags, []byte) error { return nil }

// Close has nothing to do: the subscription ends with the session.
func (t *ticker) Close(guest.Session, uint16, string) {}

// HTTP serves the page.
func (t *ticker) HTTP(req *guest.Request, resp *guest.Response) error {
	return t.site.Serve(page.Last(req.Path()), req, resp)
}
