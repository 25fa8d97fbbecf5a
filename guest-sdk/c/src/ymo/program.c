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
 * With wasi-libc, whose heap is not known here, none of this: main runs once, ev_run
 * must be called by main itself, and what follows it never runs.
 */
#include "ymo.h"

#if defined(__wasm__)

YIMMO_TRAP(yimmo_the_program_has_no_main_function)

extern int main_with_args(int argc, char **argv) __asm__("__main_argc_argv") __attribute__((weak));
extern int main_without(void) __asm__("__main_void") __attribute__((weak));
extern int main_original(void) __asm__("__original_main") __attribute__((weak));

static void require_main(void)
{
	if (!main_with_args && !main_without && !main_original)
		yimmo_the_program_has_no_main_function();
}

static int call_main(void)
{
	static char *argv[2];
	const char *name = ymo_config(YIMMO_FIELD_PLUGIN);
	argv[0] = (char *)(name ? name : "plugin");
	if (main_with_args)
		return main_with_args(1, argv);
	return main_without ? main_without() : main_original();
}

typedef enum mode { START, LEAVING, SERVING, REPLAY, REST } mode;

static bool told_nested;

/* in_callback is ev_run where it makes no sense. */
static int in_callback(void)
{
	if (!told_nested)
		ymo_log(YMO_LOG_WARNING, "ev_run in a callback returns at once: the host turns the loop");
	told_nested = true;
	return 0;
}

#if defined(__wasi__)

static mode now_in = START;

int yimmo_ev_run(int in_main, struct ev_loop *loop, int flags)
{
	(void)in_main;
	if (flags & EVRUN_NOWAIT) {
		ev_invoke_pending(loop);
		return 0;
	}
	if (now_in == SERVING)
		return in_callback();
	now_in = LEAVING;
	/* main's stack stays, see above. */
	yimmo_side->stack_top = yimmo_stack() & ~15u;
	return -1;
}

void ymo_program_init(void) { require_main(); }

void ymo_program_start(void)
{
	call_main();
	if (now_in == LEAVING)
		now_in = SERVING;
}

void ymo_program_finish(void) {}
bool ymo_program_serves(void) { return now_in == SERVING; }
void ymo_program_at_exit(void) {}

#else

YIMMO_TRAP(yimmo_the_event_loop_is_over)
YIMMO_TRAP(yimmo_out_of_memory_before_the_event_loop)

/* A copy of some memory: the program's data, the heap's first region as far as it
 * was in use, pages that the heap was given, a part of the stack. */
typedef struct image {
	unsigned char *at;   /* NULL: there is none */
	size_t size;
	unsigned char *heap_top;
	uint32_t runs;       /* of the page log */
	uint32_t stack_low, stack_high;
} image;

/* What no image covers. */
typedef struct keeper {
	mode mode;
	bool by_main;            /* ev_run was called by main itself */
	yimmo_page_log log;
	uint32_t base, parked;   /* stack pointer when main began, and in ev_run */
	uint32_t old_stack;
	image before;            /* memory before main */
	image live;              /* memory in ev_run, or at the stop */
	unsigned char *heap_top; /* in ev_run */
	struct host_words { yimmo_control header; uint64_t random; uint32_t count, tag; yimmo_command *commands; } start, stop;
	unsigned spins;
	int result;
} keeper;

static keeper *keep;

extern unsigned char __global_base[], __data_end[];

/* parts calls f, if given, for each run of memory that belongs to m. The heap's
 * first region must be the same at all times, so it is made before the first image. */
static size_t parts(const image *m, void (*f)(unsigned char *p, size_t n, unsigned char **copy))
{
	yimmo_heap_extent heap = yimmo_heap_first();
	unsigned char *copy = m->at;
	size_t total = 0, all = (size_t)(heap.end - heap.from) - 16;
	size_t used = (size_t)(m->heap_top - heap.from) + 32; /* with the head of the free block behind it */
	struct { unsigned char *p; size_t n; } run[4] = {
		{ __global_base, (size_t)(__data_end - __global_base) },
		{ heap.from, yimmo_min(used, all) },
		{ heap.end - 16, 16 }, /* the last head */
		{ yimmo_at(m->stack_low), m->stack_high - m->stack_low },
	};
	for (uint32_t i = 0; i < 4 + m->runs; i++) {
		unsigned char *p = i < 4 ? run[i].p : yimmo_at(keep->log.run[i - 4].addr);
		size_t n = i < 4 ? run[i].n : (size_t)keep->log.run[i - 4].pages * YIMMO_PAGE;
		total += n;
		if (f && n)
			f(p, n, &copy);
	}
	return total;
}

