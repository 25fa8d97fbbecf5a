package host_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// atOnce is how many tests that wait do so at the same time, unless -parallel says.
const atOnce = 16

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == compileRole {
		if err := host.CompilerMain(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // has as many processes
	if parallel := flag.Lookup("test.parallel"); !fuzzing && parallel.Value.String() == parallel.DefValue {
		flag.Set(parallel.Name, strconv.Itoa(atOnce))
	}
	os.Exit(m.Run())
}

// compileRole as the first argument makes this test binary a compiler of modules.
const compileRole = "compile-a-module"

// echo is the plugin plugins/echo, which greets unless greeting is empty. Its
// route is "/echo". In short tests, which are about the host, it is the one in C,
// that starts in no time under the race detector.
func echo(t testing.TB, greeting string) host.Plugin {
	if testing.Short() {
		return echoInC(t, greeting)
	}
	return echoOf(t, greeting, echoModule)
}

func echoInC(t testing.TB, greeting string) host.Plugin { return echoOf(t, greeting, echoModuleInC) }

// echoes are the plugins that do what echo does, by the language they are written in.
var echoes = []struct {
	language string
	echo     echoPlugin
}{
	{"go", echo},
	{"c", echoInC},
}

type echoPlugin func(t testing.TB, greeting string) host.Plugin

func echoOf(t testing.TB, greeting string, build func() ([]byte, error)) host.Plugin {
	t.Helper()
	module, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return host.Plugin{Name: "echo", Module: module, Config: map[string]string{"greeting": greeting}}
}

// eachEcho runs a test with each of the echoes, once for each transport.
func eachEcho(t *testing.T, test func(t *testing.T, on transport, echo echoPlugin)) {
	for _, e := range echoes {
		if testing.Short() && e.language == "go" {
			continue
		}
		t.Run(e.language, func(t *testing.T) {
			eachTransport(t, func(t *testing.T, on transport) { test(t, on, e.echo) })
		})
	}
}

func echoModule() ([]byte, error) { return testguest.Go("../plugins/echo") }

func echoModuleInC() ([]byte, error) { return testguest.C("../plugins/echo-c") }

// wat is a plugin that testdata/guests/build.sh made of name.wat. Its route is
// "/" + name.
func wat(t testing.TB, name string) host.Plugin {
	t.Helper()
	return host.Plugin{Name: name, Module: readAll(t, filepath.Join("testdata/guests", name+".wasm"))}
}

// Every .wasm in testdata/guests is what build.sh made of the .wat beside it.
func TestGuestSums(t *testing.T) {
	want := map[string]string{}
	for line := range strings.Lines(string(readAll(t, "testdata/guests/SUMS"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[name] = sum
	}
	files, _ := filepath.Glob("testdata/guests/*.wa[ts]*")
	if len(files) == 0 || len(files) != len(want) {
		t.Errorf("testdata/guests has %d modules, SUMS %d: run build.sh there", len(files), len(want))
	}
	for _, path := range files {
		if got := fmt.Sprintf("%x", sha256.Sum256(readAll(t, path))); got != want[filepath.Base(path)] {
			t.Errorf("%s: sum is %s, SUMS says %s: run build.sh there", path, got, want[filepath.Base(path)])
		}
	}
}
