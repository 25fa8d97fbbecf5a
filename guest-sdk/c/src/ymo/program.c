/* main.
 *
 * A guest must return from every call, so no frame of main can wait in ev_run
 * while the plugin serves. What a program sees is nevertheless this:
 *
 *     start   main runs until it calls ev_run
 *     serve   callbacks run; main's variables are where they were
 *     stop    ev_run returns, and main goes on to its end
 *
 * It rests on two facts: everything a guest can change is its own memory, and
 * with the same memory and the same clock main does the same thing again.
 *
 * start. ev_run returns to main with the order to leave (the macro in ev.h makes
 * main return there and then). Its stack is left alone from then on: calls use
 * what is below it, so pointers to main's variables stay good. If ev_run was not
 * called by main itself but further down, the rest of main runs on and does harm;
 * so memory is saved first and put back when main has returned.
 *
 * stop. Memory as it is now is saved, memory as it was before main is put back,
 * and main runs again, with the clock of the start, its commands going nowhere. It
 * comes to ev_run as it did before, with the same values in all the places that
 * are not memory. There memory is put back as it was before the stop, and ev_run
 * returns for good.
 *
 * With wasi-libc there is none of this: program_wasi.c.
 */
#include "ymo.h"

YIMMO_TRAP(yimmo_the_event_loop_is_over)
YIMMO_TRAP(yimmo_out_of_memory_before_the_event_loop)

/* What no image covers. */
typedef struct keeper {
	enum { START, LEAVING, SERVING, REPLAY, REST } mode;
	bool by_main;            /* ev_run was called by main itself */
	yimmo_page_log log;
	uint32_t base, parked;   /* stack pointer when main began, and in ev_run */
	uint32_t old_stack;
	ymo_image before;        /* memory before main */
	ymo_image live;          /* memory in ev_run, or at the stop */
	unsigned char *heap_top; /* in ev_run */
	struct host_words { yimmo_control header; uint64_t random; uint32_t count, tag; yimmo_command *commands; } start, stop;
	unsigned spins;
	int result;
} keeper;

static keeper *keep;

static struct host_words words(void)
{
	const yimmo_host_side *s = yimmo_side;
	return (struct host_words){ s->control, s->random, s->count, s->tag, s->commands };
}

static void set_words(const struct host_words *w)
{
	yimmo_host_side *s = yimmo_side;
	s->control = w->header;
	s->random = w->random;
	s->count = w->count;
	s->tag = w->tag;
	s->commands = w->commands;
}

/* enter_main runs main with its stack at base. It runs over frames that are in use
 * when it is called for the second time: neither this function nor its callers may
 * have anything on the stack that they still need. */
__attribute__((noinline)) static void enter_main(void)
{
	keep->old_stack = yimmo_stack();
	yimmo_set_stack(keep->base);
	keep->result = ymo_main_call();
	yimmo_set_stack(keep->old_stack);
}

/* arrive is the moment in which ev_run returns for good. */
__attribute__((noinline)) static void arrive(void)
{
	ymo_image_restore(&keep->live);
	set_words(&keep->stop);
	keep->mode = REST;
}

__attribute__((noinline)) static void park(int in_main)
{
	keep->by_main = in_main;
	keep->heap_top = yimmo_heap_first().top;
	keep->start.count = yimmo_side->count;
	yimmo_page_log_on = NULL;
	keep->live = (ymo_image){ .log = &keep->log, .heap_top = keep->heap_top, .runs = keep->log.used,
		.stack_low = keep->parked, .stack_high = keep->base };
	if (!in_main && !ymo_image_save(&keep->live))
		yimmo_out_of_memory_before_the_event_loop();
	keep->mode = LEAVING;
}

int yimmo_ev_run(int in_main, struct ev_loop *loop, int flags)
{
	if (flags & EVRUN_NOWAIT) {
		ev_invoke_pending(loop);
		return 0;
	}
	switch (keep->mode) {
	case START:
		keep->parked = yimmo_stack() & ~15u;
		park(in_main);
		return -1;
	case LEAVING:
		return -1;
	case REPLAY:
		arrive();
		return 0;
	case REST:
		if (++keep->spins > 10000)
			yimmo_the_event_loop_is_over();
		return 0;
	case SERVING:
		break;
	}
	return ymo_main_is_over();
}

/* In init, so that the log has all pages that the heap is ever given. */
void ymo_program_init(void)
{
	size_t n = sizeof *keep;
	ymo_main_require();
	yimmo_free(yimmo_alloc(1)); /* the heap's first region */
	keep = (keeper *)ymo_image_pages(&n);
	if (!keep)
		yimmo_out_of_memory_before_the_event_loop();
	yimmo_bytes_set(keep, 0, sizeof *keep);
	yimmo_page_log_on = &keep->log;
}

void ymo_program_start(void)
{
	keep->mode = START;
	keep->base = yimmo_stack() & ~15u;
	keep->before = (ymo_image){ .log = &keep->log, .heap_top = yimmo_heap_first().top, .runs = keep->log.used };
	keep->start = words();
	keep->log.lost |= !ymo_image_save(&keep->before);
	enter_main();
	yimmo_page_log_on = NULL;
	if (keep->mode != LEAVING)
		return;
	/* From here on main's part of the stack is main's: what is called below uses
	 * what lies below it. The export takes over from stack_top. */
	yimmo_set_stack(keep->parked);
	yimmo_side->stack_top = keep->parked;
	if (!keep->by_main)
		ymo_image_restore(&keep->live);
	yimmo_side->count = keep->start.count;
	ymo_image_drop(&keep->live);
	keep->mode = SERVING;
}

/* go_back puts memory to what it was before main. */
__attribute__((noinline)) static bool go_back(void)
{
	size_t ring = (size_t)yimmo_side->cap * sizeof(yimmo_command);
	keep->live = (ymo_image){ .log = &keep->log, .heap_top = keep->heap_top, .runs = keep->log.used,
		.stack_low = keep->parked, .stack_high = keep->base };
	unsigned char *commands = ymo_image_pages(&ring);
	if (keep->mode != SERVING || keep->log.lost || !commands || !ymo_image_save(&keep->live)) {
		ymo_log(YMO_LOG_WARNING, "main does not go on after ev_run: %s",
			keep->log.lost ? "it used memory that cannot be given to it again" : "out of memory");
		return false;
	}
	keep->stop = words();
	ymo_image_restore(&keep->before);
	uint32_t count = keep->start.count;
	set_words(&keep->start);
	yimmo_side->count = count;
	yimmo_side->commands = (yimmo_command *)commands;
	keep->log.mode = YIMMO_PAGES_REPLAY;
	keep->log.at = keep->before.runs;
	keep->mode = REPLAY;
	return true;
}

__attribute__((noinline)) static void gone_on(void)
{
	if (keep->mode == REST)
		return;
	arrive();
	ymo_log(YMO_LOG_WARNING, "main does not go on after ev_run: the second time it did not come there");
}

void ymo_program_finish(void)
{
	if (!go_back())
		return;
	enter_main();
	gone_on();
}

bool ymo_program_serves(void) { return keep->mode == SERVING; }

static void (**exit_functions)(void);
static size_t exit_count;

int atexit(void (*f)(void))
{
	void *p = realloc(exit_functions, (exit_count + 1) * sizeof *exit_functions);
	if (!p)
		return -1;
	exit_functions = p;
	exit_functions[exit_count++] = f;
	return 0;
}

void ymo_program_at_exit(void)
{
	while (keep->mode == REST && exit_count)
		exit_functions[--exit_count]();
}
