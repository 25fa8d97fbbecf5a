package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/bus"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
	"github.com/yimmo-host/yimmo-host/host/recovery"
	"github.com/yimmo-host/yimmo-host/host/stream"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// offered are the features this host has.
const offered = abi.FeatureHTTP | abi.FeatureMessages | abi.FeatureHold | abi.FeatureSendMany |
	abi.FeatureTimers | abi.FeatureTopics | abi.FeatureBackPressure

// plugin is one configured plugin: its compiled module and its lanes.
type plugin struct {
	// Set by start, not changed while requests are served.
	host   *Host
	cfg    *Plugin
	log    *slog.Logger
	code   *guest.Code  // nil for one that is native
	digest string       // of its module, "" before that is compiled
	lanes  []*lane.Lane // none if the plugin did not start
	http   bool         // plain requests are the plugin's
	stream stream.Options
	area   int // receive area to ask for, in bytes; 0 = the usual
	bus    bus.Local

	deflate    *deflate.Pool     // nil: nothing is compressed
	recordings *trace.Recordings // nil: nothing is recorded

	counters    []*lane.Counters  // by lane number
	laneMetrics []*laneMetrics    // by lane number
	recovery    []*recovery.Stats // by lane number
	failures    failures
	metrics     guestMetrics
	requests    atomic.Uint64 // plain ones
	overruns    overruns

	outcomes   tally        // of upgrade requests
	unanswered tally        // of plain ones
	taken      atomic.Int64 // places for sessions
	queued     atomic.Int64 // bytes that wait in streams

	next atomic.Uint32 // lane for the next session or request
}

func newPlugin(h *Host, cfg *Plugin) *plugin {
	p := &plugin{host: h, cfg: cfg, log: h.log.With("plugin", cfg.Name)}
	p.metrics = guestMetrics{limit: h.cfg.Limits.Metrics, types: map[string]uint8{}}
	p.deflate = p.newDeflate()
	for range cfg.Lanes {
		p.counters = append(p.counters, &lane.Counters{})
		p.laneMetrics = append(p.laneMetrics, p.metrics.lane())
		p.recovery = append(p.recovery, &recovery.Stats{})
	}
	return p
}

// start compiles the module and starts all lanes, or none.
func (p *plugin) start(ctx context.Context) error {
	if p.cfg.Native == nil {
		if err := p.compile(ctx); err != nil {
			return err
		}
	}
	p.log = p.log.With("version", fmt.Sprintf("%.12s", p.version()))
	for n := range p.cfg.Lanes {
		l, err := p.startLane(n)
		if err != nil {
			p.kill()
			return fmt.Errorf("lane %d: %w", n, err)
		}
		p.lanes = append(p.lanes, l)
	}
	p.log.Info("plugin serves", "route", p.cfg.Route, "lanes", len(p.lanes))
	return nil
}

func (p *plugin) compile(ctx context.Context) error {
	wasm := p.cfg.Module
	if wasm == nil {
		var err error
		if wasm, err = os.ReadFile(p.cfg.Path); err != nil {
			return fmt.Errorf("read module: %w", err)
		}
	}
	var err error
	if p.code, err = p.host.engine.Compile(ctx, p.cfg.Name, wasm); err != nil {
		return err
	}
	p.digest = p.code.Digest()
	p.failures = failures{dir: p.failureDir(), plugin: p.cfg.Name, log: p.log, module: p.keepModule}
	if err := p.startRecording(wasm); err != nil {
		p.close()
		return err
	}
	return nil
}

// version is what the plugin, the log and the operator are told.
func (p *plugin) version() string {
	switch {
	case p.cfg.Native != nil:
		return "native"
	case p.digest == "":
		return "none"
	}
	return p.digest
}

