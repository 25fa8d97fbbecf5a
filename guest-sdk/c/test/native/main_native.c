/* main of an original-style program, outside of WebAssembly: it has a stack of its
 * own, and ev_run leaves it until the plugin stops. What it looks like from inside
 * is what src/ymo/program.c makes of it in a plugin. */
#include "native.h"

#include "../../src/ymo/ymo.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <sanitizer/common_interface_defs.h>

#define STACK (1 << 20)

int program_main(int argc, char **argv);

static ucontext_t host_side, program_side;
static char stack[STACK];
static const void *host_stack;
static size_t host_stack_size;
static bool started, in_loop, ended;
static void (*exits[8])(void);
static unsigned exit_count;

int yimmo_atexit(void (*f)(void))
{
	CHECK(exit_count < 8);
	exits[exit_count++] = f;
	return 0;
}

static void enter(void)
{
	static char *argv[] = { "sample", NULL };
	__sanitizer_finish_switch_fiber(NULL, &host_stack, &host_stack_size);
	program_main(1, argv);
	ended = true;
	in_loop = false;
	__sanitizer_start_switch_fiber(NULL, host_stack, host_stack_size);
	swapcontext(&program_side, &host_side);
}

static void to_program(void)
{
	void *fake;
	uintptr_t low = yimmo_side->stack_low, top = yimmo_side->stack_top;
	yimmo_side->stack_low = (uintptr_t)stack;
	yimmo_side->stack_top = (uintptr_t)stack + STACK;
	__sanitizer_start_switch_fiber(&fake, stack, STACK);
	swapcontext(&host_side, &program_side);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
	yimmo_side->stack_low = low;
	yimmo_side->stack_top = top;
}

int yimmo_ev_run(int in_main, struct ev_loop *loop, int flags)
{
	(void)in_main;
	if (flags & EVRUN_NOWAIT) {
		ev_invoke_pending(loop);
		return 0;
	}
	if (in_loop || !started)
		return 0;
	void *fake;
	in_loop = true;
	__sanitizer_start_switch_fiber(&fake, host_stack, host_stack_size);
	swapcontext(&program_side, &host_side);
	__sanitizer_finish_switch_fiber(fake, &host_stack, &host_stack_size);
	return 0;
}

void ymo_program_init(void) {}

void ymo_program_start(void)
{
	started = true;
	getcontext(&program_side);
	program_side.uc_stack.ss_sp = stack;
	program_side.uc_stack.ss_size = STACK;
	makecontext(&program_side, enter, 0);
	to_program();
}

bool ymo_program_serves(void) { return in_loop; }

void ymo_program_finish(void)
{
	if (in_loop)
		to_program();
	CHECK(ended);
}

void ymo_program_at_exit(void)
{
	while (exit_count)
		exits[--exit_count]();
}
