package abitest

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A Plugin is what a host is to serve.
type Plugin struct {
	Module []byte
	Config map[string]string // configuration keys for the start event

	// Fails says that the guest will make mistakes. A host that can put an
	// instance back (ABI.md section 4) is not to do so then: the kit wants to see
	// that it was discarded.
	Fails bool
}

// A Server is a running host.
type Server struct {
	// URL begins with "http://" and has no '/' at its end. Upgrade requests and
	// plain requests for it and for every path and query added to it reach the
	// plugin, whatever their Origin.
	URL string

	// Stop ends the server in good order: sessions close with 1001. It returns
	// when the plugin is gone and may be called once. The kit calls it at the
	// end of each scenario.
	Stop func()
}

// Start starts a host with p as its only plugin, in one instance, on a free
// port of the loopback interface. It returns when the plugin serves, or an error
// that says why it does not. It is called for several scenarios at once: most of
// them wait for a limit to pass.
//
// Limits that keep the kit quick and sharp: a turn may take 100 to 500 ms; a
// closing handshake one second, a decision or an answer two; messages of a peer
// may have at least 512 KiB; a request's body at least 256 KiB; an instance may
// have at least 16 MiB and less than 4 GiB of memory; the out-queue of a session
// holds at least 1 MiB.
// A start may take one second. A new instance runs, or is being started, at once
// after another has failed.
type Start func(t *testing.T, p Plugin) (*Server, error)

// A scenario is one case: a name and what happens.
type scenario struct {
	name  string
	play  func(s *stage)
	needs abi.Feature // without them in force the case makes no sense
	with  Plugin      // what to serve; the puppet unless Module is set
}

// topics are the cases, by what they are about.
var topics = []struct {
	name  string
	cases func() []scenario
}{
	{"lifecycle", lifecycleCases},
	{"connect", connectCases},
	{"recv", recvCases},
	{"send", sendCases},
	{"close", closeCases},
	{"user", userCases},
	{"http", httpCases},
	{"refused", refusedCases},
	{"call", callCases},
	{"feature", featureCases},
	{"mistake", mistakeCases},
}

// Run judges a host, with one subtest for each case. It reports the features
// that the host does not offer; their cases are then about refusals.
func Run(t *testing.T, start Start) {
	granted := offered(t, start)
	t.Logf("features in force: %v; not offered: %v", granted, everything&^granted)
	for _, topic := range topics {
		t.Run(topic.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range topic.cases() {
				if c.needs&^granted != 0 {
					t.Logf("%s: not judged, needs %v", c.name, c.needs&^granted)
					continue
				}
				t.Run(c.name, func(t *testing.T) { c.run(t, start) })
			}
		})
	}
	t.Run("load", func(t *testing.T) { t.Parallel(); runLoad(t, start) })
}

// everything is what a host of this version can offer. The puppet wants all but messages, which
// would change what recv events are.
const everything = abi.FeatureHTTP | abi.FeatureMessages | abi.FeatureHold | abi.FeatureSendMany | abi.FeatureTimers |
	abi.FeatureTopics | abi.FeatureBackPressure | abi.FeatureState

// offered asks a host for everything. It is no case of its own, so that -run
// cannot leave it out.
func offered(t *testing.T, start Start) abi.Feature {
	s := newStage(t, start, Plugin{Module: patched(patch{abi.OffsetWants, uint32(everything)})})
	s.monitor.Cut()
	s.stop()
	return s.granted
}

func (c *scenario) run(t *testing.T, start Start) {
	t.Parallel()
	p := c.with
	if p.Module == nil {
		p.Module = Puppet()
	}
	s := newStage(t, start, p)
	c.play(s)
	if s.stopped {
		return
	}
	s.settle()
	for _, e := range s.seen {
		if e.Kind == abi.EventRefused {
			s.Errorf("refusal that nobody asked for: %s", explain([]Seen{e}))
		}
	}
}
