package guest

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

func TestMemory(t *testing.T) {
	for _, b := range []struct {
		name string
		by   backing
	}{{"system", system}, {"heap", heap}} {
		t.Run(b.name, func(t *testing.T) {
			m, err := newMemory(b.by, page, 3*page)
			if err != nil {
				t.Fatal(err)
			}
			first := m.bytes()
			first[0] = 1
			for _, step := range []struct {
				size    uint64
				want    int // bytes afterwards
				refused bool
			}{{page, page, false}, {2 * page, 2 * page, false}, {3*page + 1, 2 * page, true}, {1 << 40, 2 * page, true}, {3 * page, 3 * page, true}} {
				got := m.Reallocate(step.size)
				if (got == nil) != (step.want != int(step.size)) || len(m.bytes()) != step.want || m.refused != step.refused {
					t.Errorf("Reallocate(%d): %d bytes, %d in all, refused %v", step.size, len(got), len(m.bytes()), m.refused)
				}
			}
			m.Free() // wazero's, must not take anything away
			if all := m.bytes(); &all[0] != &first[0] || all[0] != 1 || !bytes.Equal(all[page:], make([]byte, 2*page)) {
				t.Error("memory moved, or is not zero where it grew")
			}
			if err := m.release(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What the next instance does not want the system has back, and all of it is zero.
func TestMemoryRestart(t *testing.T) {
	for name, by := range map[string]backing{"system": system, "heap": heap} {
		t.Run(name, func(t *testing.T) {
			const all, wanted = 512 * page, 2 * page
			m, err := newMemory(by, all, all)
			if err != nil {
				t.Fatal(err)
			}
			defer m.release()
			for at := range m.bytes() {
				m.bytes()[at] = 1
			}
			used := resident()
			m.restart(wanted)
			if left := used - resident(); name == "system" && runtime.GOOS == "linux" && left < all/2 {
				t.Errorf("the system has %d KiB back, want %d", left>>10, (all-wanted)>>10)
			}
			if m.Reallocate(all); !bytes.Equal(m.bytes(), make([]byte, all)) {
				t.Error("memory is not zero")
			}
		})
	}
}

// resident is the memory of the process in bytes, 0 where it cannot be told.
func resident() int {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(statm))[1])
	return pages * os.Getpagesize()
}

func TestMemoryEmpty(t *testing.T) {
	m, err := newMemory(system, 0, 0)
	if err != nil || len(m.bytes()) != 0 || m.Reallocate(page) != nil {
		t.Errorf("newMemory(0, 0): %v", err)
	}
	if err := m.release(); err != nil {
		t.Error(err)
	}
}

// A system that has nothing left is an error, not a crash.
func TestMemoryExhausted(t *testing.T) {
	none := errors.New("none left")
	released := 0
	no := backing{
		reserve: func(int) ([]byte, error) { return nil, none },
		commit:  func([]byte) error { return none },
		release: func([]byte) error { released++; return nil },
	}
	if _, err := newMemory(no, page, page); !errors.Is(err, ErrMemory) || !errors.Is(err, none) {
		t.Errorf("reserve fails: got %v, want %v", err, ErrMemory)
	}
	no.reserve = heap.reserve
	if _, err := newMemory(no, page, page); !errors.Is(err, ErrMemory) || released != 1 {
		t.Errorf("commit fails: got %v, released %d times, want %v, once", err, released, ErrMemory)
	}
}
