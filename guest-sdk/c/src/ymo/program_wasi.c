/* main with wasi-libc, whose heap is not known here: it runs once, ev_run must be
 * called by main itself, and what follows it never runs. Its stack stays as program.c
 * has it. */
#include "ymo.h"

static enum { START, LEAVING, SERVING } now_in = START;

int yimmo_ev_run(int in_main, struct ev_loop *loop, int flags)
{
	(void)in_main;
	if (flags & EVRUN_NOWAIT) {
		ev_invoke_pending(loop);
		return 0;
	}
	if (now_in == SERVING)
		return ymo_main_is_over();
	now_in = LEAVING;
	yimmo_side->stack_top = yimmo_stack() & ~15u;
	return -1;
}

void ymo_program_init(void) { ymo_main_require(); }

void ymo_program_start(void)
{
	ymo_main_call();
	if (now_in == LEAVING)
		now_in = SERVING;
}

void ymo_program_finish(void) {}
bool ymo_program_serves(void) { return now_in == SERVING; }
void ymo_program_at_exit(void) {}
