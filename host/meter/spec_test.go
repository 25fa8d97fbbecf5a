package meter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// The specification's own tests, which wazero carries with it, do the same
// with a rewritten module as with the original: same results, same traps, same
// memory after each action. What wazero refuses, it refuses rewritten too.
func TestSpecification(t *testing.T) {
	suites := []struct {
		dir      string
		features api.CoreFeatures
		modules  int // at least so many run, lest this test be empty one day
		actions  int
	}{
		{"v1", api.CoreFeaturesV2, 700, 16000},
		{"v2", api.CoreFeaturesV2, 1500, 48000},
		{"tail-call", api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall, 5, 70},
		{"extended-const", api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst, 5, 50},
		{"threads", api.CoreFeaturesV2 | experimental.CoreFeaturesThreads, 0, 0},
		{"exception-handling", api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling, 0, 0},
		{"typed-function-references", api.CoreFeaturesV2, 90, 300},
	}
	root := specDir(t)
	for _, suite := range suites {
		t.Run(suite.dir, func(t *testing.T) {
			scripts, err := filepath.Glob(filepath.Join(root, suite.dir, "testdata", "*.json"))
			more, _ := filepath.Glob(filepath.Join(root, suite.dir, "testdata", "*", "*.json"))
			if scripts = append(scripts, more...); err != nil || len(scripts) == 0 {
				t.Fatalf("no scripts in %s: %v", root, err)
			}
			var sum specCount
			for _, script := range scripts {
				t.Run(strings.TrimSuffix(filepath.Base(script), ".json"), func(t *testing.T) {
					s := newSpecScript(t, script, suite.features, filepath.Join(root, "testdata", "spectest.wasm"))
					s.run()
					sum.add(s.count)
				})
			}
			t.Logf("%+v", sum)
			if sum.Modules < suite.modules || sum.Actions < suite.actions {
				t.Errorf("%d modules and %d actions compared, want %d and %d", sum.Modules, sum.Actions, suite.modules, suite.actions)
			}
		})
	}
}

func specDir(t testing.TB) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
}

// A specCount counts what was compared.
type specCount struct{ Modules, Unsupported, Actions, Traps, Exhausted, Refused int }

func (c *specCount) add(d specCount) {
	c.Modules += d.Modules
	c.Unsupported += d.Unsupported
	c.Actions += d.Actions
	c.Traps += d.Traps
	c.Exhausted += d.Exhausted
	c.Refused += d.Refused
}

type specCommand struct {
	Type, Name, Filename, As, Text string
	Line                           int
	ModuleType                     string `json:"module_type"`
	Action                         struct {
		Type, Field, Module string
		Args                []specValue
	}
	Expected []specValue
}

type specValue struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    any
}

// bits are the words by which wazero passes the value.
func (v specValue) bits() []uint64 {
	if v.Type != "v128" {
		s, _ := v.Value.(string)
		u, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			i, _ := strconv.ParseInt(s, 10, 64)
			u = uint64(i)
		}
		if v.Type == "externref" && s != "null" && s != "" {
			u++ // to wazero, 0 is null
		}
		return []uint64{u}
	}
	words := make([]uint64, 2)
	lanes := v.Value.([]any)
	width := 128 / len(lanes)
	for i, l := range lanes {
		u, _ := strconv.ParseUint(l.(string), 10, 64)
		words[i*width/64] |= u << (i * width % 64)
	}
	return words
}

// A pair is a module and its rewritten form, each in a runtime of its own.
type pair struct{ plain, metered api.Module }

// A specScript runs the commands of one file in two runtimes.
type specScript struct {
	t              *testing.T
	dir            string
	features       api.CoreFeatures
	commands       []specCommand
	plain, metered wazero.Runtime
	modules        map[string]pair // by the names of the script
	aliases        map[string]pair // by the names under which others import them
	last           pair
	usable         bool // the last module could be rewritten
	broken         bool // so could all others: links hold
	count          specCount
}

