package host

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// An outcome is what became of a connection that wanted to be a session.
type outcome uint8

const (
	accepted           outcome = iota
	refusedByPlugin            // with a status of its own
	badHandshake               // 400, 405, 426, 431
	badOrigin                  // 403
	tooManySessions            // 503
	tooManyOfPlugin            // 503
	tooManyHandshakes          // 503
	tooManyConnections         // 503, or nothing at all over TLS
	tooManyOfAddress           // the same
	tooSlow                    // cut: others needed its place before it had sent a request
	badRequest                 // 400, 408, 414, 431: no request of HTTP/1.1, or none in time
	pluginDown                 // 503
	draining                   // 503
	undecided                  // 504
	clientLeft                 // before it was answered
	outcomes                   // how many there are
)

var outcomeInfo = [outcomes]struct {
	name  string // in metrics
	text  string // in the log and, where it is the host's, in the answer
	level slog.Level
}{
	accepted:           {name: "accepted"},
	refusedByPlugin:    {"plugin", "refused by the plugin", slog.LevelDebug},
	badHandshake:       {"handshake", "not a handshake of RFC 6455", slog.LevelInfo},
	badOrigin:          {"origin", "this origin may not open sessions here", slog.LevelInfo},
	tooManySessions:    {"sessions", "too many sessions", slog.LevelWarn},
	tooManyOfPlugin:    {"quota", "too many sessions of this plugin", slog.LevelWarn},
	tooManyHandshakes:  {"handshakes", "too many handshakes at once", slog.LevelWarn},
	tooManyConnections: {"connections", "too many connections", slog.LevelWarn},
	tooManyOfAddress:   {"address", "too many connections from this address", slog.LevelInfo},
	tooSlow:            {"slow", "too slow with its request, others wait", slog.LevelInfo},
	badRequest:         {"request", "not a request of HTTP/1.1", slog.LevelDebug},
	pluginDown:         {"down", "the plugin is not running", slog.LevelWarn},
	draining:           {"draining", "the server is going away", slog.LevelDebug},
	undecided:          {"undecided", "the plugin did not answer in time", slog.LevelWarn},
	clientLeft:         {"gone", "the client left before it was answered", slog.LevelDebug},
}

// atGate says whether it is one of connections that have no plugin yet.
func (o outcome) atGate() bool {
	return o == tooManyConnections || o == tooManyOfAddress || o == tooSlow || o == badRequest
}

func (o outcome) String() string { return outcomeInfo[o].name }

// text is what a client and an operator read.
func (o outcome) text() string { return outcomeInfo[o].text }

// tally counts outcomes. Safe for concurrent use.
type tally [outcomes]atomic.Uint64

// refusals logs a sample of the outcomes that are none to be proud of: a line a
// second of each kind, with the number of those left out.
type refusals [outcomes]struct {
	next    atomic.Int64 // on the wall clock
	skipped atomic.Int64
}

const refusalPause = time.Second

func (r *refusals) log(log *slog.Logger, o outcome, peer string) {
	s, now := &r[o], time.Now().UnixNano()
	next := s.next.Load()
	if now < next || !s.next.CompareAndSwap(next, now+int64(refusalPause)) {
		s.skipped.Add(1)
		return
	}
	info := &outcomeInfo[o]
	log.Log(context.Background(), info.level, "connection refused: "+info.text, "refusal", info.name, "peer", peer, "skipped", s.skipped.Swap(0))
}

// came counts what became of a connection to a plugin and logs refusals.
func (p *plugin) came(o outcome, peer string) {
	p.outcomes[o].Add(1)
	if o != accepted {
		p.host.refusals.log(p.log, o, peer)
	}
}
