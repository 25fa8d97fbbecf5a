package c_test

import (
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

func TestTimersProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "timers"), options{})
	d.wantLogs(`info "prepared"`)
	d.advance(6e9)
	d.wantLogs(`info "once, active 0, data here"`, `info "tick 1 at 1700000001.00, remaining 2.00, timer"`,
		`info "tick 2 at 1700000003.00, remaining 2.00, timer"`, `info "tick 3 at 1700000005.00, remaining 2.00, timer"`)
	d.connect(1)
	d.text(1, "wake")
	d.turn()
	d.want(`send 1 81 "wake"`)
	d.wantLogs(`info 1 "sent, pending 1"`, `info 1 "woken, 1"`)
	d.advance(3e9)
	d.text(1, "stay")
	d.turn()
	d.advance(4e9)
	d.want(`send 1 81 "stay"`)
	d.advance(2e9)
	d.want(`close 1 1001`)
	d.close(1, 1001)
	d.turn()
	d.advance(3600e9)
	d.wantLogs(`info "the hour 1700002800, next 1700006400"`)
	c := abi.Command{Kind: abi.CommandTimerSet, ID: 1}
	d.event(abi.Event{Kind: abi.EventRefused, Code: uint16(abi.StatusQuota), ID: c.ID}, abi.AppendCommand(nil, &c))
	d.turn()
	d.wantLogs(`error "an ev_timer or ev_periodic will not be called: the host has no more timers for this plugin"`)
	d.stop()
	d.wantLogs(`info "3 ticks"`, `info "cleaned up"`)

	d = begin(t, program(t, "timers"), options{features: abi.FeatureHTTP})
	d.wantLogs(`error "the host has no timers: ev_timer and ev_periodic watchers will not be called"`, `info "prepared"`)
}

// ev_once without a descriptor is a timeout.
func TestOnce(t *testing.T) {
	t.Parallel()
	d := begin(t, linked(t, "libyimmo.c", source(t, `
		#include <ev.h>
		#include <stdio.h>
		#include <ymo_http.h>
		static void late(int revents, void* what) { printf("%s, %#x at %.1f\n", (const char*)what, revents, ev_now(EV_DEFAULT) - 1.7e9); }
		static void early(int revents, void* arg)
		{
			late(revents, arg);
			ev_once(EV_DEFAULT, -1, 0, 0.5, late, "again");
		}
		int main(void)
		{
			ymo_server_start(ymo_http_simple_init(EV_DEFAULT, 8081, NULL, NULL, NULL), EV_DEFAULT);
			ev_once(EV_DEFAULT, -1, 0, 2, late, "late");
			ev_once(EV_DEFAULT_ -1, 0, 1, early, "early");
			ev_once(EV_DEFAULT, -1, 0, -1, late, "never");
			ev_run(EV_DEFAULT, 0);
			return 0;
		}
	`)), options{})
	d.advance(time.Hour)
	d.wantLogs(`info "early, 0x100 at 1.0"`, `info "again, 0x100 at 1.5"`, `info "late, 0x100 at 2.0"`)
}
