package trace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// RecordOptions say how a plugin is recorded.
type RecordOptions struct {
	// Dir gets the files. It is made with mode 0700, the files have 0600: they hold
	// what people sent.
	Dir string

	// Ring is about how many bytes of records are kept for each lane: the oldest
	// quarter is removed when that is full. Each of the four files begins with the
	// state of the instance, which comes on top. 0 keeps everything, in a file for
	// each instance.
	Ring int64

	// Redact wipes payloads, see FORMAT.md. It excludes a ring, for a state has
	// everything.
	Redact bool

	// DigestsOnly leaves commands out, but for a digest of each call's.
	DigestsOnly bool

	// Buffer is how many bytes may wait for the disk. Beyond it calls are left out
	// and the trace says so. Default [DefaultBuffer].
	Buffer int

	// Log hears of gaps and of a disk that fails. Default [slog.Default].
	Log *slog.Logger
}

// Suffixes of file names: PLUGIN.LANE.TIME and one of these.
const (
	Suffix     = ".trace"
	RingSuffix = ".ring.trace"
)

// segments is of how many files a ring is made.
const segments = 4

// ErrRedactedRing reports options that exclude each other.
var ErrRedactedRing = errors.New("a ring cannot be redacted: its files begin with the plugin's memory")

// Recordings are the files of one plugin. Safe for concurrent use.
type Recordings struct {
	o       RecordOptions
	create  func(name string) (io.WriteCloser, error)
	writers sync.WaitGroup
}

// NewRecordings makes the directory.
func NewRecordings(o RecordOptions) (*Recordings, error) {
	if o.Redact && o.Ring > 0 {
		return nil, ErrRedactedRing
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if o.Buffer == 0 {
		o.Buffer = DefaultBuffer
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Recordings{o: o, create: create}, nil
}

func create(name string) (io.WriteCloser, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// Record returns a guest that does as g does and records it. h says whose trace it
// is and what g was started with; what g chose and how it is recorded are filled
// in. Nothing of it waits for the disk.
func (r *Recordings) Record(g Guest, h Header) *Recorder {
	h.Time = time.Now()
	h.DigestsOnly, h.Redacted, h.Continuation = r.o.DigestsOnly, r.o.Redact, false
	h.Chosen(g)
	rec := newRecorder(g, h, newQueue(r.o.Buffer), r.o.Ring/segments, r.o.Log)
	w := &fileWriter{Recordings: r, queue: rec.queue, log: rec.log}
	r.writers.Go(w.run)
	return rec
}

// Close waits until all that was recorded is on disk, for ten seconds at most.
// Every guest that [Recordings.Record] returned must have been closed.
func (r *Recordings) Close() error {
	done := make(chan struct{})
	go func() { r.writers.Wait(); close(done) }()
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	select {
	case <-done:
		return nil
	case <-late.C:
		return fmt.Errorf("traces in %s: the disk takes too long, their ends are lost", r.o.Dir)
	}
}

// A fileWriter is the goroutine that writes what one recorder has.
type fileWriter struct {
	*Recordings
	queue  *queue
	log    *slog.Logger
	file   io.WriteCloser
	name   string
	pack   *packer
	buf    []byte
	failed bool
}

func (w *fileWriter) run() {
	defer func() { w.fail(w.shut()) }()
	var items []item
	for ok := true; ok; {
		items, ok = w.queue.take(items)
		for i := range items {
			if err := w.write(&items[i]); err != nil {
				w.fail(err)
			}
		}
	}
}

// fail ends the recording. The lane goes on and does not notice.
func (w *fileWriter) fail(err error) {
	if err == nil || w.failed {
		return
	}
	w.failed = true
	w.log.Error("recording stops", "file", w.name, "err", err)
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
}

func (w *fileWriter) write(i *item) error {
	switch {
	case i.state != nil:
		defer w.queue.giveBack(i.state)
		if w.failed {
			return nil
		}
		if w.pack == nil {
			w.pack = newPacker()
		}
		w.buf = w.pack.appendCheckpoint(w.buf[:0], i.state)
		return w.put(w.buf)
	case w.failed:
		return nil
	case i.next != nil:
		return errors.Join(w.shut(), w.open(i.next))
	}
	return w.put(i.data)
}

func (w *fileWriter) put(b []byte) error {
	_, err := w.file.Write(b)
	return err
}

func (w *fileWriter) shut() error {
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	return f.Close()
}

// open begins another file, and takes the oldest out of a ring that is full.
func (w *fileWriter) open(h *Header) (err error) {
	suffix := Suffix
	if w.o.Ring > 0 {
		suffix = RingSuffix
	}
	stem := filepath.Join(w.o.Dir, fmt.Sprintf("%s.%d.", h.Plugin, h.Lane))
	at := h.Time
	for {
		w.name = stem + at.UTC().Format("20060102T150405.000000000Z") + suffix
		w.file, err = w.create(w.name)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		at = at.Add(1) // a clock that stands still
	}
	if err != nil {
		return err
	}
	w.log.Info("recording", "file", w.name)
	if err := w.put(AppendHeader(AppendPreamble(nil), h)); err != nil || w.o.Ring == 0 {
		return err
	}
	names, _ := filepath.Glob(stem + "*" + RingSuffix) // a plugin's name has nothing to escape
	if len(names) <= segments {
		return nil
	}
	slices.Sort(names)
	for _, name := range names[:len(names)-segments] {
		err = errors.Join(err, os.Remove(name))
	}
	return errors.Join(err, PruneModules(w.o.Dir))
}

var _ Instance = (*guest.Instance)(nil)
