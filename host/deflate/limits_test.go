package deflate_test

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

func TestInflateLimits(t *testing.T) {
	flat := make([]byte, 100<<10) // inflates to a thousand times its size
	tests := []struct {
		name   string
		limits deflate.Limits
		plain  []byte
		want   error
		out    int
	}{
		{"at the size", deflate.Limits{Message: 3000}, text(1, 3000), nil, 3000},
		{"above the size", deflate.Limits{Message: 2999}, text(1, 3000), frame.ErrTooBig, 2999},
		{"far above the size", deflate.Limits{Message: 1}, text(1, 3000), frame.ErrTooBig, 1},
		{"the default size", deflate.Limits{Ratio: 2000}, make([]byte, 1<<20), nil, 1 << 20},
		{"above the default size", deflate.Limits{Ratio: 2000}, make([]byte, 1<<20+1), frame.ErrTooBig, 1 << 20},
		{"within the allowance", deflate.Limits{Ratio: 1, Allowance: 100 << 10}, flat, nil, 100 << 10},
		{"above the ratio", deflate.Limits{Ratio: 100, Allowance: 4 << 10}, flat, deflate.ErrRatio, 100*len(deflated(flat, 6)) + 4<<10},
		{"above the default ratio", deflate.Limits{}, make([]byte, 1<<20), deflate.ErrRatio, 200*len(deflated(make([]byte, 1<<20), 6)) + 64<<10},
		{"within the ratio", deflate.Limits{Ratio: 1100, Allowance: 1}, flat, nil, 100 << 10},
		{"no ratio for text", deflate.Limits{Ratio: 20, Allowance: 1}, text(1, 100<<10), nil, 100 << 10},
	}
	for _, test := range tests {
		data := deflated(test.plain, 6)
		for _, room := range []int{0, 1000, 1 << 21} {
			pool := deflate.NewPool(open, test.limits)
			in := pool.Inflater(session(15, true))
			got, err := inflate(in, room, data)
			if !errors.Is(err, test.want) || len(got) != test.out || !bytes.Equal(got, test.plain[:len(got)]) {
				t.Errorf("Inflate(%s, room %d): got %d bytes, %v, want %d, %v", test.name, room, len(got), err, test.out, test.want)
			}
		}
	}
}

// The size counts for each message alone, all its frames together.
func TestInflateLimitPerMessage(t *testing.T) {
	in := deflate.NewPool(open, deflate.Limits{Message: 1000}).Inflater(session(15, true))
	for i := range 5 {
		if got, err := inflate(in, 0, chunks(deflated(text(i, 1000), 6), 10)...); err != nil || len(got) != 1000 {
			t.Fatalf("Inflate(message %d at the limit): got %d bytes, %v", i, len(got), err)
		}
	}
	got, err := inflate(in, 0, chunks(deflated(text(9, 1001), 6), 10)...)
	if err != frame.ErrTooBig || len(got) != 1000 {
		t.Errorf("Inflate(message above the limit, in frames): got %d bytes, %v, want 1000, %v", len(got), err, frame.ErrTooBig)
	}
}

// 60 KB that would be 60 MB stop where the limits say, and cost no more memory
// than that.
func TestInflateBomb(t *testing.T) {
	bomb := deflated(make([]byte, 60<<20), 9)
	tests := []struct {
		name   string
		limits deflate.Limits
		room   int // 0: Append
		want   error
		out    int
		memory uint64
	}{
		{"default, appended", deflate.Limits{}, 0, frame.ErrTooBig, 1 << 20, 6 << 20}, // buffers that grow count together
		{"default, into a buffer", deflate.Limits{}, 16 << 10, frame.ErrTooBig, 1 << 20, 128 << 10},
		{"64 MiB, by the ratio", deflate.Limits{Message: 64 << 20}, 16 << 10, deflate.ErrRatio, 200*len(bomb) + 64<<10, 128 << 10},
		{"1 KiB", deflate.Limits{Message: 1 << 10}, 16 << 10, frame.ErrTooBig, 1 << 10, 64 << 10},
	}
	for _, test := range tests {
		pool := deflate.NewPool(open, test.limits)
		in := pool.Inflater(session(15, true))
		buf := make([]byte, max(test.room, 1))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		out, src := 0, bomb
		var err error
		if test.room == 0 {
			var got []byte
			got, err = in.Append(nil, src, true)
			out = len(got)
		}
		for more := test.room > 0; more && err == nil; {
			var n, used int
			n, used, more, err = in.Inflate(buf, src, true)
			out, src = out+n, src[used:]
		}
		runtime.ReadMemStats(&after)
		if err != test.want || out != test.out {
			t.Errorf("Inflate(%s): got %d bytes, %v, want %d, %v", test.name, out, err, test.out, test.want)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > test.memory && !raceEnabled {
			t.Errorf("Inflate(%s): allocated %d bytes, want at most %d", test.name, got, test.memory)
		}
	}
}

// Messages that are not ended cannot take all memory, and cannot keep whole
// messages of others out.
func TestInflateWaiting(t *testing.T) {
	pool := deflate.NewPool(open, deflate.Limits{Waiting: 3})
	var open []*deflate.Inflater
	begin := func() (*deflate.Inflater, error) {
		in := pool.Inflater(session(15, false))
		_, err := in.Append(nil, unhex("f2 48"), false)
		return in, err
	}
	for i := range 3 {
		in, err := begin()
		if err != nil {
			t.Fatalf("Append(unfinished message %d): %v", i, err)
		}
		open = append(open, in)
	}
	if _, err := begin(); err != deflate.ErrBusy {
		t.Errorf("Append(one unfinished message too many): got %v, want %v", err, deflate.ErrBusy)
	}
	whole := pool.Inflater(session(15, false))
	if got, err := inflate(whole, 1, unhex("f2 48 cd c9 c9 07 00")); string(got) != "Hello" || err != nil {
		t.Errorf("Inflate(whole message): got %q, %v, want Hello", got, err)
	}
	if got, err := open[0].Append(nil, unhex("cd c9"), false); err != nil { // it has its place
		t.Errorf("Append(next frame): got %q, %v", got, err)
	}
	if got, err := open[0].Append(nil, unhex("c9 07 00"), true); err != nil {
		t.Errorf("Append(last frame): got %q, %v", got, err)
	}
	open[1].Close()
	open[1].Close()
	if n := pool.Waiting(); n != 1 {
		t.Errorf("Waiting after an end and a Close: got %d, want 1", n)
	}
	for range 2 {
		if _, err := begin(); err != nil {
			t.Errorf("Append(unfinished message in a free place): %v", err)
		}
	}
}

// Only so many calls inflate at the same time; a further one waits for them.
func TestInflateWorking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := deflate.NewPool(open, deflate.Limits{Working: 2})
		leave := pool.Occupy(2)
		done := 0
		go func() {
			in := pool.Inflater(session(15, false))
			in.Append(nil, unhex("f2 48 cd c9 c9 07 00"), true)
			done++
		}()
		synctest.Wait()
		if done != 0 {
			t.Error("Append: done while all places are taken")
		}
		leave()
		synctest.Wait()
		if done != 1 {
			t.Error("Append: not done when there are places")
		}
	})
}
