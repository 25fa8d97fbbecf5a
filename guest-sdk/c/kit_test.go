package c_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/abi/abitest"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// What a plugin that uses the SDK cannot do, so that the kit must ask its own
// puppet: when a call ends and which event counts as consumed is not its to say.
var notWithSDK = map[string]string{
	"start_comes_first_with_the_configuration":     "the version is the hash of another module",
	"control_block_is_filled_in_by_the_host_alone": "the block's addresses are others",
	"header_is_new_for_each_call":                  "yields",
	"more:_after_the_event_was_consumed":           "releases its event",
	"more:_what_earlier_calls_gave_comes_first":    "yields",
	"a_brigade_does_not_go_on_in_the_next_call":    "yields",
	"what_earlier_calls_of_the_turn_did_stands":    "yields",
	"no_progress_with_more":                        "yields",
	"no_progress_with_events_left":                 "yields",
	"consumed_before_the_call's_first_event":       "yields",
}

// TestKit runs the conformance kit with a puppet in C (test/puppet.c) in the
// place of the kit's own: as a module over both transports, and as a process under
// sanitizers. The kit judges hosts: what it says here that it does not say of its
// own puppet is the SDK's doing.
func TestKit(t *testing.T) {
	for _, tt := range []struct {
		name, transport string
		puppet          func(t *testing.T, wants uint32) host.Plugin
	}{
		{"wasm", host.TransportAuto, wasmPuppet},
		{"wasm stream", host.TransportStream, wasmPuppet},
		{"native", host.TransportAuto, nativePuppet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			runKit(t, tt.transport, tt.puppet)
		})
	}
}

func wasmPuppet(t *testing.T, wants uint32) host.Plugin {
	return host.Plugin{Module: plugin(t, puppetSource, fmt.Sprintf("-DWANTS=%#xu", wants)).wasm}
}

func nativePuppet(t *testing.T, wants uint32) host.Plugin {
	if filepath.Base(t.Name()) == "calls_without_end" {
		t.Skip("takes the memory of a whole module")
	}
	file, err := linkNative([]string{"src/yimmo.c", "test/native/serve.c"}, fmt.Sprintf("-DWANTS=%#xu", wants), puppetSource)
	if err != nil {
		t.Fatal(err)
	}
	return host.Plugin{Native: func() lane.Guest { return startProcess(t, file) }}
}

const puppetSource = "test/puppet.c"

func runKit(t *testing.T, transport string, puppet func(t *testing.T, wants uint32) host.Plugin) {
	cache := t.TempDir()
	abitest.Run(t, func(t *testing.T, p abitest.Plugin) (*abitest.Server, error) {
		if why := notWithSDK[filepath.Base(t.Name())]; why != "" {
			t.Skip(why)
		}
		wants, ok := onlyWants(p.Module)
		if !ok {
			t.Skip("not about the puppet")
		}
		recovery := host.RecoveryRollback
		if p.Fails {
			recovery = host.RecoveryFail
		}
		served := puppet(t, wants)
		served.Name, served.Route, served.Origins, served.Memory, served.Config = "kit", "/", []string{"*"}, 16<<20, p.Config
		served.Recovery = recovery
		return serveKit(t, host.Config{
			Listen:    "127.0.0.1:0",
			CacheDir:  cache,
			Transport: transport,
			Log:       slog.New(slog.DiscardHandler),
			Plugins:   []host.Plugin{served},
			Limits: host.Limits{
				Turn: 500 * time.Millisecond, Start: time.Second, Answer: 2 * time.Second, CloseTime: time.Second, Drain: 5 * time.Second,
			},
		})
	})
}

// onlyWants tells whether module is the kit's puppet but for the features it wants.
func onlyWants(module []byte) (uint32, bool) {
	puppet := abitest.Puppet()
	at := bytes.Index(puppet, binary.LittleEndian.AppendUint32(nil, abi.Magic)) + abi.OffsetWants
	if len(module) != len(puppet) {
		return 0, false
	}
	copy(puppet[at:], module[at:at+4])
	return binary.LittleEndian.Uint32(module[at:]), bytes.Equal(module, puppet)
}

func serveKit(t *testing.T, c host.Config) (*abitest.Server, error) {
	h, err := host.New(context.Background(), c)
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	return &abitest.Server{URL: "http://" + h.Addr().String(), Stop: func() {
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	}}, nil
}
