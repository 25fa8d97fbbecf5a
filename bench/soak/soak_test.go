//go:build linux

package main

import (
	"os"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/bench/internal/process"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-transport" { // see soak: the host of a test
		main()
		return
	}
	os.Exit(m.Run())
}

// The short form: nothing is lost or left behind in a few seconds.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes its time")
	}
	t.Chdir("../..")
	if err := testguest.Watch("plugins/echo", "plugins/chat", "plugins/internal", "guest-sdk/go", "host/testdata/guests"); err != nil {
		t.Fatal(err)
	}
	if err := soak(5*time.Second, "auto"); err != nil {
		t.Error(err)
	}
}

// Memory that grows shows, memory that comes and goes does not.
func TestSlope(t *testing.T) {
	tests := []struct {
		name string
		mb   []int
		want float64
	}{
		{"nothing", nil, 0},
		{"one", []int{100}, 0},
		{"flat", []int{100, 100, 100, 100, 100}, 0},
		{"a peak at the end", []int{100, 100, 100, 100, 141}, 0},
		{"a peak", []int{100, 141, 100, 100, 100}, 0},
		{"growth", []int{100, 102, 104, 106, 108}, 2},
		{"growth and a peak", []int{100, 102, 150, 106, 108}, 2},
	}
	for _, tt := range tests {
		var use []process.Usage
		for _, mb := range tt.mb {
			use = append(use, process.Usage{Resident: mb})
		}
		if got := slope(use); got != tt.want {
			t.Errorf("%s: slope(%v): got %v, want %v", tt.name, tt.mb, got, tt.want)
		}
	}
}
