package lane

import (
	"log/slog"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Guest is one running instance of a plugin. [guest.Instance] is one.
// Its memory belongs to the lane between calls of Turn.
type Guest interface {
	Events() []byte         // the event ring; its place never changes
	Commands() []byte       // the command ring; its place never changes
	Area() ([]byte, uint32) // the receive area and its address in guest memory
	Memory() []byte         // all of the guest's memory, as large as it is now
	Features() abi.Feature  // in force

	// Turn fails with a [*guest.UndoneError] if the instance is as before the
	// call, ring and area included. After any other error it is closed.
	Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
	Close() error
}

// Config is what a lane is made of. All fields are required but Log.
type Config struct {
	// Start makes a fresh instance: when the lane begins and after each trap.
	// It is called on the lane's goroutine and may take a while.
	Start func() (Guest, error)

	// Settings gives the [abi.Fields] of the start event of a guest whose peers'
	// messages have at most maxMessage bytes.
	Settings func(maxMessage int64) []byte

	// Revive lets sessions go on in a fresh instance when theirs is lost: it hears
	// of them by connect events with [abi.FlagSynthesised]. It costs each session
	// the memory of its connect event.
	Revive bool

	// Quotas are the guest's.
	Quotas Quotas

	// Number of this lane within its plugin, 0 to 255.
	Number int

	Limits Limits

	// Messages makes the lane deliver whole messages whether the guest asks for
	// them or not.
	Messages bool

	// RecycleAbove is how many bytes of memory an instance may have and stay when
	// it has no session left. 0 = any.
	RecycleAbove int64

	// Policy is abi.PolicyClose or abi.PolicyDrop: what becomes of frames for a
	// peer whose queue is full. Default close.
	Policy uint8

	// Deflate compresses the messages of sessions that have agreed on it, see
	// [Lane.Connect]. May be nil: then none may.
	Deflate *deflate.Pool

	// Bus carries publications to the plugin's other lanes. May be nil: then
	// topics end at this lane.
	Bus Bus

	// Poll makes the lane read and write sockets itself where the operating
	// system lets it: see [Lane.AttachSocket].
	Poll bool

	// SocketClosed is called, on the lane's goroutine, when the lane has closed a
	// socket that it was given for a session. May be nil.
	SocketClosed func(session uint64)

	// Log gets the lane's own lines. Default [slog.Default].
	Log *slog.Logger

	// Lines gets the guest's, for whoever has others than those of its commands.
	// Default: lines to Log under Quotas.
	Lines *Lines

	// Metric gets the samples of the guest's metric commands, on the lane's
	// goroutine; name is good until it returns. It says what is wrong with one, 0
	// for nothing. May be nil: they are then checked and dropped.
	Metric func(kind uint8, name []byte, sample float64) abi.Status

	// Counters are counted in. Default: new ones.
	Counters *Counters
}

// Limits bound what a peer can cost. They are required but where it says so.
type Limits struct {
	Frames      frame.Limits  // of one message
	MessageTime time.Duration // from a message's first byte to its last
	WriteTime   time.Duration // how long a peer may refuse to take any byte
	CloseTime   time.Duration // of the closing handshake, and then of the peer's half of the connection
	Answer      time.Duration // of a decision about a [Call]
	Queue       int           // bytes that may wait for one session's peer, or for the client of one request

	// What follows is off when it is zero.

	Turn time.Duration // of the calls of a turn together in which the guest takes in no event

	Waiting    *Budget // of what waits for all peers, those of other lanes included
	Unfinished *Budget // of what has come of all peers' messages that are not complete
	Bodies     int64   // bytes of plain requests whose bodies are under way

	Ping time.Duration // how long a peer may be silent before it is pinged
	Pong time.Duration // how long it may be silent after that
	Idle time.Duration // how long a session may be without data either way

	Controls Rate // of a peer's pings and pongs
	Messages Rate // of a peer's messages
	Bytes    Rate // of their payload
}

// Mark is the number of waiting bytes above which a peer is read no further,
// until it has taken some of them.
func (l *Limits) Mark() int { return l.Queue / 4 }
