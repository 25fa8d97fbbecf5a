package guest_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if role, ok := roles[os.Args[1]]; ok {
			role()
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

var engine = sync.OnceValue(func() *guest.Engine {
	e, err := guest.NewEngine(testguest.CacheDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	return e
})

// wat returns the module that testdata/build.sh made of name.wat.
func wat(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goGuest builds testdata/goguest, once.
func goGuest(t testing.TB) []byte {
	t.Helper()
	b, err := testguest.Go("testdata/goguest")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compile(t testing.TB, wasm []byte) *guest.Code {
	t.Helper()
	c, err := engine().Compile(context.Background(), "test", wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Code.Close: %v", err)
		}
	})
	return c
}

func start(t testing.TB, wasm []byte, o guest.Options) *guest.Instance {
	t.Helper()
	i, err := compile(t, wasm).Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Errorf("Instance.Close: %v", err)
		}
	})
	return i
}

// give puts frames into the receive area and their recv events into the ring.
func give(i *guest.Instance, flags uint8, frames ...string) (n int) {
	area, addr := i.Area()
	used := uint32(0)
	for n, f := range frames {
		copy(area[used:], f)
		abi.PutEvent(i.Events()[n*abi.RecordSize:], &abi.Event{
			Kind: abi.EventRecv, Flags: flags, ID: 7, Addr: addr + used, Len: uint32(len(f)), Seq: uint32(n),
		})
		used += uint32(len(f)+7) &^ 7
	}
	return len(frames)
}

// ask gives a Go guest one order and returns its answer.
func ask(i *guest.Instance, h guest.Header, order string) (string, error) {
	m, _, _, err := i.Turn(0, give(i, abi.FlagFIN|abi.OpText, order), h)
	if err != nil || m == 0 {
		return "", err
	}
	c, _ := abi.ParseCommand(i.Commands())
	p, _ := c.Range(i.Memory())
	return string(p), nil
}

// recorder keeps log lines as "LEVEL text".
type recorder struct{ lines []string }

func (r *recorder) log(level abi.Level, text string) {
	name := map[abi.Level]string{abi.LevelInfo: "info ", abi.LevelWarn: "warn "}[level]
	r.lines = append(r.lines, name+text)
}

func (r *recorder) has(part string) bool { return strings.Contains(strings.Join(r.lines, "\n"), part) }
