package host

import (
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// Metrics are the host's, and those of the process, for a listener of the
// embedding program's. [Config.Admin] serves the same at /metrics.
func (h *Host) Metrics() prometheus.Gatherer { return h.metrics }

func newMetrics(h *Host) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{h})
	return r
}

// metricsHandler answers what can be answered: two plugins that give one name
// two types must not hide everything else.
func (h *Host) metricsHandler() http.Handler {
	return promhttp.HandlerFor(h.metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// collector reads the counters there are; it has none of its own, so that
// nothing is counted twice and nothing on the way of a message knows of it.
// Labels are plugins, and names from fixed lists: nothing that peers choose.
type collector struct{ host *Host }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("yimmo_"+name, help, labels, nil)
}

var (
	buildInfo   = desc("build_info", "Version of the host. Always 1.", "version", "go")
	connections = desc("connections", "TCP connections of the public listener, sessions included.")
	turnedAway  = desc("connections_refused_total", "Connections turned away or cut before any plugin had to do with them.", "reason")
	unfinished  = desc("unfinished_message_bytes", "What is kept of messages that are not complete, beyond 4 KiB for each TLS connection.")
	certExpiry  = desc("tls_certificate_expiry_timestamp_seconds", "When the certificate in use ends.")

	wsSessions  = desc("ws_connections", "Sessions there are.", "plugin")
	wsOutcomes  = desc("ws_connections_total", "What became of upgrade requests.", "plugin", "result")
	wsMessages  = desc("ws_messages_total", "Messages, each receiver of a publication counted.", "plugin", "direction", "opcode")
	wsBytes     = desc("ws_bytes_total", "Payload of data frames, before it is compressed.", "plugin", "direction")
	wsMissed    = desc("ws_missed_messages_total", "Messages that a session did not get, or the plugin itself, because it, or its lane for all its sessions, did not keep up.", "plugin")
	wsPacked    = desc("ws_compressed_bytes_total", "Payload of compressed messages: plain, and as it is on the wire.", "plugin", "direction", "form")
	wsControl   = desc("ws_control_frames_total", "Pings and pongs received.", "plugin", "opcode")
	wsCloses    = desc("ws_closes_total", "Ended sessions by the code their plugin heard; 3000 and 4000 stand for their thousand.", "plugin", "code")
	wsFaults    = desc("ws_faults_total", "Sessions ended by the host for what their peer did.", "plugin", "fault")
	wsQueue     = desc("ws_send_queue_bytes", "Bytes that wait for peers.", "plugin")
	httpPending = desc("http_requests", "Plain requests under way.", "plugin")
	httpTotal   = desc("http_requests_total", "Plain requests.", "plugin")
	httpFailed  = desc("http_requests_failed_total", "Plain requests that the plugin did not answer to their end.", "plugin", "reason")

	pluginInfo      = desc("plugin_info", "Version and route of a plugin. Always 1.", "plugin", "version", "route")
	pluginInstances = desc("plugin_instances", "Lanes by whether their instance runs.", "plugin", "state")
	pluginMemory    = desc("plugin_memory_bytes", "Linear memory of all instances.", "plugin")
	pluginTurns     = desc("plugin_turn_seconds", "Time of a turn, its commands included.", "plugin")
	pluginTraps     = desc("plugin_traps_total", "Events that were dropped because the plugin failed at them, and instances lost.", "plugin", "kind")
	pluginUndone    = desc("plugin_undone_calls_total", "Calls that failed and were undone; each dropped event has one or two.", "plugin")
	pluginUndoTime  = desc("plugin_undo_seconds_total", "Time that undoing took.", "plugin")
	pluginRestarts  = desc("plugin_restarts_total", "Instances started in place of one that was lost.", "plugin")
	pluginDiverged  = desc("plugin_diverged_total", "Instances lost because they did not repeat what they had done.", "plugin")
	pluginQuota     = desc("plugin_quota_exceeded_total", "What was above a quota.", "plugin", "quota")
	pluginSaves     = desc("plugin_checkpoints_total", "Checkpoints made.", "plugin")
	pluginSaveTime  = desc("plugin_checkpoint_seconds_total", "Time that checkpoints took.", "plugin")
	pluginJournal   = desc("plugin_journal_bytes", "Memory of the journals.", "plugin")
	pluginRecycled  = desc("plugin_recycled_total", "Instances ended because their memory had passed recycle_above.", "plugin")
	pluginOverruns  = desc("plugin_overruns_total", "Calls that were stopped because they took or did too much, by the function they were in.", "plugin", "kind", "function")
	pluginRefused   = desc("plugin_refused_commands_total", "Commands refused.", "plugin", "status")
)

// Describe implements [prometheus.Collector]. It names nothing, because plugins
// make up metrics at any time.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (c collector) Collect(to chan<- prometheus.Metric) {
	h, s := c.host, samples{to: to}
	s.gauge(buildInfo, 1, version(), runtime.Version())
	if !h.started.Load() {
		return
	}
	s.gauge(connections, float64(h.gate.connections()))
	s.gauge(unfinished, float64(h.unfinished.Used()))
	for o := range h.tally {
		if o := outcome(o); o.is(atGate) {
			s.counter(turnedAway, h.tally[o].Load(), o.String())
		}
	}
	if h.cert != nil {
		s.gauge(certExpiry, float64(h.cert.expiry().Unix()))
	}
	for _, p := range h.plugins {
		s.plugin(p)
	}
}

// samples sends samples; those of a plugin have its name as their first label.
type samples struct{ to chan<- prometheus.Metric }