func newSpecScript(t *testing.T, script string, features api.CoreFeatures, spectest string) *specScript {
	raw, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Commands []specCommand }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	s := &specScript{t: t, dir: filepath.Dir(script), features: features, commands: file.Commands, modules: map[string]pair{}, aliases: map[string]pair{}}
	ctx := t.Context()
	for _, rt := range []*wazero.Runtime{&s.plain, &s.metered} {
		*rt = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features))
		t.Cleanup(func() { (*rt).Close(context.Background()) })
		wasm, err := os.ReadFile(spectest)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (*rt).InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName("spectest")); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *specScript) run() {
	for _, c := range s.commands {
		switch c.Type {
		case "module":
			s.module(c)
		case "register":
			s.register(c)
		case "action", "assert_return", "assert_trap", "assert_exhaustion", "assert_exception":
			s.action(c)
		case "assert_invalid", "assert_malformed", "assert_unlinkable", "assert_uninstantiable":
			s.refused(c)
		default:
			s.t.Errorf("line %d: unknown command %q", c.Line, c.Type)
		}
	}
}

// instantiate makes an instance in which imports mean the script's names.
func (s *specScript) instantiate(rt wazero.Runtime, of func(pair) api.Module, wasm []byte) (api.Module, error) {
	ctx := experimental.WithImportResolver(s.t.Context(), func(name string) api.Module {
		if p, ok := s.aliases[name]; ok {
			return of(p)
		}
		return nil
	})
	return rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName("").WithStartFunctions(meter.ExportStart))
}

func (s *specScript) plainly(wasm []byte) (api.Module, error) {
	return s.instantiate(s.plain, func(p pair) api.Module { return p.plain }, wasm)
}

func (s *specScript) rewritten(wasm []byte) (api.Module, error) {
	return s.instantiate(s.metered, func(p pair) api.Module { return p.metered }, wasm)
}

func (s *specScript) read(c specCommand) []byte {
	wasm, err := os.ReadFile(filepath.Join(s.dir, c.Filename))
	if err != nil {
		s.t.Fatalf("line %d: %v", c.Line, err)
	}
	return wasm
}

func (s *specScript) module(c specCommand) {
	wasm := s.read(c)
	s.usable = false
	plain, err := s.plainly(wasm)
	if err != nil {
		return // what wazero cannot do, or is not enabled
	}
	res, err := meter.Rewrite(wasm, meter.Options{})
	if err != nil {
		if !errors.Is(err, meter.ErrUnsupported) {
			s.t.Errorf("line %d: Rewrite(%s): %v", c.Line, c.Filename, err)
		}
		s.t.Logf("line %d: %s: %v", c.Line, c.Filename, err)
		s.count.Unsupported++
		s.broken = true
		return
	}
	metered, err := s.rewritten(res.Wasm)
	if err != nil {
		if !s.broken {
			s.t.Errorf("line %d: %s rewritten: %v", c.Line, c.Filename, err)
		}
		return
	}
	s.usable = true
	s.last = pair{plain, metered}
	s.count.Modules++
	if c.Name != "" {
		s.modules[c.Name] = s.last
	}
	s.same(c, s.last)
}

func (s *specScript) register(c specCommand) {
	p, ok := s.last, s.usable
	if c.Name != "" {
		p, ok = s.modules[c.Name]
	}
	if !ok {
		s.broken = true
		return
	}
	s.aliases[c.As] = p
}

func (s *specScript) action(c specCommand) {
	p, ok := s.last, s.usable
	if c.Action.Module != "" {
		p, ok = s.modules[c.Action.Module]
	}
	if !ok {
		return
	}
	if c.Action.Type == "get" {
		x, y := p.plain.ExportedGlobal(c.Action.Field), p.metered.ExportedGlobal(c.Action.Field)
		if x.Get() != y.Get() {
			s.t.Errorf("line %d: global %s: got %#x, want %#x", c.Line, c.Action.Field, y.Get(), x.Get())
		}
		s.count.Actions++
		return
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.bits()...)
	}
	want, wantErr := p.plain.ExportedFunction(c.Action.Field).Call(s.t.Context(), args...)
	arm(p.metered, math.MaxInt64)
	got, gotErr := p.metered.ExportedFunction(c.Action.Field).Call(s.t.Context(), args...)
	s.count.Actions++
	switch {
	case c.Type == "assert_exhaustion":
		s.count.Exhausted++
		if wantErr == nil || gotErr == nil || reason(p.metered) != meter.ReasonDepth {
			s.t.Errorf("line %d: %s: got %v (%v), want %v", c.Line, c.Action.Field, gotErr, reason(p.metered), wantErr)
		}
		return
	case firstLine(gotErr) != firstLine(wantErr):
		s.t.Errorf("line %d: %s%v: got %v (%v), want %v", c.Line, c.Action.Field, args, gotErr, reason(p.metered), wantErr)
	case wantErr != nil:
		s.count.Traps++
	case !sameValues(got, want, p.plain.ExportedFunction(c.Action.Field).Definition().ResultTypes(), c.Expected):
		s.t.Errorf("line %d: %s%v: got %x, want %x", c.Line, c.Action.Field, args, got, want)
	}
	if left := p.metered.ExportedGlobal(meter.ExportDepth).Get(); wantErr == nil && left != depthFull {
		s.t.Errorf("line %d: %s: depth %d after the call, want %d", c.Line, c.Action.Field, left, depthFull)
	}
	s.same(c, p)
}

