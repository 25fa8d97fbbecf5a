package c_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

// The SDK agrees with the vectors of the ABI, natively and as wasm.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../abi/testdata/vectors/*.txt")
	if err != nil || len(files) < 100 {
		t.Fatalf("vectors: %d files, %v", len(files), err)
	}
	t.Run("native", func(t *testing.T) {
		t.Parallel()
		file, err := linkNative([]string{"src/yimmo.c", "test/native/native.c"}, "test/vectors.c")
		if err != nil {
			t.Fatal(err)
		}
		runNative(t, file, files...)
	})
	t.Run("wasm", func(t *testing.T) {
		t.Parallel()
		d := begin(t, plugin(t, "test/vectors.c"), options{area: 1 << 20})
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			d.recv(1, abi.FlagFIN|abi.OpText, string(text))
			d.turn()
			if len(d.said) != 1 || d.said[0] != `send 1 81 "ok"` {
				t.Errorf("%s: %v", filepath.Base(f), d.said)
			}
			d.said = nil
		}
	})
}
