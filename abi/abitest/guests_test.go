package abitest_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Sources and binaries of the guests belong together: whoever edits one runs
// guests/build.sh, which makes the other and records both.
func TestSums(t *testing.T) {
	f, err := os.Open("guests/SUMS")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	recorded := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		want, name, _ := strings.Cut(lines.Text(), "  ")
		b, err := os.ReadFile(filepath.Join("guests", name))
		if err != nil {
			t.Errorf("SUMS: %v", err)
			continue
		}
		if got := sha256.Sum256(b); hex.EncodeToString(got[:]) != want {
			t.Errorf("guests/%s is not the file that SUMS names: run guests/build.sh", name)
		}
		recorded[name] = true
	}
	for _, glob := range []string{"*.wat", "*.wasm", "*/*.wat", "*/*.wasm"} {
		files, _ := filepath.Glob("guests/" + glob)
		for _, file := range files {
			name, _ := filepath.Rel("guests", file)
			if !recorded[filepath.ToSlash(name)] {
				t.Errorf("%s is not in SUMS: run guests/build.sh", file)
			}
			twin := strings.TrimSuffix(name, ".wat") + ".wasm"
			if strings.HasSuffix(name, ".wasm") {
				twin = strings.TrimSuffix(name, ".wasm") + ".wat"
			}
			if !recorded[filepath.ToSlash(twin)] {
				t.Errorf("%s has no %s", file, twin)
			}
		}
	}
	if len(recorded) == 0 {
		t.Error("SUMS is empty")
	}
}