func (s samples) gauge(d *prometheus.Desc, v float64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (s samples) counter(d *prometheus.Desc, v uint64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
}

func (s samples) plugin(p *plugin) {
	name, n := p.cfg.Name, p.sum()
	s.gauge(pluginInfo, 1, name, p.version(), p.cfg.Route)
	s.gauge(wsSessions, float64(n.sessions), name)
	for o := range p.outcomes {
		if o := outcome(o); o.is(ofUpgrade) {
			s.counter(wsOutcomes, p.outcomes[o].Load(), name, o.String())
		}
		if o := outcome(o); o.is(ofRequest) {
			s.counter(httpFailed, p.unanswered[o].Load(), name, o.String())
		}
	}
	for i, opcode := range []string{"text", "binary"} {
		s.counter(wsMessages, n.received.messages[i], name, "in", opcode)
		s.counter(wsMessages, n.sent.messages[i], name, "out", opcode)
	}
	s.counter(wsBytes, n.received.bytes, name, "in")
	s.counter(wsBytes, n.sent.bytes, name, "out")
	s.counter(wsMissed, n.missed, name)
	if p.deflate != nil {
		s.counter(wsPacked, n.inflated.plain, name, "in", "plain")
		s.counter(wsPacked, n.inflated.wire, name, "in", "wire")
		s.counter(wsPacked, n.deflated.plain, name, "out", "plain")
		s.counter(wsPacked, n.deflated.wire, name, "out", "wire")
	}
	s.counter(wsControl, n.pings, name, "ping")
	s.counter(wsControl, n.pongs, name, "pong")
	s.gauge(wsQueue, float64(n.queued), name)
	s.gauge(httpPending, float64(n.requests), name)
	s.counter(httpTotal, p.requests.Load(), name)
	for i, count := range n.closes {
		if code := lane.CloseCode(i); count > 0 || code == abi.CloseNormal {
			s.counter(wsCloses, count, name, strconv.Itoa(code))
		}
	}
	for f, count := range n.faults {
		s.counter(wsFaults, count, name, lane.Fault(f).String())
	}
	s.gauge(pluginInstances, float64(n.up), name, "running")
	s.gauge(pluginInstances, float64(p.cfg.Lanes-n.up), name, "down")
	s.gauge(pluginMemory, float64(n.memory), name)
	for kind, count := range n.traps {
		if kind > 0 {
			s.counter(pluginTraps, count, name, guest.Kind(kind).String())
		}
	}
	s.counter(pluginUndone, n.undone, name)
	s.counter(pluginRestarts, n.restarts, name)
	s.recovery(p)
	s.counter(pluginRecycled, n.recycled, name)
	for q, count := range n.quota {
		s.counter(pluginQuota, count, name, lane.Quota(q).String())
	}
	p.overruns.each(func(o overrun, count uint64) { s.counter(pluginOverruns, count, name, o.kind.String(), o.function) })
	for status, count := range n.refused {
		if status > 0 {
			s.counter(pluginRefused, count, name, abi.Status(status).String())
		}
	}
	s.turns(name, &n)
	for number, m := range p.laneMetrics {
		for _, one := range *m.all.Load() {
			s.guest(name, strconv.Itoa(number), one)
		}
	}
}

// recovery sends what rolling back cost, whether it was ever needed or not.
func (s samples) recovery(p *plugin) {
	var saves, diverged uint64
	var saveTime, undoTime, journal int64
	for _, r := range p.recovery {
		saves += r.Checkpoints.Load()
		saveTime += r.CheckpointTime.Load()
		undoTime += r.UndoTime.Load()
		diverged += r.Diverged.Load()
		journal += r.Journal.Load()
	}
	s.counter(pluginSaves, saves, p.cfg.Name)
	s.counter(pluginDiverged, diverged, p.cfg.Name)
	s.seconds(pluginSaveTime, saveTime, p.cfg.Name)
	s.seconds(pluginUndoTime, undoTime, p.cfg.Name)
	s.gauge(pluginJournal, float64(journal), p.cfg.Name)
}

// seconds sends a counter of nanoseconds.
func (s samples) seconds(d *prometheus.Desc, ns int64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, time.Duration(ns).Seconds(), labels...)
}

func (s samples) turns(name string, n *counts) {
	buckets, total := map[float64]uint64{}, uint64(0)
	for i, count := range n.turns[:len(n.turns)-1] {
		total += count
		buckets[lane.Bound(i).Seconds()] = total
	}
	total += n.turns[len(n.turns)-1]
	s.to <- prometheus.MustNewConstHistogram(pluginTurns, total, n.turnTime.Seconds(), buckets, name)
}

// guest sends a metric that the plugin has made up. Lanes have series of their
// own: of a gauge only the reader knows whether the sum means anything.
func (s samples) guest(name, number string, m *series) {
	full := "guest_" + m.name
	if m.kind == abi.MetricCounter && !strings.HasSuffix(full, "_total") {
		full += "_total"
	}
	d := desc(full, "Made up by a plugin.", "plugin", "lane")
	v := math.Float64frombits(m.value.Load())
	switch m.kind {
	case abi.MetricCounter:
		s.to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, name, number)
	case abi.MetricGauge:
		s.gauge(d, v, name, number)
	case abi.MetricHistogram:
		buckets, total := map[float64]uint64{}, uint64(0)
		for i, bound := range sampleBounds {
			total += m.count[i].Load()
			buckets[bound] = total
		}
		total += m.count[len(sampleBounds)].Load()
		s.to <- prometheus.MustNewConstHistogram(d, total, v, buckets, name, number)
	}
}

// version is that of the module this host was built from, "(devel)" from a
// working copy.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// load reads each counter of a table into the sum at its place.
func load(sum []uint64, table []atomic.Uint64) {
	for i := range table {
		sum[i] += table[i].Load()
	}
}
