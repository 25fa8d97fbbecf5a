package testguest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// A test that builds a guest runs again when the guest or the SDK has changed: the
// go command is told of both. It repeats results while the files are the same that the
// test binary has listed for it.
func TestSourcesAreWatched(t *testing.T) {
	const guest = "../../plugins/echo"
	list := os.Getenv("LIST")
	if list != "" {
		if _, err := testguest.Go(guest); err != nil {
			t.Fatal(err)
		}
		return
	}
	list = filepath.Join(t.TempDir(), "list")
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.testlogfile="+list)
	again.Env = append(os.Environ(), "LIST="+list)
	if out, err := again.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	log, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{guest, "../../guest-sdk/go", "../../guest-sdk/go/internal/abi", "../../plugins/go.mod"} {
		// As long as the name begins inside of the test's module.
		line := " " + here + "/" + want + "\n"
		if !strings.Contains(string(log), "open"+line) && !strings.Contains(string(log), "stat"+line) {
			t.Errorf("%s is not watched, only\n%s", want, log)
		}
	}
}