func (p *plugin) startLane(n int) (*lane.Lane, error) {
	limits := p.host.cfg.Limits.ofLane(&p.host.waiting, &p.host.unfinished)
	limits.Bodies = p.cfg.Memory / bodyShare
	log := p.log
	if p.cfg.Lanes > 1 {
		log = log.With("lane", n)
	}
	cfg := lane.Config{
		Settings: func(maxMessage int64) []byte { return p.settings(n, maxMessage) },
		Number:   n, Log: log,
		Limits:       limits,
		Messages:     p.cfg.Delivery == DeliveryMessages,
		Quotas:       p.cfg.Quota.ofLane(&p.taken),
		Revive:       p.cfg.Recovery != RecoveryFail,
		Policy:       policies[p.cfg.Slow],
		RecycleAbove: p.cfg.RecycleAbove,
		Poll:         p.host.polls(),
		SocketClosed: p.socketClosed,
		Counters:     p.counters[n],
		Metric:       p.laneMetrics[n].observe,
		Deflate:      p.deflate,
	}
	if p.cfg.Lanes > 1 {
		cfg.Bus = &p.bus
	}
	cfg.Lines = lane.NewLines(log, cfg.Quotas.LogLines)
	var features abi.Feature
	var area int
	cfg.Start = func() (lane.Guest, error) {
		g, err := p.instance(log, cfg.Lines, n)
		if err != nil {
			return nil, err
		}
		mem, _ := g.Area()
		features, area = g.Features(), len(mem)
		return g, nil
	}
	l, err := lane.New(cfg)
	if err != nil {
		return nil, err
	}
	// All instances of a module say the same of themselves.
	p.http = features&abi.FeatureHTTP != 0
	p.stream = stream.Options{Limits: l.Limits(), Piece: area, Queued: &p.queued}
	return l, nil
}

// bodyShare is the part of a guest's memory that the bodies of plain requests
// which are under way may have together: a guest needs about twice what it collects.
const bodyShare = 4

// instance starts an instance for lane n. One that takes whole messages is asked
// for a receive area that holds the largest.
func (p *plugin) instance(log *slog.Logger, lines *lane.Lines, n int) (lane.Guest, error) {
	if p.cfg.Native != nil {
		return p.cfg.Native(), nil
	}
	limits := &p.host.cfg.Limits
	o := guest.Options{
		MemoryMax: p.cfg.Memory, Offered: offered, Area: p.area,
		TurnTime: limits.Turn, StartTime: limits.Start, HookTime: limits.Hook, Units: limits.TurnUnits,
		Trapped: p.overruns.trapped,
		Boot:    guest.Header{Now: time.Now().UnixNano(), Mono: 1, Seed: rand.Uint64()},
		Log:     lines.Print,
	}
	if p.cfg.Delivery == DeliveryFrames {
		o.Offered &^= abi.FeatureMessages
	}
	g, err := p.code.Start(context.Background(), o)
	if err != nil {
		return nil, err
	}
	whole := p.cfg.Delivery == DeliveryMessages || g.Features()&abi.FeatureMessages != 0
	if mem, _ := g.Area(); !whole || p.area != 0 || int64(len(mem)) >= limits.Message {
		h := p.traceHeader(o, n)
		return p.recoverable(p.recorded(g, h), h, log)
	}
	g.Close()
	p.area = int(min(limits.Message+7, abi.MaxArea)) &^ 7
	return p.instance(log, lines, n)
}