// same compares what the last action left behind.
func (s *specScript) same(c specCommand, p pair) {
	if x := p.plain.Memory(); !reflect.ValueOf(x).IsNil() {
		a, _ := x.Read(0, x.Size())
		b, _ := p.metered.Memory().Read(0, p.metered.Memory().Size())
		if !bytes.Equal(a, b) {
			s.t.Errorf("line %d: memories of %d and %d bytes differ", c.Line, len(a), len(b))
		}
	}
}

// refused runs a command that says that a module is no good. What counts is
// what wazero says, which lets some pass.
func (s *specScript) refused(c specCommand) {
	if !strings.HasSuffix(c.Filename, ".wasm") {
		return
	}
	wasm := s.read(c)
	_, wantErr := s.plainly(wasm)
	res, err := meter.Rewrite(wasm, meter.Options{})
	if errors.Is(err, meter.ErrUnsupported) && wantErr == nil {
		return
	}
	if err == nil {
		_, err = s.rewritten(res.Wasm)
	}
	if (err == nil) != (wantErr == nil) {
		s.t.Errorf("line %d: %s rewritten: %v; the original: %v", c.Line, c.Filename, err, wantErr)
	}
	if wantErr != nil {
		s.count.Refused++
	}
}

const depthFull = 50_000

// arm gives a metered module a fresh slice, budget and depth.
func arm(m api.Module, budget int64) {
	set := func(name string, v uint64) { m.ExportedGlobal(name).(api.MutableGlobal).Set(v) }
	set(meter.ExportSlice, 100_000)
	set(meter.ExportBudget, uint64(budget))
	set(meter.ExportDepth, depthFull)
	set(meter.ExportStop, 0)
	set(meter.ExportReason, 0)
}

func reason(m api.Module) meter.Reason {
	return meter.Reason(m.ExportedGlobal(meter.ExportReason).Get())
}

// firstLine is an error without the stack trace.
func firstLine(err error) string {
	line, _, _ := strings.Cut(fmt.Sprint(err), "\n")
	return line
}

// sameValues compares results bit by bit, except that one NaN is like another.
func sameValues(got, want []uint64, types []api.ValueType, expected []specValue) bool {
	if len(got) != len(want) {
		return false
	}
	k := 0
	for i, typ := range types {
		switch {
		case typ == api.ValueTypeF32 && isNaN32(got[k]) && isNaN32(want[k]):
		case typ == api.ValueTypeF64 && isNaN64(got[k]) && isNaN64(want[k]):
		case typ == 0x7b: // v128: two words
			lanes := ""
			if i < len(expected) {
				lanes = expected[i].LaneType
			}
			if !sameLanes(got[k], want[k], lanes) || !sameLanes(got[k+1], want[k+1], lanes) {
				return false
			}
			k++
		case typ == api.ValueTypeExternref || typ == 0x70: // pointers: only null is null
			if (got[k] == 0) != (want[k] == 0) {
				return false
			}
		case got[k] != want[k]:
			return false
		}
		k++
	}
	return true
}

func sameLanes(got, want uint64, lanes string) bool {
	switch lanes {
	case "f32":
		for shift := 0; shift < 64; shift += 32 {
			if x, y := got>>shift, want>>shift; uint32(x) != uint32(y) && !(isNaN32(x) && isNaN32(y)) {
				return false
			}
		}
		return true
	case "f64":
		return got == want || isNaN64(got) && isNaN64(want)
	}
	return got == want
}

func isNaN32(v uint64) bool { return uint32(v)&0x7fffffff > 0x7f800000 }
func isNaN64(v uint64) bool { return v&(1<<63-1) > 0x7ff<<52 }
