//go:build unix

package yimmo_test

import (
	"os/exec"
	"strings"
	"testing"
)

const root = "github.com/yimmo-host/yimmo-host"

// Imports point one way: cmd to host to abi, plugins to the SDK; the host knows
// neither SDK nor TOML, the contract and the codec nothing but the standard library.
func TestImportDirections(t *testing.T) {
	tests := []struct {
		of     string   // packages
		never  []string // beginnings of what they may not depend on
		except string
	}{
		{"./abi", []string{root + "/", "github.com/", "golang.org/x/"}, root + "/abi"},
		{"./host/frame", []string{root + "/", "github.com/"}, root + "/host/frame"},
		{"./host/...", []string{root + "/guest-sdk", root + "/cmd", root + "/plugins", "github.com/BurntSushi", "github.com/spf13"}, ""},
		{"./guest-sdk/go", []string{root + "/host", root + "/abi", "github.com/tetratelabs"}, ""},
		{"./plugins/echo", []string{root + "/host", root + "/abi", "github.com/tetratelabs"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.of, func(t *testing.T) {
			out, err := exec.Command("go", "list", "-deps", tt.of).Output()
			if err != nil {
				t.Fatal(err)
			}
			for dep := range strings.FieldsSeq(string(out)) {
				for _, prefix := range tt.never {
					if strings.HasPrefix(dep, prefix) && dep != tt.except {
						t.Errorf("depends on %s", dep)
					}
				}
			}
		})
	}
}

// Every package says what it is, in one package comment.
func TestPackageComments(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}\t{{.Doc}}\t{{len .GoFiles}}",
		"./...", "./guest-sdk/go/...", "./plugins/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) == 3 && f[1] == "" && f[2] != "0" {
			t.Errorf("%s: no package comment", f[0])
		}
	}
}
