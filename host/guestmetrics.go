package host

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/yimmo-host/yimmo-host/abi"
)

// guestMetrics are the metrics that a plugin's instances make up.
type guestMetrics struct {
	limit int // of names

	mu    sync.Mutex
	types map[string]uint8 // by name; a name keeps the type it began with
}

// laneMetrics are those of one lane. It observes without a lock or an
// allocation, and anyone may read at any time.
type laneMetrics struct {
	plugin *guestMetrics
	byName map[string]*series        // owned by the lane
	all    atomic.Pointer[[]*series] // the same; replaced when one is added
}

// series is one metric of one lane.
type series struct {
	name  string
	kind  uint8         // abi.MetricCounter, MetricGauge or MetricHistogram
	value atomic.Uint64 // bits of a float: the counter, the gauge, the histogram's sum
	count [len(sampleBounds) + 1]atomic.Uint64
}

// sampleBounds are the upper bounds of a guest histogram's buckets, which has to
// do for whatever it measures, in whatever unit: two for each power of ten.
var sampleBounds = [...]float64{
	0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000,
}

func (m *guestMetrics) lane() *laneMetrics {
	l := &laneMetrics{plugin: m, byName: map[string]*series{}}
	l.all.Store(&[]*series{})
	return l
}

// observe is [lane.Config.Metric].
func (l *laneMetrics) observe(kind uint8, name []byte, sample float64) abi.Status {
	s := l.byName[string(name)]
	if s == nil {
		var status abi.Status
		if s, status = l.add(kind, string(name)); status != 0 {
			return status
		}
	}
	if s.kind != kind {
		return abi.StatusBadFlags
	}
	switch kind {
	case abi.MetricGauge:
		s.value.Store(math.Float64bits(sample))
	case abi.MetricCounter:
		s.add(sample)
	case abi.MetricHistogram:
		i, _ := slices.BinarySearch(sampleBounds[:], sample)
		s.count[i].Add(1)
		s.add(sample)
	}
	return 0
}

// add is for the lane only: nobody else writes.
func (s *series) add(sample float64) {
	s.value.Store(math.Float64bits(math.Float64frombits(s.value.Load()) + sample))
}

func (l *laneMetrics) add(kind uint8, name string) (*series, abi.Status) {
	if status := l.plugin.register(kind, name); status != 0 {
		return nil, status
	}
	s := &series{name: name, kind: kind}
	l.byName[name] = s
	all := append(slices.Clone(*l.all.Load()), s)
	l.all.Store(&all)
	return s, 0
}

func (m *guestMetrics) register(kind uint8, name string) abi.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.types[name]
	switch {
	case ok && known != kind:
		return abi.StatusBadFlags
	case !ok && len(m.types) >= m.limit:
		return abi.StatusQuota
	case !ok:
		m.types[name] = kind
	}
	return 0
}
