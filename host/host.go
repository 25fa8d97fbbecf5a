package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// ErrForced reports that [Host.Shutdown] had to cut what did not end in time.
var ErrForced = errors.New("shutdown: not everything ended in time and was cut")

// ErrNoPlugin reports that none of the plugins could be started.
var ErrNoPlugin = errors.New("no plugin could be started")

// Host is a listener with the plugins behind it. Its methods are safe for
// concurrent use.
type Host struct {
	// Set by New, never changed.
	cfg      Config
	log      *slog.Logger
	listener net.Listener
	cert     *certificate // nil without TLS
	mux      *http.ServeMux
	admin    *admin // nil if there is none
	metrics  *prometheus.Registry
	server   *http.Server
	door     *door // nil: net/http accepts
	engine   *guest.Engine
	traces   string // directory for those of failures, "" for none
	plugins  []*plugin
	upgrades []upgrade // asked in order

	gate     *gate
	tally    tally // of what had no plugin yet
	refusals refusals

	waiting    lane.Budget  // what waits for all peers
	unfinished lane.Budget  // what has come of messages that are not complete
	sessions   atomic.Int64 // upgraded connections and those about to be
	opening    atomic.Int64 // of those, the ones about to be
	started    atomic.Bool  // New is done: plugins may be asked
	serving    atomic.Bool
	unready    atomic.Bool // the operator is to send nobody here any more
	draining   atomic.Bool

	askDrain   sync.Once
	drainAsked chan struct{}

	conns registry
}

// New takes the address and starts the plugins. A plugin that does not start
// is logged and its route answers 503; when none starts, New fails with
// [ErrNoPlugin]. Connections that come after New wait for [Host.Serve]. Where
// lanes poll those before are refused, unless the system chose the port; elsewhere
// they wait too.
//
// ctx bounds the starting only. The caller must end with [Host.Shutdown].
func New(ctx context.Context, cfg Config) (*Host, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg.withDefaults()}
	h.log = h.cfg.Log
	fill(&h.cfg.Limits.Sessions, descriptors()*8/10)
	fill(&h.cfg.Limits.Connections, descriptors()*9/10)
	h.drainAsked = make(chan struct{})
	h.waiting.Most, h.unfinished.Most = h.cfg.Limits.QueueTotal, h.cfg.Limits.MessageTotal
	h.metrics = newMetrics(h)
	h.gate = newGate(&h.cfg.Limits, h.log, &h.refusals, &h.tally)
	h.upgrades = []upgrade{webSocket{h}, ignored{}}
	var err error
	if h.traces, err = h.cfg.traceDir(); err != nil {
		return nil, err
	}
	if err = h.listen(ctx); err != nil {
		return nil, err
	}
	if h.engine, err = h.cfg.newEngine(); err != nil {
		h.unlisten()
		return nil, err
	}
	if err := h.startPlugins(ctx); err != nil {
		h.unlisten()
		h.engine.Close()
		return nil, err
	}
	h.mux = h.routes()
	if h.door, err = newDoor(h); err != nil {
		for _, p := range h.plugins {
			p.kill()
		}
		h.unlisten()
		h.engine.Close()
		return nil, err
	}
	h.server = &http.Server{
		Handler:           h.gate.hears(apart(h.mux)),
		ReadHeaderTimeout: h.cfg.Limits.HeaderTime,
		WriteTimeout:      h.cfg.Limits.MessageTime + h.cfg.Limits.Answer + h.cfg.Limits.WriteTime, // see relay
		IdleTimeout:       h.cfg.Limits.HTTPIdle,
		MaxHeaderBytes:    h.cfg.Limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		Protocols:         new(http.Protocols),
		ConnState:         h.gate.state,
		ConnContext:       withConn,
	}
	h.server.Protocols.SetHTTP1(true)
	h.started.Store(true)
	return h, nil
}

func (h *Host) startPlugins(ctx context.Context) error {
	var failed []error
	for i := range h.cfg.Plugins {
		p := newPlugin(h, &h.cfg.Plugins[i])
		h.plugins = append(h.plugins, p)
		if err := p.start(ctx); err != nil {
			h.log.Error("plugin does not start", "plugin", p.cfg.Name, "err", err)
			failed = append(failed, fmt.Errorf("plugin %s: %w", p.cfg.Name, err))
		}
	}
	if len(failed) == len(h.plugins) {
		return fmt.Errorf("%w: %w", ErrNoPlugin, errors.Join(failed...))
	}
	return nil
}

