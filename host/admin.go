package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"time"
)

// Admin is the operator's listener: health, metrics, what runs, drain. It has no
// password: keep it to an address that only operators reach.
//
//	GET  /livez     200 as long as the process answers
//	GET  /readyz    200 when sessions are let in, else 503 and why; /healthz is the same
//	GET  /metrics   for Prometheus
//	GET  /plugins   what each plugin is and has, JSON
//	GET  /sessions  how many there are, JSON
//	POST /plugins/NAME/reset  starts a plugin again that has failed too often; 409 if it never started
//	POST /drain     as SIGTERM
//	GET  /debug/pprof/...
type Admin struct {
	// Listen is its TCP address. Default "": there is none. On a loopback address
	// only requests to an IP address or to localhost are answered, so that no web
	// page can reach it through a name of its own.
	Listen string

	// Pprof adds Go's profiles. Default off: they show what is in memory and cost
	// time.
	Pprof bool
}

// AdminAddr is the address of the admin listener, nil if there is none.
func (h *Host) AdminAddr() net.Addr {
	if h.admin == nil {
		return nil
	}
	return h.admin.listener.Addr()
}

// DrainRequested is closed when an operator has asked for the end of the host
// through the admin listener. Who serves the host is to call [Host.Shutdown].
func (h *Host) DrainRequested() <-chan struct{} { return h.drainAsked }

// admin is the listener and its server, which answers from the start of the
// host to the end of its shutdown.
type admin struct {
	listener net.Listener
	server   *http.Server
	served   chan struct{}
}

func (h *Host) listenAdmin(ctx context.Context) (*admin, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", h.cfg.Admin.Listen)
	if err != nil {
		return nil, fmt.Errorf("admin.listen: %w", err)
	}
	a := &admin{listener: l, served: make(chan struct{})}
	a.server = &http.Server{
		Handler:           local(l.Addr(), http.NewCrossOriginProtection().Handler(h.adminRoutes())),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		Protocols:         new(http.Protocols),
	}
	a.server.Protocols.SetHTTP1(true)
	go func() {
		defer close(a.served)
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			h.log.Error("admin listener failed", "err", err)
		}
	}()
	h.log.Info("admin listens", "addr", l.Addr().String())
	return a, nil
}

// adminGrace is what requests under way have when the host is gone.
const adminGrace = time.Second

// close ends the listener. A nil admin has none.
func (a *admin) close() {
	if a == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		a.server.Close()
	}
	<-a.served
}

func (h *Host) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", h.serveReady)
	mux.HandleFunc("GET /healthz", h.serveReady)
	mux.Handle("GET /metrics", h.metricsHandler())
	mux.HandleFunc("GET /plugins", h.servePlugins)
	mux.HandleFunc("POST /plugins/{name}/reset", h.serveReset)
	mux.HandleFunc("GET /sessions", h.serveSessions)
	mux.HandleFunc("POST /drain", h.serveDrain)
	if h.cfg.Admin.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// local keeps web pages out that have made a name of their own point to this
// machine: a browser tells which name it went by.
func local(addr net.Addr, next http.Handler) http.Handler {
	if tcp, ok := addr.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Host
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		_, err := netip.ParseAddr(strings.Trim(name, "[]"))
		if err != nil && !strings.EqualFold(name, "localhost") {
			http.Error(w, "ask for an IP address or for localhost", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// whyUnready says why sessions are not let in, "" if they are.
func (h *Host) whyUnready() string {
	switch {
	case h.unready.Load():
		return draining.text()
	case !h.serving.Load():
		return "the server is starting"
	}
	for _, p := range h.plugins {
		if p.sum().up > 0 {
			return ""
		}
	}
	return "no plugin runs"
}

func (h *Host) serveReady(w http.ResponseWriter, _ *http.Request) {
	if why := h.whyUnready(); why != "" {
		http.Error(w, why, http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ok\n")
}

// pluginState is what /plugins says of one.
type pluginState struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Route    string `json:"route"`
	State    string `json:"state"` // running, or down if no instance runs
	Lanes    int    `json:"lanes"`
	Running  int    `json:"running"` // of them
	Sessions int64  `json:"sessions"`
	Requests int64  `json:"requests"` // plain ones under way
	Memory   int64  `json:"memory_bytes"`
	Queued   int64  `json:"send_queue_bytes"`
	In       uint64 `json:"messages_in"`
	Out      uint64 `json:"messages_out"`
	Turns    uint64 `json:"turns"`
	Traps    uint64 `json:"traps"`
	Restarts uint64 `json:"restarts"`
}

func (p *plugin) state() pluginState {
	n := p.sum()
	s := pluginState{
		Name: p.cfg.Name, Version: p.version(), Route: p.cfg.Route, State: "down",
		Lanes: p.cfg.Lanes, Running: n.up, Sessions: n.sessions, Requests: n.requests, Memory: n.memory, Queued: n.queued,
		In: total(n.received.messages[:]), Out: total(n.sent.messages[:]), Turns: total(n.turns[:]), Traps: total(n.traps[:]), Restarts: n.restarts,
	}
	if n.up > 0 {
		s.State = "running"
	}
	return s
}

func total(table []uint64) (sum uint64) {
	for _, n := range table {
		sum += n
	}
	return sum
}

func (h *Host) servePlugins(w http.ResponseWriter, _ *http.Request) {
	all := []pluginState{}
	if h.started.Load() {
		for _, p := range h.plugins {
			all = append(all, p.state())
		}
	}
	writeJSON(w, http.StatusOK, all)
}

func (h *Host) serveReset(w http.ResponseWriter, r *http.Request) {
	if h.started.Load() {
		for _, p := range h.plugins {
			if p.cfg.Name == r.PathValue("name") {
				if len(p.lanes) == 0 {
					http.Error(w, "the plugin did not start with the host, as its log says: start the host anew", http.StatusConflict)
					return
				}
				for _, l := range p.lanes {
					l.Reset()
				}
				h.log.Info("plugin reset", "plugin", p.cfg.Name, "peer", r.RemoteAddr)
				writeJSON(w, http.StatusAccepted, p.state())
				return
			}
		}
	}
	http.Error(w, "no plugin of that name: GET /plugins lists them", http.StatusNotFound)
}

func (h *Host) serveSessions(w http.ResponseWriter, _ *http.Request) {
	all := struct {
		Count   int64            `json:"count"`
		Limit   int              `json:"limit"`
		Plugins map[string]int64 `json:"plugins"`
	}{Limit: h.cfg.Limits.Sessions, Plugins: map[string]int64{}}
	if h.started.Load() {
		for _, p := range h.plugins {
			n := p.sum().sessions
			all.Plugins[p.cfg.Name] = n
			all.Count += n
		}
	}
	writeJSON(w, http.StatusOK, all)
}

func (h *Host) serveDrain(w http.ResponseWriter, r *http.Request) {
	h.askDrain.Do(func() {
		h.log.Info("drain requested", "peer", r.RemoteAddr)
		close(h.drainAsked)
	})
	writeJSON(w, http.StatusAccepted, map[string]string{"state": "draining"})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
