package host

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// An outcome is what became of a connection that wanted to be a session, or of a
// plain request that its plugin has not answered.
type outcome uint8

const (
	accepted           outcome = iota
	refusedByPlugin            // with a status of its own
	badMethod                  // 405
	badHTTPVersion             // 400
	badConnection              // 400
	bodyOnUpgrade              // 400
	badVersion                 // 426
	badKey                     // 400
	badOrigin                  // 403
	tooManySessions            // 503
	tooManyOfPlugin            // 503
	tooManyHandshakes          // 503
	tooManyConnections         // 503, or nothing at all over TLS
	tooManyOfAddress           // the same
	tooSlow                    // cut: others needed its place before it had sent a request
	badRequest                 // 400, 408, 414, 431 and others: no request of HTTP/1.1, or none in time
	noRoute                    // 404
	pluginDown                 // 503
	draining                   // 503
	undecided                  // 504
	clientLeft                 // before it was answered
	badBody                    // 400
	slowBody                   // 408
	largeBody                  // 413
	largeHead                  // 431
	tooManyBodies              // 503
	answerFailed               // 500, or cut if part of the answer has gone out
	answerBehind               // cut: it comes faster than the client takes it
	answerStuck                // cut: the client takes nothing
	outcomes                   // how many there are
)

var outcomeInfo = [outcomes]struct {
	name  string // in metrics
	text  string // in the log and, where it is the host's, in the answer
	level slog.Level
	of    scope
}{
	accepted:           {name: "accepted", of: ofUpgrade},
	refusedByPlugin:    {"plugin", "refused by the plugin", slog.LevelDebug, ofUpgrade},
	badMethod:          {"method", "nobody answers this method", slog.LevelInfo, either},
	badHTTPVersion:     {"http_version", "the handshake is not of HTTP/1.1", slog.LevelInfo, ofUpgrade},
	badConnection:      {"connection", "the handshake's Connection header lacks Upgrade", slog.LevelInfo, ofUpgrade},
	bodyOnUpgrade:      {"upgrade_body", "the handshake has a body", slog.LevelInfo, ofUpgrade},
	badVersion:         {"version", "the handshake is not of version 13", slog.LevelInfo, ofUpgrade},
	badKey:             {"key", "the handshake's Sec-WebSocket-Key is not one of 16 bytes", slog.LevelInfo, ofUpgrade},
	badOrigin:          {"origin", "this origin may not open sessions here", slog.LevelInfo, ofUpgrade},
	tooManySessions:    {"sessions", "too many sessions", slog.LevelWarn, ofUpgrade},
	tooManyOfPlugin:    {"quota", "too many sessions of this plugin", slog.LevelWarn, ofUpgrade},
	tooManyHandshakes:  {"handshakes", "too many handshakes at once", slog.LevelWarn, ofUpgrade},
	tooManyConnections: {"connections", "too many connections", slog.LevelWarn, atGate},
	tooManyOfAddress:   {"address", "too many connections from this address", slog.LevelInfo, atGate},
	tooSlow:            {"slow", "too slow with its request, others wait", slog.LevelInfo, atGate},
	badRequest:         {"request", "not a request of HTTP/1.1", slog.LevelDebug, atGate},
	noRoute:            {"route", "no plugin has this path", slog.LevelInfo, atGate},
	pluginDown:         {"down", "the plugin is not running", slog.LevelWarn, either},
	draining:           {"draining", "the server is going away", slog.LevelDebug, either},
	undecided:          {"undecided", "the plugin did not answer in time", slog.LevelWarn, either},
	clientLeft:         {"gone", "the client left before it was answered", slog.LevelDebug, either},
	badBody:            {"body", "the body could not be read", slog.LevelDebug, ofRequest},
	slowBody:           {"body_time", "the body took too long", slog.LevelInfo, ofRequest},
	largeBody:          {"body_size", "the body is larger than the server takes", slog.LevelInfo, ofRequest},
	largeHead:          {"headers", errFields.reason, slog.LevelInfo, either},
	tooManyBodies:      {"bodies", "too many request bodies at once", slog.LevelWarn, ofRequest},
	answerFailed:       {"failed", "the plugin failed", slog.LevelWarn, ofRequest},
	answerBehind:       {"queue", "the answer comes faster than the client takes it", slog.LevelInfo, ofRequest},
	answerStuck:        {"write_time", "the client takes nothing of its answer", slog.LevelInfo, ofRequest},
}

// A scope is what outcomes are of.
type scope uint8

const (
	atGate    scope = 1 << iota // connections that have no plugin yet
	ofUpgrade                   // requests to upgrade
	ofRequest                   // others
	either    = ofUpgrade | ofRequest
)

// is says whether it is an outcome of those.
func (o outcome) is(of scope) bool { return outcomeInfo[o].of&of != 0 }

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
	r.logAs("connection refused: ", log, o, peer)
}

func (r *refusals) logAs(what string, log *slog.Logger, o outcome, peer string) {
	s, now := &r[o], time.Now().UnixNano()
	next := s.next.Load()
	if now < next || !s.next.CompareAndSwap(next, now+int64(refusalPause)) {
		s.skipped.Add(1)
		return
	}
	info := &outcomeInfo[o]
	log.Log(context.Background(), info.level, what+info.text, "refusal", info.name, "peer", peer, "skipped", s.skipped.Swap(0))
}

// came counts what became of a connection to a plugin and logs refusals.
func (p *plugin) came(o outcome, peer string) {
	p.outcomes[o].Add(1)
	if o != accepted {
		p.host.refusals.log(p.log, o, peer)
	}
}

// failed counts a plain request that its plugin has not answered, and logs it.
func (p *plugin) failed(o outcome, r *http.Request) {
	p.unanswered[o].Add(1)
	p.host.refusals.logAs("request not answered: ", p.log, o, r.RemoteAddr)
}
