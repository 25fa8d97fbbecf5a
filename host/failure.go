package host

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/recovery"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

const (
	// failureSuffix ends the names of traces of failures: PLUGIN.LANE.TIME before it.
	failureSuffix = ".failure" + trace.Suffix

	// keptFailures is how many of them are kept for each plugin, the newest.
	keptFailures = 16

	// failurePause is how long after one the next is written: each has the
	// plugin's memory, and who can make a plugin fail can do so often.
	failurePause = 10 * time.Second
)

// failures writes a trace of what made a plugin fail. The lane only copies what
// it has; a goroutine does the rest. Safe for concurrent use.
type failures struct {
	dir    string // "" = none are written
	plugin string
	log    *slog.Logger
	module func() error // keeps a copy of the module beside them

	writing sync.WaitGroup
	mu      sync.Mutex
	next    time.Time
}

// wanted is [recovery.Options.Wanted].
func (f *failures) wanted() bool {
	if f.dir == "" {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if now.Before(f.next) {
		return false
	}
	f.next = now.Add(failurePause)
	return true
}

// failed is [recovery.Options.Failed] for an instance that h describes.
func (f *failures) failed(h trace.Header, r *recovery.Failure) {
	from := guest.Checkpoint{Memory: slices.Clone(r.From.Memory), Globals: slices.Clone(r.From.Globals), Mono: r.From.Mono}
	calls := r.Calls
	h.Time, h.Continuation = time.Now(), true
	f.writing.Go(func() {
		name, err := f.write(&h, &from, calls)
		if err != nil {
			f.log.Error("trace of the failure not written", "err", err)
			return
		}
		f.log.Info("trace of the failure written", "file", name)
	})
}

func (f *failures) write(h *trace.Header, from *guest.Checkpoint, calls []*trace.Call) (name string, err error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return "", err
	}
	if err := f.module(); err != nil {
		return "", err
	}
	stem := fmt.Sprintf("%s.%d.%s", f.plugin, h.Lane, h.Time.UTC().Format("20060102T150405.000000000Z"))
	name = filepath.Join(f.dir, stem+failureSuffix)
	part, err := os.CreateTemp(f.dir, stem+".part-*")
	if err != nil {
		return "", err
	}
	if err = errors.Join(writeFailure(part, h, from, calls), part.Close()); err == nil {
		err = os.Rename(part.Name(), name)
	}
	if err != nil {
		os.Remove(part.Name())
		return "", err
	}
	return name, f.prune()
}

func writeFailure(file *os.File, h *trace.Header, from *guest.Checkpoint, calls []*trace.Call) error {
	b := bufio.NewWriter(file)
	w, err := trace.NewWriter(b, h)
	if err == nil {
		err = w.Checkpoint(from)
	}
	for _, c := range calls {
		if err == nil {
			err = w.Call(c)
		}
	}
	if err == nil {
		err = w.End(trace.EndTrap)
	}
	return errors.Join(err, b.Flush())
}

// prune removes all but the newest, and modules that are in no other. Names sort by
// lane and then by time.
func (f *failures) prune() error {
	names, err := filepath.Glob(filepath.Join(f.dir, f.plugin+".*"+failureSuffix))
	if err != nil || len(names) <= keptFailures {
		return err
	}
	slices.SortFunc(names, func(a, b string) int { return writtenAt(a).Compare(writtenAt(b)) })
	for _, name := range names[:len(names)-keptFailures] {
		err = errors.Join(err, os.Remove(name))
	}
	return errors.Join(err, trace.PruneModules(f.dir))
}

func writtenAt(name string) time.Time {
	info, err := os.Stat(name)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// keepModule puts a copy of the plugin's module beside the traces of its failures,
// unless its file has become another.
func (p *plugin) keepModule() error {
	wasm := p.cfg.Module
	if wasm == nil {
		var err error
		if wasm, err = os.ReadFile(p.cfg.Path); err != nil {
			return err
		}
	}
	if fmt.Sprintf("%x", sha256.Sum256(wasm)) != p.digest {
		return nil
	}
	files, err := trace.NewRecordings(trace.RecordOptions{Dir: p.failures.dir})
	if err != nil {
		return err
	}
	return files.KeepModule(p.digest, wasm)
}

// failureDir is where traces of the plugin's failures go. There are none if what is
// recorded of it is to be redacted, for each begins with its memory.
func (p *plugin) failureDir() string {
	if p.host.traces != "" && p.cfg.Record.Redact {
		p.log.Info("no traces of failures are written: they have what was sent, and that is to be redacted")
		return ""
	}
	return p.host.traces
}

// traceDir is where traces of failures go, "" for nowhere.
func (c *Config) traceDir() (string, error) {
	switch c.TraceDir {
	case "off":
		return "", nil
	case "":
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("trace_dir: %w: name one, or off", err)
		}
		return filepath.Join(base, "yimmo-host", "traces"), nil
	}
	return c.TraceDir, nil
}
