package browser_test

import (
	"os"
	"os/exec"
	"testing"
)

// tools are the programs that the test runs.
type tools struct{ node, chromium string }

// findTools fails the test if anything is missing, and says how to get it.
func findTools(t *testing.T) tools {
	t.Helper()
	const install = "install it with: make tools"
	var found tools
	var err error
	if found.node, err = exec.LookPath("node"); err != nil {
		t.Fatalf("no Node.js: %s, or on Debian: apt-get install nodejs npm", install)
	}
	if found.chromium = findChromium(); found.chromium == "" {
		t.Fatalf("no Chromium: %s, or on Debian: apt-get install chromium; CHROMIUM names one elsewhere", install)
	}
	if _, err := os.Stat("node_modules/playwright-core"); err != nil {
		t.Fatalf("no playwright-core: %s, or: npm ci --prefix plugins/browser", install)
	}
	return found
}

func findChromium() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	return ""
}
