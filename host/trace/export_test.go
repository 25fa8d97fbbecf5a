package trace

import (
	"io"
	"sync"
)

// Digest is digest.
func Digest(commands, data []byte, memory uint64) uint64 { return digest(commands, data, memory) }

// Busy says whether anything waits to be written.
func (r *Recorder) Busy() bool {
	q := r.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size > 0 || len(q.items) > 0 || q.image == nil
}

// Slow makes the next file one whose first write says so on stuck and goes on with goOn.
func (r *Recordings) Slow(stuck, goOn chan struct{}) {
	r.create = func(name string) (io.WriteCloser, error) {
		f, err := create(name)
		return &slowFile{WriteCloser: f, stuck: stuck, goOn: goOn}, err
	}
}

type slowFile struct {
	io.WriteCloser
	once        sync.Once
	stuck, goOn chan struct{}
}

func (f *slowFile) Write(p []byte) (int, error) {
	f.once.Do(func() { close(f.stuck); <-f.goOn })
	return f.WriteCloser.Write(p)
}

// Fail makes files whose writes fail.
func (r *Recordings) Fail(err error) {
	r.create = func(string) (io.WriteCloser, error) { return failing{err}, nil }
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
func (f failing) Close() error              { return nil }

// AppendState is appendCheckpoint.
func AppendState(dst []byte, c *Checkpoint) []byte { return appendCheckpoint(dst, c) }