// recoverable makes an instance one that can be rolled back, if it is to be.
func (p *plugin) recoverable(g instance, h trace.Header, log *slog.Logger) (lane.Guest, error) {
	if p.cfg.Recovery != RecoveryRollback && p.cfg.Recovery != "" {
		return g, nil
	}
	h.Chosen(g)
	r, err := recovery.New(g, recovery.Options{
		Log: log, Stats: p.recovery[h.Lane],
		Wanted: p.failures.wanted, Failed: func(f *recovery.Failure) { p.failures.failed(h, f) },
	})
	if errors.Is(err, guest.ErrUnsaved) {
		log.Warn("plugin cannot be rolled back; when it fails it is restarted", "err", err)
		return g, nil
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return r, nil
}

var policies = map[string]uint8{"": abi.PolicyClose, SlowClose: abi.PolicyClose, SlowDrop: abi.PolicyDrop, SlowLast: abi.PolicyLast}

// settings are the fields of the start event.
func (p *plugin) settings(n int, maxMessage int64) []byte {
	_, port, _ := net.SplitHostPort(p.host.Addr().String())
	b := abi.AppendFields(nil)
	for _, f := range [][2]string{
		{abi.FieldPlugin, p.cfg.Name},
		{abi.FieldVersion, p.version()},
		{abi.FieldLane, strconv.Itoa(n)},
		{abi.FieldLanes, strconv.Itoa(p.cfg.Lanes)},
		{abi.FieldMaxMessage, strconv.FormatInt(maxMessage, 10)},
		{abi.FieldHost, "yimmo-host"},
		{abi.FieldPort, port},
	} {
		b = abi.AppendField(b, 0, f[0], f[1])
	}
	for _, name := range sortedKeys(p.cfg.Config) {
		b = abi.AppendField(b, 0, name, p.cfg.Config[name])
	}
	return b
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// lane picks the lane of a new session or request: the next one, or if that has no
// instance the first behind it that has.
func (p *plugin) lane() *lane.Lane {
	next := int(p.next.Add(1) - 1)
	for i := range p.lanes {
		if l := p.lanes[(next+i)%len(p.lanes)]; l.Counters().Up.Load() {
			return l
		}
	}
	return p.lanes[next%len(p.lanes)]
}

// stop drains all lanes, telling sessions to go over that time, and cuts what has
// not ended when ctx is done. It reports whether nothing had to be cut.
func (p *plugin) stop(ctx context.Context, over time.Duration) bool {
	for _, l := range p.lanes {
		l.Drain(over)
	}
	inTime := true
	for _, l := range p.lanes {
		select {
		case <-l.Done():
		case <-ctx.Done():
			inTime = false
			l.Kill()
			<-l.Done()
		}
	}
	p.close()
	return inTime
}

func (p *plugin) kill() {
	var all sync.WaitGroup
	for _, l := range p.lanes {
		all.Go(func() { l.Kill(); <-l.Done() })
	}
	all.Wait()
	p.lanes = nil
	p.close()
}

func (p *plugin) close() {
	p.failures.writing.Wait()
	if p.recordings != nil {
		if err := p.recordings.Close(); err != nil {
			p.log.Error("recording incomplete", "err", err)
		}
		p.recordings = nil
	}
	if p.code != nil {
		if err := p.code.Close(); err != nil {
			p.log.Error("compiled module not released", "err", err)
		}
		p.code = nil
	}
}

// ServeHTTP answers one request on the plugin's route.
func (p *plugin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.host.draining.Load() {
		p.unavailable(w, r, draining)
		return
	}
	if len(p.lanes) == 0 {
		p.unavailable(w, r, pluginDown)
		return
	}
	for _, u := range p.host.upgrades {
		if u.wanted(r) && u.serve(w, r, p) {
			return
		}
	}
	p.requests.Add(1)
	p.serveRequest(w, r)
}

// unavailable answers 503 for a reason of the host's.
func (p *plugin) unavailable(w http.ResponseWriter, r *http.Request, o outcome) {
	if (webSocket{}).wanted(r) {
		p.came(o, r.RemoteAddr)
	} else {
		p.requests.Add(1)
		p.failed(o, r)
	}
	after := time.Duration(0)
	if o == pluginDown { // it has never been up
		after = lane.UntilReset
	}
	retryAfter(w, after)
	http.Error(w, o.text(), http.StatusServiceUnavailable)
}

// retryAfter says when to ask again: not before after, in whole seconds.
func retryAfter(w http.ResponseWriter, after time.Duration) {
	seconds := max(1, (after+time.Second-1)/time.Second)
	w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
}

// socketClosed takes a session off the counts whose socket a lane has closed.
func (p *plugin) socketClosed(session uint64) {
	p.host.sessions.Add(-1)
	p.host.gate.moveOut(p, session)
}

// isDown says whether err means that the plugin has no running instance.
func isDown(err error) bool { return errors.Is(err, lane.ErrDown) }

// down returns nil if one of the lanes has an instance, else the error of the one
// that will have one first.
func (p *plugin) down() error {
	var first *lane.DownError
	for _, l := range p.lanes {
		err := l.Down()
		if err == nil {
			return nil
		}
		if first == nil || err.After < first.After {
			first = err
		}
	}
	return first
}
