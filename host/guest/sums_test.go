package guest_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every .wasm in testdata is what build.sh made of the .wat beside it.
func TestSums(t *testing.T) {
	list, err := os.ReadFile("testdata/SUMS")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(list)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[name] = sum
	}
	files, _ := filepath.Glob("testdata/*.wa[ts]*")
	if len(files) == 0 || len(files) != len(want) {
		t.Errorf("testdata has %d modules, SUMS %d: run testdata/build.sh", len(files), len(want))
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(b)); got != want[filepath.Base(path)] {
			t.Errorf("%s: sum is %s, SUMS says %s: run testdata/build.sh", path, got, want[filepath.Base(path)])
		}
	}
}
