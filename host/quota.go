package host

import (
	"fmt"
	"sync/atomic"

	"github.com/yimmo-host/yimmo-host/host/lane"
)

// What becomes of what is above a quota.
const (
	QuotaEnforce = "enforce" // it is refused, dropped or has to wait
	QuotaObserve = "observe" // it passes; log and metrics tell
)

// Quota is what a plugin may take of the host, so that one does not live at the
// expense of others. A plugin with several lanes has its quotas for each, but for
// Sessions.
type Quota struct {
	// Mode is [QuotaEnforce] or [QuotaObserve]. Default enforce.
	Mode string

	// Sessions is the most sessions the plugin may have; above it upgrades get
	// 503. Default 0: [Limits.Sessions] alone.
	Sessions int

	// Commands is how many commands the plugin may give for each event of a turn;
	// what is above is refused with the status "quota". Default 65536. It stops a
	// plugin that answers one message with millions.
	Commands int

	// Bytes is the same for what commands point at. Default 64 MiB.
	Bytes int64

	// Topics is how many topics may have subscribers at a time; above it
	// subscriptions are refused with the status "quota". Default 100000. Each
	// takes memory of the host.
	Topics int

	// LogLines is how many lines the plugin may log or print a second, twice as many
	// at once; those above it are counted and dropped. Default 100. It keeps a plugin
	// from filling the disk.
	LogLines int

	// CPU is how much of a processor the plugin's turns may take, in percent; a
	// second's worth may come at once. A lane that is above pauses. Default 0: no
	// quota. A lane never takes more than one processor.
	CPU int
}

// FillIn sets what is zero to its default.
func (q *Quota) FillIn() {
	fill(&q.Mode, QuotaEnforce)
	fill(&q.Commands, 65536)
	fill(&q.Bytes, 64<<20)
	fill(&q.Topics, 100_000)
	fill(&q.LogLines, 100)
}

func (q *Quota) validate(key string, bad func(key string, value any, remedy string)) {
	if q.Mode != "" && q.Mode != QuotaEnforce && q.Mode != QuotaObserve {
		bad(key+".quota", fmt.Sprintf("%q", q.Mode), "enforce or observe")
	}
	for _, b := range []struct {
		key         string
		value, most int64
	}{
		{"quota_sessions", int64(q.Sessions), 1 << 24},
		{"quota_commands", int64(q.Commands), 1 << 31},
		{"quota_bytes", q.Bytes, 1 << 40},
		{"quota_topics", int64(q.Topics), 1 << 24},
		{"quota_log_lines", int64(q.LogLines), 1 << 20},
		{"quota_cpu", int64(q.CPU), 100},
	} {
		if b.value < 0 || b.value > b.most {
			bad(key+"."+b.key, b.value, fmt.Sprintf("between 0 and %d", b.most))
		}
	}
}

// ofLane is what one lane may have; sessions are counted for all of them in taken.
func (q *Quota) ofLane(taken *atomic.Int64) lane.Quotas {
	return lane.Quotas{
		Observe:  q.Mode == QuotaObserve,
		Sessions: q.Sessions, Taken: taken,
		Commands: q.Commands, Bytes: q.Bytes, Topics: q.Topics, LogLines: q.LogLines,
		CPU: float64(q.CPU) / 100,
	}
}