func (h *Host) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, p := range h.plugins {
		mux.Handle(p.cfg.Route, p)
	}
	if !slices.ContainsFunc(h.plugins, func(p *plugin) bool { return p.cfg.Route == "/" }) {
		mux.HandleFunc("/", h.serveNothing)
	}
	return mux
}

// serveNothing answers what is on no plugin's route.
func (h *Host) serveNothing(w http.ResponseWriter, r *http.Request) {
	if (webSocket{}).wanted(r) {
		h.refused(noRoute, r.RemoteAddr)
	}
	http.NotFound(w, r)
}

// refused counts and logs a connection that has not got to a plugin.
func (h *Host) refused(o outcome, peer string) {
	h.tally[o].Add(1)
	h.refusals.log(h.log, o, peer)
}

// Addr is the address that the listener has, with the port it was given.
func (h *Host) Addr() net.Addr { return h.listener.Addr() }

// Serve answers connections until [Host.Shutdown], then returns nil. It is to be
// called once.
func (h *Host) Serve() error {
	h.serving.Store(true)
	if err := h.server.Serve(h.public()); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// Shutdown ends everything in good order. The host is no longer ready, and goes on
// for [Limits.DrainDelay]. Then nothing new is let in, sessions are closed with
// 1001, some at a time ([Limits.DrainRate]), plain requests end within
// [Limits.CloseTime], and plugins hear of each and of their own end. What has not ended when [Limits.Drain] has passed since, or ctx is
// done, is cut, and the error is [ErrForced]. It returns when all goroutines and descriptors are gone.
func (h *Host) Shutdown(ctx context.Context) error {
	h.unready.Store(true)
	wait(ctx, h.cfg.Limits.DrainDelay)
	h.draining.Store(true)
	h.door.close()
	h.gate.close()
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Limits.Drain)
	defer cancel()
	over := h.drainTime()
	var parts sync.WaitGroup
	var forced atomic.Bool
	for _, p := range h.plugins {
		parts.Go(func() {
			if !p.stop(ctx, over) {
				forced.Store(true)
			}
		})
	}
	parts.Go(func() {
		if h.server.Shutdown(ctx) != nil {
			forced.Store(true)
			h.server.Close()
		}
	})
	parts.Wait()
	if !h.conns.wait(ctx) {
		forced.Store(true)
	}
	h.unlisten() // the listener too, for a host that never served
	h.engine.Close()
	if forced.Load() {
		return ErrForced
	}
	return nil
}

// drainTime is the time over which sessions are told to go: what the rate asks
// for, but never more than half of what there is, for the others need some too.
func (h *Host) drainTime() time.Duration {
	limits := &h.cfg.Limits
	return min(time.Duration(h.sessions.Load())*time.Second/time.Duration(limits.DrainRate), limits.Drain/2)
}

// wait returns when the time has passed or ctx is done.
func wait(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// registry knows the upgraded connections, which net/http forgets.
type registry struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	done  sync.WaitGroup
}

// run calls serve with nc on a goroutine of its own, fresh of what net/http
// needed for the handshake.
func (r *registry) run(nc net.Conn, serve func()) {
	r.mu.Lock()
	if r.conns == nil {
		r.conns = map[net.Conn]struct{}{}
	}
	r.conns[nc] = struct{}{}
	r.mu.Unlock()
	r.done.Go(func() {
		defer func() {
			nc.Close()
			r.mu.Lock()
			delete(r.conns, nc)
			r.mu.Unlock()
		}()
		serve()
	})
}

// wait returns when all connections have ended, cutting them when ctx is done;
// it reports whether none had to be.
func (r *registry) wait(ctx context.Context) bool {
	ended := make(chan struct{})
	go func() { r.done.Wait(); close(ended) }()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
	}
	r.mu.Lock()
	for nc := range r.conns {
		nc.SetDeadline(time.Unix(1, 0))
	}
	r.mu.Unlock()
	<-ended
	return false
}
