package guest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The README's plugin builds for the sandbox, and its test passes natively.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```go\n")[1:]
	if len(blocks) != 2 {
		t.Fatalf("README.md has %d Go blocks, want a plugin and its test", len(blocks))
	}
	sdk, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const module = "github.com/yimmo-host/yimmo-host/guest-sdk/go"
	write("go.mod", "module shout\n\ngo 1.26.0\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+sdk+"\n")
	for i, name := range []string{"main.go", "main_test.go"} {
		code, _, _ := strings.Cut(blocks[i], "```")
		write(name, code)
	}
	wasm := []string{"GOOS=wasip1", "GOARCH=wasm"}
	for _, c := range []struct {
		env  []string
		args []string
	}{
		{nil, []string{"vet", "."}},
		{nil, []string{"test", "."}},
		{wasm, []string{"build", "-buildmode=c-shared", "-o", "shout.wasm", "."}},
	} {
		cmd := exec.Command("go", c.args...)
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS="), c.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", cmd, err, out)
		}
	}
	if !strings.Contains(string(text), "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o shout.wasm .") {
		t.Error("README.md does not have the build line that this test runs")
	}
}