static void copy_out(unsigned char *p, size_t n, unsigned char **copy)
{
	yimmo_bytes_copy(*copy, p, n);
	*copy += n;
}

static void copy_back(unsigned char *p, size_t n, unsigned char **copy)
{
	yimmo_bytes_copy(p, *copy, n);
	*copy += n;
}

/* take_pages takes memory that no log tells of: what is left over beside the
 * rings, or new pages. */
static unsigned char *take_pages(size_t *n)
{
	yimmo_host_side *s = yimmo_side;
	*n = (*n + 15) & ~(size_t)15;
	if (*n <= s->spare_size) {
		unsigned char *p = s->spare;
		s->spare += *n;
		s->spare_size -= *n;
		return p;
	}
	yimmo_page_log *log = yimmo_page_log_on;
	yimmo_page_log_on = NULL;
	unsigned char *p = yimmo_pages(*n);
	yimmo_page_log_on = log;
	*n = (*n + YIMMO_PAGE - 1) / YIMMO_PAGE * YIMMO_PAGE;
	return p;
}

static bool save(image *m)
{
	size_t n = parts(m, NULL);
	if (m->size < n) {
		m->size = n;
		m->at = take_pages(&m->size);
		if (!m->at)
			m->size = 0;
	}
	if (m->at)
		parts(m, copy_out);
	return m->at != NULL;
}

__attribute__((noinline)) static void restore(const image *m) { parts(m, copy_back); }

static void donate(void *p, size_t n)
{
	if (p)
		yimmo_heap_donate(p, n);
}

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
	keep->result = call_main();
	yimmo_set_stack(keep->old_stack);
}

/* arrive is the moment in which ev_run returns for good. */
__attribute__((noinline)) static void arrive(void)
{
	restore(&keep->live);
	set_words(&keep->stop);
	keep->mode = REST;
}

__attribute__((noinline)) static void park(int in_main)
{
	keep->by_main = in_main;
	keep->heap_top = yimmo_heap_first().top;
	keep->start.count = yimmo_side->count;
	yimmo_page_log_on = NULL;
	keep->live = (image){ .heap_top = keep->heap_top, .runs = keep->log.used,
		.stack_low = keep->parked, .stack_high = keep->base };
	if (!in_main && !save(&keep->live))
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
	return in_callback();
}

/* In init, so that the log has all pages that the heap is ever given. */
void ymo_program_init(void)
{
	size_t n = sizeof *keep;
	require_main();
	yimmo_free(yimmo_alloc(1)); /* the heap's first region */
	keep = (keeper *)take_pages(&n);
	if (!keep)
		yimmo_out_of_memory_before_the_event_loop();
	yimmo_bytes_set(keep, 0, sizeof *keep);
	yimmo_page_log_on = &keep->log;
}

void ymo_program_start(void)
{
	keep->mode = START;
	keep->base = yimmo_stack() & ~15u;
	keep->before.heap_top = yimmo_heap_first().top;
	keep->before.runs = keep->log.used;
	keep->start = words();
	keep->log.lost |= !save(&keep->before);
	enter_main();
	yimmo_page_log_on = NULL;
	if (keep->mode != LEAVING)
		return;
	/* From here on main's part of the stack is main's: what is called below uses
	 * what lies below it. The export takes over from stack_top. */
	yimmo_set_stack(keep->parked);
	yimmo_side->stack_top = keep->parked;
	if (!keep->by_main)
		restore(&keep->live);
	yimmo_side->count = keep->start.count;
	donate(keep->live.at, keep->live.size);
	keep->live = (image){ 0 };
	keep->mode = SERVING;
}

/* go_back puts memory to what it was before main. */
__attribute__((noinline)) static bool go_back(void)
{
	size_t ring = (size_t)yimmo_side->cap * sizeof(yimmo_command);
	keep->live = (image){ .heap_top = keep->heap_top, .runs = keep->log.used,
		.stack_low = keep->parked, .stack_high = keep->base };
	unsigned char *commands = take_pages(&ring);
	if (keep->mode != SERVING || keep->log.lost || !commands || !save(&keep->live)) {
		ymo_log(YMO_LOG_WARNING, "main does not go on after ev_run: %s",
			keep->log.lost ? "it used memory that cannot be given to it again" : "out of memory");
		return false;
	}
	keep->stop = words();
	restore(&keep->before);
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

#endif
#endif
