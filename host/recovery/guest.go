package recovery

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// An Instance is what can be put back. [guest.Instance] is one.
type Instance interface {
	Events() []byte
	Commands() []byte
	Area() ([]byte, uint32)
	Memory() []byte
	Features() abi.Feature
	Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
	Again(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
	Save(*guest.Checkpoint) error
	Load(*guest.Checkpoint) error
	Close() error
}

// What a zero field of [Options] means.
const (
	DefaultEvents = 4096
	DefaultBytes  = 16 << 20
	DefaultTime   = 100 * time.Millisecond
)

// Options bound how much there is to repeat after a failure. A zero field means
// the default.
type Options struct {
	// Events is how many events the journal holds before a checkpoint is due.
	// Repeating one takes about 0.1 µs and what the guest does with it. Default
	// [DefaultEvents].
	Events int

	// Bytes is the same for the bytes of the journal, which is the memory it
	// costs. Default [DefaultBytes].
	Bytes int

	// Time is the same for the time since the last checkpoint, which bounds how
	// long a guest that computes much has to do so again. Default [DefaultTime].
	Time time.Duration

	// Wanted says whether a failure is to be told of, Failed is told: of a call with
	// one event, or of one that was asked for the rest of what it led to. What it is
	// given is good until it returns; it is called in the middle of all that waits for
	// the guest. They may be nil.
	Wanted func() bool
	Failed func(*Failure)

	Log   *slog.Logger // default [slog.Default]
	Stats *Stats       // default: new ones
}

// A Failure is all that it takes to see a failed call again: a state of the
// guest and the calls from there on, the last of which is the one that failed.
type Failure struct {
	From  *guest.Checkpoint
	Calls []*trace.Call
	Err   error
}

// Stats count what recovery did and cost. Anyone may read them at any time.
type Stats struct {
	Checkpoints    atomic.Uint64
	CheckpointTime atomic.Int64 // nanoseconds
	Undone         atomic.Uint64
	UndoTime       atomic.Int64  // nanoseconds
	Diverged       atomic.Uint64 // instances given up because they did
	Journal        atomic.Int64  // bytes
}

// costShare is the part of the time that checkpoints may take, as its inverse:
// 3 %. While they would take more, the journal grows to slack times as many
// events. Bytes are a bound that holds in any case.
const (
	costShare = 32
	slack     = 16
)

// memoryStrikes is how often in a row a guest may run out of memory, each event
// that does it counting twice, before it
// is no longer put back to where it has none left.
const memoryStrikes = 6

// A Guest is an instance that can fail without being lost. It has one owner, the
// lane. All methods but Turn, Undo and Close are the instance's own.
type Guest struct {
	Instance
	options Options
	stats   *Stats
	log     *slog.Logger

	saved   guest.Checkpoint
	at      time.Duration // when it was saved, on the clock of the headers
	cost    time.Duration // what that took
	journal journal
	turn    time.Duration // which of the lane's the last call was of: the clock of its header
	until   int           // end of the events of a call that failed, while they are given one by one
	more    bool          // the guest said so last
	strikes int
	aside   []byte // ring and area, while the journal is repeated
}

// New takes over an instance and makes the first checkpoint. It fails with
// [guest.ErrUnsaved] if there can be none; the instance is the caller's then.
func New(in Instance, o Options) (*Guest, error) {
	if o.Events == 0 {
		o.Events = DefaultEvents
	}
	if o.Bytes == 0 {
		o.Bytes = DefaultBytes
	}
	if o.Time == 0 {
		o.Time = DefaultTime
	}
	g := &Guest{Instance: in, options: o, stats: o.Stats, log: o.Log}
	if g.stats == nil {
		g.stats = &Stats{}
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	if err := g.checkpoint(0); err != nil {
		return nil, err
	}
	return g, nil
}

// Turn is [guest.Instance.Turn], except that a failure is undone if it can be:
// the error is then a [*guest.UndoneError] and the call may be made again, with
// other events. Ring and receive area are as they were before the call, or before
// the first of the calls that are undone with it.
func (g *Guest) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	if g.due(time.Duration(h.Mono)) {
		if err := g.checkpoint(time.Duration(h.Mono)); err != nil {
			return 0, 0, false, fmt.Errorf("checkpoint: %w", err)
		}
	}
	if now := time.Duration(h.Mono); now != g.turn {
		g.turn, g.until = now, 0 // another turn of the lane
	}
	g.journal.add(first, n, max(n, g.until), g.more, h, g.Instance)
	commands, consumed, more, err = g.Instance.Turn(first, n, h)
	if err != nil {
		return 0, 0, false, g.undo(err, true)
	}
	c := g.journal.last()
	c.Commands, c.Consumed, c.More, g.more = commands, consumed, more, more
	c.Digest = digest(g.Instance, commands)
	return commands, consumed, more, nil
}

// Undo makes the last call, which returned, one that failed with err. It returns
// what Turn would have.
func (g *Guest) Undo(err error) error {
	if len(g.journal.calls) == 0 {
		return err
	}
	return g.undo(err, false)
}

// due says whether it is time for a checkpoint. It is not while the guest has more
// to say: what it took in for that may have to be undone.
func (g *Guest) due(now time.Duration) bool {
	j, o := &g.journal, &g.options
	switch {
	case len(j.calls) == 0:
		return false
	case len(j.data) >= o.Bytes:
		return true
	case j.last().More:
		return false
	case j.events >= slack*o.Events:
		return true
	}
	if now-g.at < costShare*g.cost {
		return false
	}
	return j.events >= o.Events || now-g.at >= o.Time || len(g.Memory()) != len(g.saved.Memory)
}

// checkpoint saves the instance; the journal begins anew.
func (g *Guest) checkpoint(now time.Duration) error {
	start := time.Now()
	if err := g.Save(&g.saved); err != nil {
		return err
	}
	g.journal.reset()
	g.at, g.cost = now, time.Since(start)
	g.stats.Checkpoints.Add(1)
	g.stats.CheckpointTime.Add(int64(g.cost))
	g.stats.Journal.Store(int64(cap(g.journal.data)))
	return nil
}

// undo puts the instance back to before its last call, which failed with err, and
// if that was asked for more, to before the calls that had it. It returns err itself
// if that cannot be; ring and area then still have what the call was given. tell
// says whether it is a failure that the guest shows by itself.
func (g *Guest) undo(err error, tell bool) error {
	start := time.Now()
	calls := g.journal.calls
	last, origin := len(calls)-1, g.journal.origin()
	failed, first := calls[last], calls[origin]
	var f *Failure
	if tell && failed.N-first.First <= 1 && g.options.Failed != nil && g.options.Wanted() {
		f = &Failure{From: &g.saved, Err: err}
	}
	if g.exhausted(err) {
		return err
	}
	g.keepAside()
	why := error(nil)
	if f != nil {
		if why = g.rewind(last, f); why == nil {
			g.putBack()
			g.journal.give(&failed, g.Instance)
			g.tell(f, &failed)
		}
	}
	if why == nil && (f == nil || origin < last) {
		why = g.rewind(origin, nil)
	}
	g.putBack() // whoever takes over has to know what was not heard
	g.journal.give(&first, g.Instance)
	if why != nil {
		g.log.Error("plugin cannot be put back to before it failed", "err", why)
		if errors.Is(why, errDiverged) {
			g.stats.Diverged.Add(1)
		}
		return err
	}
	// Whoever made it fail may do so again: there is then nothing to repeat.
	if why := g.checkpoint(time.Duration(failed.Header.Mono)); why != nil {
		return err
	}
	g.until = first.kept
	g.stats.Undone.Add(1)
	g.stats.UndoTime.Add(int64(time.Since(start)))
	g.more = first.more
	return &guest.UndoneError{Err: err, Back: failed.First - first.First, More: g.more}
}

// tell adds the call that failed to a failure and hands it over.
func (g *Guest) tell(f *Failure, failed *Call) {
	last := trace.Take(g.Instance, failed.First, failed.N, failed.Header)
	last.Failed(g.Instance, f.Err)
	f.Calls = append(f.Calls, last)
	g.options.Failed(f)
}

// exhausted says whether a guest runs out of memory again and again: putting it
// back does not give it any.
func (g *Guest) exhausted(err error) bool {
	trap := (*guest.TrapError)(nil)
	if errors.As(err, &trap) && trap.Kind == guest.KindMemory {
		g.strikes++
	} else {
		g.strikes = 0
	}
	return g.strikes >= memoryStrikes
}

var errDiverged = errors.New("it answers the same events differently the second time: its state cannot be relied upon")

// rewind loads the checkpoint and repeats the first n calls of the journal. They
// are noted in f, unless that is nil.
func (g *Guest) rewind(n int, f *Failure) error {
	if err := g.Load(&g.saved); err != nil {
		return err
	}
	calls := g.journal.calls[:n]
	for i := range calls {
		c := &calls[i]
		g.journal.give(c, g.Instance)
		if f != nil {
			f.Calls = append(f.Calls, trace.Take(g.Instance, c.First, c.N, c.Header))
		}
		commands, consumed, more, err := g.Again(c.First, c.N, c.Header)
		if err != nil {
			return fmt.Errorf("call %d of %d since the checkpoint: %w", i+1, len(calls), err)
		}
		if commands != c.Commands || consumed != c.Consumed || more != c.More || digest(g.Instance, commands) != c.Digest {
			return fmt.Errorf("call %d of %d since the checkpoint, turn %d: %w", i+1, len(calls), c.Header.Turn, errDiverged)
		}
		if f != nil {
			f.Calls[i].Answered(g.Instance, commands, consumed, more)
		}
	}
	return nil
}

// keepAside saves what lies in ring and area: more than the events of this call,
// and the host goes on with it.
func (g *Guest) keepAside() {
	area, _ := g.Area()
	g.aside = append(append(g.aside[:0], g.Events()...), area...)
}

func (g *Guest) putBack() {
	area, _ := g.Area()
	rest := g.aside[copy(g.Events(), g.aside):]
	copy(area, rest)
}
