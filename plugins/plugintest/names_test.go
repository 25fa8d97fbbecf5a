package plugintest_test

import (
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	guest "github.com/yimmo-host/yimmo-host/guest-sdk/go"
)

// Guest and host call commands and statuses by the same names, all of them.
func TestNames(t *testing.T) {
	for n := range 256 {
		named := func(name string) string {
			if strings.Contains(name, "(") { // such as "Status(200)"
				return "unknown"
			}
			return name
		}
		if got, want := guest.Kind(n).String(), named(abi.CommandKind(n).String()); got != want {
			t.Errorf("Kind(%d): got %s, the host says %s", n, got, want)
		}
		if got, want := guest.Status(n).String(), named(abi.Status(n).String()); got != want {
			t.Errorf("Status(%d): got %s, the host says %s", n, got, want)
		}
	}
}
